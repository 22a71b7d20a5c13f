//! `GET /.well-known/oauth-authorization-server` (RFC 8414 §3) and `/.well-known/oauth-protected-resource`
//! (RFC 9728 §3): documents for everybody, pages of other origins included.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::IntoResponse;

use crate::flow::App;
use crate::http::api::{READ, WRITE};
use crate::model::scope::Scopes;
use crate::protocol::metadata::Metadata;
use crate::protocol::resource::ResourceMetadata;

const PUBLIC: [(HeaderName, &str); 2] = [
    (header::CACHE_CONTROL, "public, max-age=300"),
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
];

/// A browser asks before a request with a header of its own, such as `MCP-Protocol-Version`: nothing here
/// depends on who asks.
pub(in crate::http) async fn preflight() -> impl IntoResponse {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "*"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, headers)
}

pub(in crate::http) async fn show(State(app): State<App>) -> impl IntoResponse {
    let metadata = Metadata::of(
        app.issuer.as_str(),
        &app.catalog.configured(),
        app.offered_grants(),
        app.promises_iss(),
    )
    .protecting(&app.resources);
    let metadata = match app.mtls_url() {
        Some(base) => metadata.seeing_certificates(&base, app.knows_authorities()),
        None => metadata,
    };
    (PUBLIC, Json(metadata))
}

/// Of `/api/memos`, with the scopes that open it.
pub(in crate::http) async fn memos(State(app): State<App>) -> impl IntoResponse {
    let scopes: Scopes = app
        .catalog
        .configured()
        .into_iter()
        .filter(|scope| matches!(scope.as_str(), READ | WRITE))
        .collect();
    let metadata = ResourceMetadata::of(&app.memos, "Memos", app.issuer.as_str(), scopes)
        .seeing_certificates(app.config.sees_client_certificates_everywhere());
    (PUBLIC, Json(metadata))
}
