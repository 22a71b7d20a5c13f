//! `GET /oauth/token/info`: Doorkeeper's way for a bearer to look at its own token.

use axum::extract::State;
use axum::response::IntoResponse;
use axum::{Extension, Json};

use crate::flow::{self, App};
use crate::http::error::NO_STORE;
use crate::model::token::AccessToken;

pub(in crate::http) async fn show(
    State(app): State<App>,
    Extension(token): Extension<AccessToken>,
) -> impl IntoResponse {
    (NO_STORE, Json(flow::introspect::token_info(&app, &token)))
}
