//! The protected resource.

mod memos;

use axum::Router;
use axum::routing::{delete, get, patch, post};

use super::Http;
use super::bearer::RequireBearer;
use super::error::EndpointError;
use crate::flow::App;

pub(super) fn routes(app: &App) -> Router<Http> {
    let read = RequireBearer::new(app.clone(), &["read"]);
    let write = RequireBearer::new(app.clone(), &["write"]);
    Router::new()
        .route(
            "/api/memos",
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
}
