//! `{issuer}/sandbox/scripts`

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::World;

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
}

/// The scripts of one world.
#[derive(Debug, Default)]
pub(super) struct Scripts {}

pub(super) async fn act(State(_): State<Arc<World>>, request: Request, next: Next) -> Response {
    next.run(request).await
}
