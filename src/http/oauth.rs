//! The endpoints that clients call.

pub(super) mod device_authorization;
pub(super) mod introspect;
pub(super) mod metadata;
pub(super) mod revoke;
pub(super) mod token;
pub(super) mod token_info;

use axum::extract::OriginalUri;

use super::error::EndpointError;

/// 405 in the RFC's form.
pub(super) async fn method_not_allowed(OriginalUri(uri): OriginalUri) -> EndpointError {
    let reads = uri.path().trim_end_matches('/').ends_with("/token/info");
    EndpointError::method_not_allowed(if reads { "GET" } else { "POST" })
}
