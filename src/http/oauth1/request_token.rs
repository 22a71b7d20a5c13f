//! `GET` and `POST /oauth/request_token` (RFC 5849 §2.1).

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::error::{self, FORM};
use super::signed::Signed;
use crate::flow::App;
use crate::flow::oauth1::request_token;
use crate::http::error::NO_STORE;

pub(super) async fn create(State(app): State<App>, signed: Signed) -> Response {
    match request_token::issue(&app, &signed.caller, &signed.request).await {
        // Both are base64url, which a form takes as it is.
        Ok(issued) => {
            let body = format!(
                "oauth_token={}&oauth_token_secret={}&oauth_callback_confirmed=true",
                issued.token.expose(),
                issued.secret.expose()
            );
            (NO_STORE, [(header::CONTENT_TYPE, FORM)], body).into_response()
        }
        Err(refused) => error::refused(&app, refused),
    }
}
