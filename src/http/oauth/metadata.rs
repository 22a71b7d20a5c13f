//! `GET /.well-known/oauth-authorization-server` (RFC 8414 §3).

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::flow::{self, App};
use crate::http::error::EndpointError;
use crate::protocol::metadata::Metadata;

pub(in crate::http) async fn show(State(app): State<App>) -> Result<impl IntoResponse, EndpointError> {
    let always_iss = flow::applications::all_send_iss(&app).await?;
    let metadata = Metadata::of(
        app.issuer.as_str(),
        &app.catalog.configured(),
        app.offered_grants(),
        always_iss,
    );
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], Json(metadata)))
}
