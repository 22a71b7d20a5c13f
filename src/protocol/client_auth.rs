//! Client authentication: which application speaks, and how it proves it (RFC 6749 §2.3).
//!
//! Exactly one mechanism a request: where two are sent and the first one wins, a proxy or a log sees
//! another client than the server does.

mod basic;
pub mod distinguished_name;
pub mod jwks;
pub mod mtls;
mod post;

use std::sync::Arc;

use super::error::OAuthError;
use super::params::Params;
use super::reason::Reason;
use crate::base::secret::Secret;
use crate::model::certificate::{PresentedCertificate, Thumbprint};
pub use crate::model::client_authentication::AuthMethod;

/// What a request presents to say which application sent it. Nothing is proved yet.
#[derive(Clone, Debug)]
pub struct Presented {
    /// As sent; without control characters, not yet looked up.
    pub client_id: String,
    pub method: AuthMethod,
    /// Readings of the one secret that was sent; the application is proved if any fits. Empty for
    /// [`AuthMethod::None`].
    pub secrets: Vec<Secret>,
    /// Whether the Basic scheme was used, be it with an empty password: a 401 then names Basic.
    pub was_basic: bool,
    pub certificate: ClientCertificate,
}

/// What the connection says of a certificate (RFC 8705). Beside a secret it is no second mechanism: it may be
/// what tokens are bound to.
#[derive(Clone, Debug, Default)]
pub enum ClientCertificate {
    #[default]
    Absent,
    /// A proxy sent something that is none.
    Unreadable,
    Presented(Arc<PresentedCertificate>),
}

impl Presented {
    /// The same, on a connection with that certificate.
    #[must_use]
    pub fn with_certificate(self, certificate: ClientCertificate) -> Self {
        Self { certificate, ..self }
    }
}

/// What a client was proven by, in words: the `way` (a secret's id, a method, or `none`), and beside it the
/// certificate that its tokens are bound to.
pub fn proven_by(way: &str, bound_to: Option<&Thumbprint>) -> String {
    bound_to.map_or_else(|| way.to_owned(), |certificate| format!("{way} {certificate}"))
}

/// The way alone, of what [`proven_by`] made.
pub fn way_of(proven_by: &str) -> &str {
    proven_by.split(' ').next().unwrap_or_default()
}

/// Reads who the client says it is from all `Authorization` headers and the body.
///
/// `invalid_request` where two mechanisms or two names are sent, `invalid_client` where there is none or
/// it cannot be read. A header of another scheme (a bearer token) is no client authentication.
pub fn presented(authorization: &[&[u8]], params: &Params) -> Result<Presented, OAuthError> {
    let basic = basic::find(authorization)?;
    let post = post::find(params)?;
    let assertion = params.get("client_assertion").is_some() || params.get("client_assertion_type").is_some();
    let mechanisms = [basic.is_some(), post.secret.is_some(), assertion];
    if mechanisms.into_iter().filter(|&used| used).count() > 1 {
        return Err(
            OAuthError::invalid_request("More than one way of client authentication was used")
                .because(Reason::SeveralMechanisms),
        );
    }
    if assertion {
        return Err(OAuthError::invalid_client("client_assertion is not supported")
            .because(Reason::AssertionUnsupported));
    }
    match basic {
        Some(encoded) => basic::read(encoded, post.client_id),
        None => post.read(),
    }
}

#[cfg(test)]
mod tests;
