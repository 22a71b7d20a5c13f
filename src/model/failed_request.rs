//! A kind of request that was refused, as whoever runs the application reads it.

use time::OffsetDateTime;

use super::ids::{ApplicationId, FailedRequestId};

/// Where a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    Authorize,
    Token,
    Revoke,
    Introspect,
    DeviceAuthorization,
    /// OAuth 1.0a (RFC 5849), as the following; the last two are protected resources.
    RequestToken,
    AccessToken,
    VerifyCredentials,
    Memos,
}

impl Endpoint {
    /// Its path under the issuer, which is also how it is stored.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Authorize => "/oauth/authorize",
            Self::Token => "/oauth/token",
            Self::Revoke => "/oauth/revoke",
            Self::Introspect => "/oauth/introspect",
            Self::DeviceAuthorization => "/oauth/device_authorization",
            Self::RequestToken => "/oauth/request_token",
            Self::AccessToken => "/oauth/access_token",
            Self::VerifyCredentials => "/account/verify_credentials.json",
            Self::Memos => "/api/memos",
        }
    }
}

/// Requests of one application that were refused at one endpoint for one reason, with one value of the
/// parameter at fault.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct FailedRequest {
    pub id: FailedRequestId,
    pub application_id: ApplicationId,
    /// See [`Endpoint::path`].
    pub endpoint: String,
    /// The error code (RFC 6749 §5.2).
    pub error: String,
    /// The name of a reason; perhaps one that a newer version knows.
    pub reason: String,
    /// The parameter at fault.
    pub parameter: Option<String>,
    /// What was sent in it: harmless, at most 500 characters. `None` where it may not be kept, and where too
    /// many differed.
    pub value: Option<String>,
    /// Of the last one.
    pub request_id: String,
    pub first_seen_at: OffsetDateTime,
    pub last_seen_at: OffsetDateTime,
    pub count: i64,
}
