//! The client's credentials, as sent (RFC 6749 §2.3.1).

use axum::http::{HeaderMap, header};

use crate::protocol::client_auth::{Presented, presented};
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;

/// Reads them from the `Authorization` header and the form body.
///
/// # Errors
/// `invalid_client`, or `invalid_request` for more than one way at once.
pub(in crate::http) fn credentials(headers: &HeaderMap, params: &Params) -> Result<Presented, OAuthError> {
    let authorization: Vec<&[u8]> = headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .map(axum::http::HeaderValue::as_bytes)
        .collect();
    presented(&authorization, params)
}
