//! What was asked and answered.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::World;

/// The requests and answers of one world.
#[derive(Debug, Default)]
pub(super) struct Record {}

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
}

pub(super) async fn note(State(_): State<Arc<World>>, request: Request, next: Next) -> Response {
    next.run(request).await
}
