//! `/healthz`: alive; `/readyz`: able to serve.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::http::Http;
use crate::http::error::NO_STORE;
use crate::http::middleware::request::Cause;

/// Never looks at the store: a server that waits for its store is not to be killed for it.
pub(in crate::http) async fn alive() -> Response {
    (NO_STORE, Json(json!({ "status": "alive" }))).into_response()
}

pub(in crate::http) async fn ready(State(http): State<Http>) -> Response {
    if (http.stopping.0)() {
        return not_ready("stopping", "the server is stopping".into());
    }
    match http.app.ready().await {
        Ok(()) => (NO_STORE, Json(json!({ "status": "ready" }))).into_response(),
        Err(refusal) => not_ready("store", refusal.to_string()),
    }
}

fn not_ready(why: &'static str, cause: String) -> Response {
    let body = Json(json!({ "status": "not ready", "because": why }));
    let mut response = (StatusCode::SERVICE_UNAVAILABLE, NO_STORE, body).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response.extensions_mut().insert(Cause(cause));
    response
}
