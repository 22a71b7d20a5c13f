//! The seeded applications take any loopback redirect URI: what is asked for is registered first, so that the
//! server itself goes by its one rule.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::World;
use crate::flow::sandbox::redirects;
use crate::protocol::params::Params;

/// Learns the `redirect_uri` of an authorization request.
pub(super) async fn learn(State(world): State<Arc<World>>, request: Request, next: Next) -> Response {
    if world.path_of(request.uri().path()).trim_end_matches('/') == "/oauth/authorize" {
        let query = Params::parse(request.uri().query().unwrap_or_default().as_bytes());
        if let Ok(params) = query {
            learn_from(&world, &params).await;
        }
    }
    next.run(request).await
}

/// As [`learn`], of parameters that came another way. What cannot be learnt is refused by the server itself.
pub(super) async fn learn_from(world: &World, params: &Params) {
    let (Some(client_id), Some(asked)) = (params.get("client_id"), params.get("redirect_uri")) else {
        return;
    };
    if let Err(error) = redirects::learn(&world.app, client_id, asked).await {
        tracing::warn!(%error, "a redirect URI could not be registered");
    }
}
