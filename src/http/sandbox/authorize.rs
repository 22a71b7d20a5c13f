//! `{issuer}/sandbox/authorize`: a decision without a browser.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::World;

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
}

/// `login_hint` in a normal authorization request is answered at once.
pub(super) async fn by_hint(State(_): State<Arc<World>>, request: Request, next: Next) -> Response {
    next.run(request).await
}
