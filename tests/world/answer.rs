//! An answer, and what must hold of every answer whoever asked for it.

use std::fmt;

use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::Value;
use url::Url;

/// What the server said.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) url: Url,
    asked: String,
}

/// A token answer (RFC 6749 §5.1).
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    refresh: Option<String>,
    pub(crate) json: Value,
}

impl Tokens {
    #[track_caller]
    pub(crate) fn refresh(&self) -> &str {
        self.refresh.as_deref().expect("the answer has a refresh token")
    }

    pub(crate) fn has_refresh(&self) -> bool {
        self.refresh.is_some()
    }
}

impl Answer {
    pub(super) async fn read(asked: String, response: Response) -> reqwest::Result<Self> {
        let (status, headers, url) = (
            response.status().as_u16(),
            response.headers().clone(),
            response.url().clone(),
        );
        let body = response.text().await?;
        let answer = Self {
            status,
            headers,
            body,
            url,
            asked,
        };
        answer.check_status();
        answer.check_oauth();
        answer.check_page();
        Ok(answer)
    }

    /// The header's text; empty when it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or("(not text)"))
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self}"))
    }

    /// Where a redirect leads, resolved.
    pub(crate) fn location(&self) -> Option<Url> {
        let location = self.headers.get("location")?.to_str().expect("Location is text");
        Some(self.url.join(location).expect("Location is a URL"))
    }

    /// The tokens of a success; everything RFC 6749 §5.1 asks of one is checked.
    #[track_caller]
    pub(crate) fn tokens(&self) -> Tokens {
        assert_eq!(self.status, 200, "{self}");
        let json = self.json();
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        assert_eq!(json["token_type"], "Bearer");
        assert!(
            json["expires_in"].is_u64(),
            "expires_in is a whole number: {self}"
        );
        assert!(
            json["created_at"].is_u64(),
            "created_at is a whole number: {self}"
        );
        assert!(json["scope"].is_string(), "scope says what was granted: {self}");
        let access = text("access_token").expect("an access token");
        assert!(
            access.starts_with("tga_") && access.len() == 47,
            "the shape of an access token: {self}"
        );
        Tokens {
            access,
            refresh: text("refresh_token"),
            json,
        }
    }

    /// Asserts an OAuth error: its status and its code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, error: &str) {
        assert_eq!(
            (self.status, self.json()["error"].as_str()),
            (status, Some(error)),
            "{self}"
        );
    }

    /// Asserts that the resource wanted a token and got none it takes (RFC 6750 §3). `error` empty: nothing
    /// was sent, so the challenge has no error either.
    #[track_caller]
    pub(crate) fn challenged(&self, status: u16, error: &str) {
        assert_eq!(self.status, status, "{self}");
        let challenge = self.header("www-authenticate");
        assert!(
            challenge.starts_with("Bearer "),
            "the challenge is {challenge:?}: {self}"
        );
        if error.is_empty() {
            assert!(!challenge.contains("error"), "the challenge is {challenge:?}");
            assert_eq!(self.json()["error"], "unauthorized");
            return;
        }
        assert!(
            challenge.contains(&format!("error=\"{error}\"")),
            "the challenge is {challenge:?}"
        );
        assert_eq!(self.json()["error"], error);
    }

    /// No input gives a 500, and a redirect never repeats a POST (RFC 9700 §4.12).
    fn check_status(&self) {
        assert!(self.status < 500 || self.status == 503, "{self}");
        assert!(
            self.status != 503 || self.headers.contains_key("retry-after"),
            "{self}"
        );
        assert!(!matches!(self.status, 301 | 307 | 308), "{self}");
    }

    /// What a machine's endpoint owes to every caller (RFC 6749 §5, RFC 7009, RFC 7662).
    fn check_oauth(&self) {
        let path = self.url.path().trim_end_matches('/');
        if !path.ends_with("/oauth/token")
            && !path.ends_with("/oauth/revoke")
            && !path.ends_with("/oauth/introspect")
            && !path.ends_with("/oauth/device_authorization")
        {
            return;
        }
        // Answered by the rules of another standard (Fetch §3.2.2), which has no body.
        if self.asked.starts_with("OPTIONS") && self.status == 204 {
            return;
        }
        assert!(
            self.header("content-type").starts_with("application/json"),
            "{self}"
        );
        assert_eq!(self.header("cache-control"), "no-store", "{self}");
        assert!(
            !path.ends_with("token") || self.header("pragma") == "no-cache",
            "{self}"
        );
        if self.asked.starts_with("HEAD") {
            return;
        }
        let json = self.json();
        assert!(!has_null(&json), "a member is null: {self}");
        if self.status == 503 {
            return;
        }
        let expected = matches!(self.status, 200 | 400 | 401 | 405 | 413 | 415 | 429);
        assert!(expected, "an OAuth endpoint answers with another status: {self}");
        assert_eq!(
            self.status >= 400,
            json["error"].is_string(),
            "an error has a code: {self}"
        );
        assert!(
            ["error", "error_description", "error_uri"]
                .iter()
                .all(|name| is_printable(&json[name])),
            "{self}"
        );
        if let Some(code) = json["error"].as_str() {
            let explained = json["error_uri"].as_str().unwrap_or_default();
            let page = format!("/oauth/errors/{code}");
            assert!(explained.ends_with(&page), "an error names its page: {self}");
        }
        let challenge = if self.status == 401 {
            "Basic realm=\"tegata\""
        } else {
            ""
        };
        assert_eq!(self.header("www-authenticate"), challenge, "{self}");
        assert_eq!(self.status == 401, json["error"] == "invalid_client", "{self}");
    }

    /// A page cannot be framed, and cannot run what was smuggled into it.
    fn check_page(&self) {
        if !self.header("content-type").starts_with("text/html") {
            return;
        }
        let policy = self.header("content-security-policy");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "the policy is {policy:?}: {}",
            self.asked
        );
        assert!(
            !policy.contains("unsafe-"),
            "the policy is {policy:?}: {}",
            self.asked
        );
        let scripts = policy
            .split("; ")
            .find(|directive| directive.starts_with("script-src"));
        let administers = self.url.path().contains("/oauth/applications");
        assert!(
            scripts == Some("script-src 'none'")
                || administers && scripts == Some("script-src 'self'")
                || self.hands_over(scripts.unwrap_or_default()),
            "the policy is {policy:?}: {}",
            self.asked
        );
        assert_eq!(self.header("x-content-type-options"), "nosniff", "{}", self.asked);
    }

    /// Whether all that these sources let run is the one line that sends the page's form.
    fn hands_over(&self, sources: &str) -> bool {
        let nonce = sources.strip_prefix("script-src 'nonce-");
        let nonce = nonce.and_then(|rest| rest.strip_suffix('\''));
        nonce.is_some_and(|nonce| {
            let script = format!("<script nonce=\"{nonce}\">document.forms[0].submit()</script>");
            nonce.len() >= 43 && self.body.contains(&script) && self.body.matches("<script").count() == 1
        })
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\n{} {:#?}\n{}",
            self.asked, self.status, self.headers, self.body
        )
    }
}

fn has_null(json: &Value) -> bool {
    match json {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

/// The characters of RFC 6749 §5.2, or nothing at all.
fn is_printable(value: &Value) -> bool {
    let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    value.as_str().is_none_or(|text| text.bytes().all(allowed))
}
