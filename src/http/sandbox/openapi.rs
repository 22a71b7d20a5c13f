//! `{issuer}/sandbox/openapi.json`: the control plane, described for programs.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::World;
use super::json::{answer, refused};

/// Of a sandbox at whichever issuer.
const DOCUMENT: &str = include_str!("openapi.json");

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/openapi.json", get(show))
}

/// The names of what may be sent that is described as `schema`.
pub(super) fn members(schema: &str) -> Vec<String> {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
    let properties = &document["components"]["schemas"][schema]["properties"];
    properties
        .as_object()
        .map(|properties| properties.keys().cloned().collect())
        .unwrap_or_default()
}

async fn show(State(world): State<Arc<World>>) -> Response {
    match serde_json::from_str::<Value>(DOCUMENT) {
        Ok(mut document) => {
            document["servers"] = json!([{ "url": world.app.issuer.as_str() }]);
            answer(StatusCode::OK, &document)
        }
        Err(error) => refused(
            StatusCode::INTERNAL_SERVER_ERROR,
            "unavailable",
            error.to_string(),
        ),
    }
}
