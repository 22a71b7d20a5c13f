//! `GET /account/verify_credentials.json`: whose the access token is, by the names that clients of OAuth 1.0a know.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::error;
use super::signed::Signed;
use crate::flow::App;
use crate::flow::oauth1::verify;
use crate::http::error::NO_STORE;
use crate::http::view::assets;
use crate::model::failed_request::Endpoint;
use crate::protocol::oauth1::problem::{Kind, Problem};

pub(super) async fn show(State(app): State<App>, signed: Signed) -> Response {
    let Signed { request, caller } = signed;
    let token = match verify::with_access_token(&app, Endpoint::VerifyCredentials, &request, &caller).await {
        Ok(token) => token,
        Err(refused) => return error::refused(&app, refused),
    };
    let (Some(id), Some(username)) = (token.user_id, token.username) else {
        let problem = Problem::new(Kind::PermissionDenied, "The token is nobody's");
        return error::problem(&app, &problem);
    };
    let shown = json!({
        "id": id,
        "screen_name": username,
        "name": username,
        "profile_image_url": app.issuer.join(&assets::PERSON.href()),
    });
    (NO_STORE, Json(shown)).into_response()
}
