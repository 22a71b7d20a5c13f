//! `{issuer}/sandbox/tokens`

use std::sync::Arc;

use axum::Router;

use super::World;

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
}
