//! What an endpoint that speaks OAuth answers when it does not do what was asked.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::middleware::error_uri::ErrorBody;
use super::middleware::request::{Cause, Why};
use crate::flow::error::Refusal;
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::reason::Fault;

/// Never kept by anybody on the way (RFC 6749 §5.1).
pub(super) const NO_STORE: [(header::HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::PRAGMA, HeaderValue::from_static("no-cache")),
];

/// Seconds after which a client may try again when the store is out of reach.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// An error answer of the token, revocation, introspection and token info endpoints.
#[derive(Debug)]
pub(super) struct EndpointError {
    status: StatusCode,
    body: ErrorBody,
    headers: Vec<(header::HeaderName, HeaderValue)>,
    cause: Option<String>,
    why: Option<Fault>,
}

impl EndpointError {
    fn new(status: StatusCode, error: &OAuthError) -> Self {
        let body = ErrorBody::new(error.code().as_str(), error.description());
        let cause = format!(
            "{}: {}",
            error.code(),
            error.cause().unwrap_or(error.description())
        );
        Self {
            status,
            body,
            headers: Vec::new(),
            cause: Some(cause),
            why: Some(error.fault()),
        }
    }

    fn with(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn unsupported_media_type() -> Self {
        let error =
            OAuthError::invalid_request("Send the parameters as application/x-www-form-urlencoded, in UTF-8");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, &error)
    }

    pub(super) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            &OAuthError::invalid_request("The body is larger than 64 KiB"),
        )
    }

    pub(super) fn method_not_allowed(allow: &'static str) -> Self {
        let error = OAuthError::invalid_request(format!("The method that is allowed here: {allow}"));
        Self::new(StatusCode::METHOD_NOT_ALLOWED, &error).with(header::ALLOW, HeaderValue::from_static(allow))
    }
}

impl From<OAuthError> for EndpointError {
    /// RFC 6749 §5.2: 400, and 401 where the client could not be authenticated. A 400 has no challenge:
    /// clients that poll or retry stumble over one.
    fn from(error: OAuthError) -> Self {
        if error.code() == ErrorCode::InvalidClient {
            return Self::new(StatusCode::UNAUTHORIZED, &error).with(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"tegata\""),
            );
        }
        Self::new(StatusCode::BAD_REQUEST, &error)
    }
}

impl From<Refusal> for EndpointError {
    fn from(refusal: Refusal) -> Self {
        let cause = refusal.to_string();
        match refusal {
            Refusal::OAuth(error) => error.into(),
            Refusal::Unavailable(_) | Refusal::Stale => Self {
                status: StatusCode::SERVICE_UNAVAILABLE,
                body: ErrorBody::new(
                    ErrorCode::TemporarilyUnavailable.as_str(),
                    "The server cannot do this at the moment; try again",
                ),
                headers: vec![(header::RETRY_AFTER, RETRY_AFTER)],
                cause: Some(cause),
                why: None,
            },
            Refusal::TooMany { retry_after } => Self {
                status: StatusCode::TOO_MANY_REQUESTS,
                body: ErrorBody::new(
                    ErrorCode::TemporarilyUnavailable.as_str(),
                    "Too many requests or failures from there; wait before trying again",
                ),
                headers: vec![(header::RETRY_AFTER, HeaderValue::from(retry_after))],
                cause: Some(cause),
                why: None,
            },
        }
    }
}

impl IntoResponse for EndpointError {
    fn into_response(self) -> Response {
        let mut response = (self.status, NO_STORE, self.body.into_response()).into_response();
        response.headers_mut().extend(self.headers);
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause));
        }
        if let Some(fault) = self.why {
            response.extensions_mut().insert(Why(fault));
        }
        response
    }
}
