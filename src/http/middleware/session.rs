//! The session is saved outside the handlers, and its store may fail there: a 503 like any other.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use super::request::Cause;

/// To stand around the session layer, whose own answer to a failed save is a bare 500.
pub(in crate::http) async fn store_faults(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let bare = response.status() == StatusCode::INTERNAL_SERVER_ERROR
        && response.extensions().get::<Cause>().is_none();
    if bare {
        crate::http::pages::error::unavailable("the session could not be saved")
    } else {
        response
    }
}
