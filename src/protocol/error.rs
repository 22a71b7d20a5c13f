//! Errors as OAuth clients see them (RFC 6749 §4.1.2.1 and §5.2, RFC 7009 §2.2.1, RFC 8628 §3.5,
//! RFC 8707 §2, OIDC Core §3.1.2.6).

use std::borrow::Cow;
use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::explanation;
use super::reason::{Fault, Reason};

macro_rules! codes {
    ($($name:ident = $text:literal),+ $(,)?) => {
        /// The `error` member.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($name),+
        }

        impl ErrorCode {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text),+
                }
            }
        }
    };
}

codes! {
    InvalidRequest = "invalid_request",
    InvalidClient = "invalid_client",
    InvalidGrant = "invalid_grant",
    UnauthorizedClient = "unauthorized_client",
    UnsupportedGrantType = "unsupported_grant_type",
    InvalidScope = "invalid_scope",
    AccessDenied = "access_denied",
    UnsupportedResponseType = "unsupported_response_type",
    ServerError = "server_error",
    TemporarilyUnavailable = "temporarily_unavailable",
    InvalidTarget = "invalid_target",
    LoginRequired = "login_required",
    ConsentRequired = "consent_required",
    InteractionRequired = "interaction_required",
    RequestNotSupported = "request_not_supported",
    RequestUriNotSupported = "request_uri_not_supported",
    AuthorizationPending = "authorization_pending",
    SlowDown = "slow_down",
    ExpiredToken = "expired_token",
    UnsupportedTokenType = "unsupported_token_type",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One error for the wire: a code, a description for the client's developer, and a cause that only the
/// log sees. Serializes as `{"error", "error_description"}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthError {
    code: ErrorCode,
    description: Cow<'static, str>,
    cause: Option<String>,
    fault: Option<Fault>,
    seen: Option<String>,
}

impl OAuthError {
    /// The description is made fit for the wire: whatever is not printable ASCII, `"` and `\` become `?`, and it is cut at 300.
    pub fn new(code: ErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            description: plain(description.into()),
            cause: None,
            fault: None,
            seen: None,
        }
    }

    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }

    pub fn invalid_client(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidClient, description)
    }

    pub fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidGrant, description)
    }

    pub fn unauthorized_client(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::UnauthorizedClient, description)
    }

    pub fn unsupported_grant_type(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::UnsupportedGrantType, description)
    }

    pub fn invalid_scope(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidScope, description)
    }

    pub fn access_denied(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::AccessDenied, description)
    }

    pub fn unsupported_response_type(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::UnsupportedResponseType, description)
    }

    /// Adds what the log is told and the client is not.
    #[must_use]
    pub fn with_cause(self, cause: impl fmt::Display) -> Self {
        Self {
            cause: Some(cause.to_string()),
            ..self
        }
    }

    /// Says exactly what was wrong, for whoever runs the application.
    #[must_use]
    pub fn because(self, fault: impl Into<Fault>) -> Self {
        Self {
            fault: Some(fault.into()),
            ..self
        }
    }

    /// Says what was seen in place of what is registered: no secret, and nothing that a client is told.
    #[must_use]
    pub fn seeing(self, seen: Option<String>) -> Self {
        Self { seen, ..self }
    }

    /// What was seen in place of what is registered.
    pub fn seen(&self) -> Option<&str> {
        self.seen.as_deref()
    }

    pub const fn code(&self) -> ErrorCode {
        self.code
    }

    /// What was wrong; where nobody said it, what the code says.
    pub fn fault(&self) -> Fault {
        self.fault.unwrap_or_else(|| Reason::of(self.code).into())
    }

    /// `error_uri`: our page on the code (RFC 6749 §4.1.2.1, §5.2).
    pub fn uri(&self, issuer: &str) -> String {
        explanation::uri(issuer, self.code.as_str())
    }

    pub fn description(&self) -> &str {
        &self.description
    }

    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }
}

/// What clients may see, without the cause.
impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.description)
    }
}

impl std::error::Error for OAuthError {}

impl Serialize for OAuthError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("OAuthError", 2)?;
        body.serialize_field("error", self.code.as_str())?;
        body.serialize_field("error_description", self.description())?;
        body.end()
    }
}

const LONGEST_DESCRIPTION: usize = 300;

/// A text as `error_description` and a quoted string may carry it: printable ASCII, every other
/// character and `"` and `\` turned into `?`, cut at 300 (RFC 6749 §5.2). Keeps what a client sent from
/// splitting a header or closing a quote.
pub(super) fn plain(text: Cow<'static, str>) -> Cow<'static, str> {
    if text.len() <= LONGEST_DESCRIPTION && text.chars().all(is_plain) {
        return text;
    }
    let neutral = |character| if is_plain(character) { character } else { '?' };
    text.chars()
        .take(LONGEST_DESCRIPTION)
        .map(neutral)
        .collect::<String>()
        .into()
}

fn is_plain(character: char) -> bool {
    matches!(character, ' '..='~') && character != '"' && character != '\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_cannot_leave_printable_ascii() {
        let error = OAuthError::invalid_request("a\r\nSet-Cookie: \"x\\\u{1b}é".to_owned());
        assert_eq!(error.description(), "a??Set-Cookie: ?x???");
        assert_eq!(
            OAuthError::invalid_request("é".repeat(400)).description(),
            "?".repeat(300)
        );
    }

    #[test]
    fn the_body_has_the_two_members_and_never_the_cause() {
        let error = OAuthError::invalid_grant("The code is used").with_cause("replay of grant 7");
        let body = serde_json::to_string(&error).unwrap();
        assert_eq!(
            body,
            r#"{"error":"invalid_grant","error_description":"The code is used"}"#
        );
        assert_eq!(error.to_string(), "invalid_grant: The code is used");
        assert_eq!(error.cause(), Some("replay of grant 7"));
    }

    #[test]
    fn every_constructor_has_its_code() {
        let pairs = [
            (OAuthError::invalid_client(""), "invalid_client"),
            (OAuthError::unauthorized_client(""), "unauthorized_client"),
            (OAuthError::unsupported_grant_type(""), "unsupported_grant_type"),
            (OAuthError::invalid_scope(""), "invalid_scope"),
            (OAuthError::access_denied(""), "access_denied"),
            (
                OAuthError::unsupported_response_type(""),
                "unsupported_response_type",
            ),
        ];
        for (error, code) in pairs {
            assert_eq!(error.code().as_str(), code);
        }
    }
}
