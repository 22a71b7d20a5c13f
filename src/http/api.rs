//! The protected resource.

mod memos;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, patch, post};

use super::Http;
use super::bearer::RequireBearer;
use super::error::EndpointError;
use super::middleware::cors;
use super::oauth1::resource::OrSigned;
use crate::flow::{App, MEMOS};
use crate::protocol::resource::well_known_path;

const METHODS: &str = "GET, POST, PATCH, DELETE";

/// The scopes that open it.
pub(super) const READ: &str = "read";
pub(super) const WRITE: &str = "write";

pub(super) fn routes(app: &App) -> Router<Http> {
    let described_at = format!("{}{}", app.issuer.origin(), well_known_path(&app.memos));
    let need = |scope| {
        let bearer = RequireBearer::new(app.clone(), &[scope])
            .of_resource(app.memos.clone())
            .described_at(&described_at);
        OrSigned::new(app.clone(), scope, bearer)
    };
    let (read, write) = (need(READ), need(WRITE));
    Router::new()
        .route(
            MEMOS,
            get(memos::index)
                .layer(read.clone())
                .merge(post(memos::create).layer(write.clone()))
                .fallback(|| async { EndpointError::method_not_allowed("GET, POST") }),
        )
        .route(
            "/api/memos/{id}",
            get(memos::show)
                .layer(read)
                .merge(patch(memos::update).layer(write.clone()))
                .merge(delete(memos::destroy).layer(write))
                .fallback(|| async { EndpointError::method_not_allowed("GET, PATCH, DELETE") }),
        )
        .layer(from_fn_with_state(app.clone(), cors::readable_by_any))
        .layer(from_fn_with_state((app.clone(), METHODS), cors::preflight))
}
