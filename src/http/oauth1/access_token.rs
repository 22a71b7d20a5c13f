//! `GET` and `POST /oauth/access_token` (RFC 5849 §2.3).

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::error::{self, FORM};
use super::signed::Signed;
use crate::flow::App;
use crate::flow::oauth1::access_token;
use crate::http::error::NO_STORE;
use crate::protocol::oauth1::base_string::encode;

pub(super) async fn create(State(app): State<App>, signed: Signed) -> Response {
    match access_token::exchange(&app, &signed.caller, &signed.request).await {
        // No further member begins with `oauth_`: clients take those for their own.
        Ok(issued) => {
            let body = format!(
                "oauth_token={}&oauth_token_secret={}&user_id={}&screen_name={}",
                issued.token.expose(),
                issued.secret.expose(),
                issued.user,
                encode(issued.username.as_bytes())
            );
            (NO_STORE, [(header::CONTENT_TYPE, FORM)], body).into_response()
        }
        Err(refused) => error::refused(&app, refused),
    }
}
