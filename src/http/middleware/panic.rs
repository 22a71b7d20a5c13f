//! A panic ends the request that it happened in, and nothing else.

use std::panic::AssertUnwindSafe;

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use serde_json::json;

use super::request::Cause;
use crate::http::error::NO_STORE;
use crate::http::pages::error::{blank, show};

/// Answers 500 in place of a handler that panicked: a page to a browser, JSON to a program. What the panic
/// said is in the log alone.
pub(in crate::http) async fn caught(request: Request, next: Next) -> Response {
    let is_browser = accepts_page(request.headers());
    AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            let mut response = if is_browser { page() } else { body() };
            response
                .extensions_mut()
                .insert(Cause("the handler panicked".into()));
            response
        })
}

fn accepts_page(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

fn page() -> Response {
    show(blank(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong on this server",
        "This is a fault of the server, not of yours.",
        "Tell whoever runs this server; the number below finds it in the log.",
    ))
}

fn body() -> Response {
    let body = json!({
        "error": "server_error",
        "error_description": "Something went wrong on this server; its log has it under the X-Request-Id",
    });
    (StatusCode::INTERNAL_SERVER_ERROR, NO_STORE, Json(body)).into_response()
}
