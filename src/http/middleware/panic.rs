//! A panic ends the request that it happened in, and nothing else.

use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::request::Cause;

const SORRY: &str =
    "Something went wrong on this server. The operator finds it in the log by the request id.\n";

pub(in crate::http) async fn caught(request: Request, next: Next) -> Response {
    AssertUnwindSafe(next.run(request))
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            let mut response = (StatusCode::INTERNAL_SERVER_ERROR, SORRY).into_response();
            response
                .extensions_mut()
                .insert(Cause("the handler panicked".into()));
            response
        })
}
