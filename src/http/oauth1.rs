//! OAuth 1.0a (RFC 5849). Mounted only where the setting `oauth1` is on; nothing of OAuth 2.0 knows of it.

mod access_token;
pub(super) mod authorize;
pub(super) mod error;
mod request_token;
pub(super) mod resource;
pub(super) mod signed;
mod verify_credentials;

use axum::Router;
use axum::routing::get;

use super::Http;
use super::error::EndpointError;
use crate::flow::{App, oauth1};

/// Its endpoints: none where it is off.
pub(super) fn routes(app: &App) -> Router<Http> {
    if !oauth1::enabled(app) {
        return Router::new();
    }
    Router::new()
        .route(
            "/oauth/request_token",
            get(request_token::create)
                .post(request_token::create)
                .fallback(|| async { EndpointError::method_not_allowed("GET, POST") }),
        )
        .route(
            "/oauth/access_token",
            get(access_token::create)
                .post(access_token::create)
                .fallback(|| async { EndpointError::method_not_allowed("GET, POST") }),
        )
        .route(
            "/account/verify_credentials.json",
            get(verify_credentials::show).fallback(|| async { EndpointError::method_not_allowed("GET") }),
        )
}
