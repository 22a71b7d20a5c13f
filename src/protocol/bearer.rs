//! Bearer credentials and challenges (RFC 6750 §2.1 and §3, RFC 7235 §2.1).

use std::borrow::Cow;
use std::fmt;

use super::error::plain;
use crate::model::scope::Scopes;

/// The token of the `Authorization` headers of one request.
///
/// `None` where none was sent or another scheme was. Two headers, two spaces, a tab, a comma or anything
/// that does not show is ambiguous and refused. Other text is given on, even outside RFC 6750's
/// `b64token`: a token that was damaged on its way is an invalid token, not an invalid request.
pub fn credentials<'a>(authorization: &[&'a [u8]]) -> Result<Option<&'a str>, BearerProblem> {
    let header = match authorization {
        [] => return Ok(None),
        [one] => *one,
        _ => return Err(BearerProblem::TwoHeaders),
    };
    let Some(rest) = after_scheme(header, "bearer") else {
        return Ok(None);
    };
    let token = rest
        .strip_prefix(b" ")
        .filter(|token| is_one_word(token))
        .ok_or(BearerProblem::Malformed)?;
    std::str::from_utf8(token)
        .map(Some)
        .map_err(|_| BearerProblem::Malformed)
}

/// What follows the scheme where the header's scheme is `scheme`, in any case.
pub(super) fn after_scheme<'a>(header: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let end = header
        .iter()
        .position(|&byte| !is_token_character(byte))
        .unwrap_or(header.len());
    let (name, rest) = header.split_at(end);
    name.eq_ignore_ascii_case(scheme.as_bytes()).then_some(rest)
}

/// `tchar` of RFC 7230 §3.2.6.
fn is_token_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_one_word(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_graphic() && *byte != b',')
}

/// Why the credentials cannot be read; an `invalid_request`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerProblem {
    TwoHeaders,
    Malformed,
}

impl fmt::Display for BearerProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TwoHeaders => "More than one Authorization header was sent",
            Self::Malformed => "The Authorization header is not Bearer, one space and a token",
        })
    }
}

impl std::error::Error for BearerProblem {}

impl From<BearerProblem> for Challenge {
    fn from(problem: BearerProblem) -> Self {
        Self::invalid_request(problem.to_string())
    }
}

/// The error codes of RFC 6750 §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerErrorCode {
    InvalidRequest,
    InvalidToken,
    InsufficientScope,
}

impl BearerErrorCode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
        }
    }
}

/// A protected resource's refusal: the value of `WWW-Authenticate`, and what the body says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    code: Option<BearerErrorCode>,
    description: Cow<'static, str>,
    scopes: Scopes,
    resource_metadata: Option<String>,
}

impl Challenge {
    /// No credentials were sent: the challenge carries no error (RFC 6750 §3.1).
    pub fn unauthorized() -> Self {
        Self::new(None, Cow::Borrowed("A bearer token is required"))
    }

    pub fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Some(BearerErrorCode::InvalidRequest), description.into())
    }

    pub fn invalid_token(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Some(BearerErrorCode::InvalidToken), description.into())
    }

    /// The token lives, but lacks some of `needed`.
    pub fn insufficient_scope(needed: &Scopes) -> Self {
        let description = format!("The token needs the scope {needed}");
        Self::new(Some(BearerErrorCode::InsufficientScope), description.into()).with_scopes(needed)
    }

    /// The token lives, but has none of `needed`, of which one would do.
    pub fn insufficient_scope_of(needed: &Scopes) -> Self {
        let description = format!("The token needs one of the scopes {needed}");
        Self::new(Some(BearerErrorCode::InsufficientScope), description.into()).with_scopes(needed)
    }

    /// The token lives, but whoever it acts for may not do this: the same code (RFC 6750 §3.1).
    pub fn insufficient_privileges(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Some(BearerErrorCode::InsufficientScope), description.into())
    }

    fn new(code: Option<BearerErrorCode>, description: Cow<'static, str>) -> Self {
        Self {
            code,
            description: plain(description),
            scopes: Scopes::default(),
            resource_metadata: None,
        }
    }

    /// Names the scopes that would do.
    #[must_use]
    pub fn with_scopes(self, scopes: &Scopes) -> Self {
        Self {
            scopes: scopes.clone(),
            ..self
        }
    }

    /// Names where the resource's metadata are (RFC 9728 §5.1).
    #[must_use]
    pub fn with_resource_metadata(self, url: impl Into<String>) -> Self {
        Self {
            resource_metadata: Some(plain(Cow::Owned(url.into())).into_owned()),
            ..self
        }
    }

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self.code {
            Some(BearerErrorCode::InvalidRequest) => 400,
            Some(BearerErrorCode::InsufficientScope) => 403,
            Some(BearerErrorCode::InvalidToken) | None => 401,
        }
    }

    /// The body's `error`: `unauthorized` where no credentials were sent.
    pub const fn error(&self) -> &'static str {
        match self.code {
            Some(code) => code.as_str(),
            None => "unauthorized",
        }
    }

    /// The body's `error_description`.
    pub fn description(&self) -> &str {
        &self.description
    }
}

/// The value of `WWW-Authenticate`. Nothing in it can close a quoted string: descriptions are
/// neutralised, scopes have neither `"` nor `\`.
impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"Bearer realm="tegata""#)?;
        if let Some(code) = self.code {
            write!(
                f,
                r#", error="{}", error_description="{}""#,
                code.as_str(),
                self.description
            )?;
        }
        if !self.scopes.is_empty() {
            write!(f, r#", scope="{}""#, self.scopes)?;
        }
        match &self.resource_metadata {
            Some(url) => write!(f, r#", resource_metadata="{url}""#),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(header: &str) -> Result<Option<&str>, BearerProblem> {
        credentials(&[header.as_bytes()])
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        for header in [
            "Bearer tga_x-1.~+/=",
            "bearer tga_x-1.~+/=",
            "BEARER tga_x-1.~+/=",
        ] {
            assert_eq!(read(header), Ok(Some("tga_x-1.~+/=")), "{header}");
        }
    }

    #[test]
    fn another_scheme_is_no_bearer_credentials() {
        assert_eq!(credentials(&[]), Ok(None));
        for header in ["", "Basic YTpi", "BearerX tga_x", "DPoP tga_x", "Bearer-Token x"] {
            assert_eq!(read(header), Ok(None), "{header}");
        }
    }

    #[test]
    fn what_is_ambiguous_is_refused() {
        let headers = [
            "Bearer",
            "Bearer ",
            "Bearer  tga_x",
            "Bearer\ttga_x",
            "Bearer tga_x,",
            "Bearer tga_x ",
            "Bearer tga_x tga_y",
            "Bearer tga_x, Bearer tga_y",
            "Bearer, x",
            "Bearer tga_é",
        ];
        for header in headers {
            assert_eq!(read(header), Err(BearerProblem::Malformed), "{header}");
        }
        assert_eq!(
            credentials(&[b"Bearer a", b"Bearer a"]),
            Err(BearerProblem::TwoHeaders)
        );
        assert_eq!(
            credentials(&[b"Bearer a", b"Basic YTpi"]),
            Err(BearerProblem::TwoHeaders)
        );
    }

    #[test]
    fn a_damaged_token_is_given_on_to_be_found_invalid() {
        for token in ["=", "a=b", "tga_%41", "\"tga_x\"", "tga_x\\"] {
            assert_eq!(read(&format!("Bearer {token}")), Ok(Some(token)));
        }
    }

    #[test]
    fn without_credentials_the_challenge_has_no_error() {
        let challenge = Challenge::unauthorized();
        assert_eq!(challenge.to_string(), r#"Bearer realm="tegata""#);
        assert_eq!((challenge.status(), challenge.error()), (401, "unauthorized"));
    }

    #[test]
    fn each_error_has_its_status() {
        let needed = Scopes::parse("write read").unwrap();
        let scope = Challenge::insufficient_scope(&needed);
        assert_eq!(
            scope.to_string(),
            r#"Bearer realm="tegata", error="insufficient_scope", error_description="The token needs the scope read write", scope="read write""#
        );
        assert_eq!((scope.status(), scope.error()), (403, "insufficient_scope"));
        let token = Challenge::invalid_token("The token is expired");
        assert_eq!((token.status(), token.error()), (401, "invalid_token"));
        let request = Challenge::from(BearerProblem::TwoHeaders);
        assert_eq!((request.status(), request.error()), (400, "invalid_request"));
    }

    #[test]
    fn nothing_leaves_a_quoted_string() {
        let challenge =
            Challenge::invalid_token("a\", scope=\"admin\r\n").with_resource_metadata("https://r.example/\"");
        assert_eq!(
            challenge.to_string(),
            r#"Bearer realm="tegata", error="invalid_token", error_description="a?, scope=?admin??", resource_metadata="https://r.example/?""#
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_bytes_make_it_panic_and_a_token_is_the_rest_of_the_header(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let header = [b"Bearer ".as_slice(), &bytes].concat();
            let _ = credentials(&[&bytes]);
            if let Ok(token) = credentials(&[&header]) {
                prop_assert_eq!(token.map(str::as_bytes), Some(bytes.as_slice()));
            }
        }
    }
}
