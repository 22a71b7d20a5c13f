//! `{issuer}/sandbox/devices`: what people will decide about devices.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::World;

/// Decisions to come.
#[derive(Debug, Default)]
pub(super) struct Devices {}

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
}

pub(super) async fn poll(State(_): State<Arc<World>>, request: Request, next: Next) -> Response {
    next.run(request).await
}
