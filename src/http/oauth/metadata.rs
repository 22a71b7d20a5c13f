//! `GET /.well-known/oauth-authorization-server` (RFC 8414 §3).

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::flow::App;
use crate::protocol::metadata::Metadata;

pub(in crate::http) async fn show(State(app): State<App>) -> impl IntoResponse {
    let metadata = Metadata::of(
        app.issuer.as_str(),
        &app.catalog.configured(),
        app.offered_grants(),
        app.promises_iss(),
    );
    ([(header::CACHE_CONTROL, "public, max-age=300")], Json(metadata))
}
