//! Redirect URIs (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1).
//!
//! All care is taken at registration: what gets in is a text that no parser can read in two ways. A
//! request's URI is then compared as a string and never taken apart, since every parsed comparison has a
//! parser that disagrees with it.

mod difference;
mod parts;
mod registration;

use std::fmt;
use std::net::Ipv4Addr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

pub use difference::Difference;
use parts::{Parts, is_port, split_port};
pub use registration::RedirectUriError;

/// A registered redirect URI.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

/// Each is a spelling of its own: they never match each other.
const LOOPBACK_IPS: [&str; 2] = ["http://127.0.0.1", "http://[::1]"];
const LOCALHOST: &str = "http://localhost";

impl RedirectUri {
    /// No redirect at all: a page shows the code.
    pub const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

    /// Takes https, http on `localhost`, `127.0.0.1` and `[::1]`, private-use schemes with a dot, and
    /// [`Self::OOB`]. The error says to people what is wrong and what would be right.
    pub fn register(text: &str) -> Result<Self, RedirectUriError> {
        registration::check(text)?;
        Ok(Self(text.to_owned()))
    }

    /// One that was registered once, perhaps under older rules. Still refuses what must never be
    /// rendered or sent: another scheme, or characters that end a header or an attribute.
    pub fn from_stored(text: String) -> Result<Self, RedirectUriError> {
        registration::check_stored(&text)?;
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_oob(&self) -> bool {
        self.0 == Self::OOB
    }

    /// Whether any port will do (RFC 8252 §7.3).
    pub fn is_loopback_ip(&self) -> bool {
        LOOPBACK_IPS
            .iter()
            .any(|origin| after_port(&self.0, origin).is_some())
    }

    /// Whether a request may ask for `asked`: the same text, save the port of http on a loopback IP, and
    /// on `localhost` where `localhost_any_port`.
    pub fn matches(&self, asked: &str, localhost_any_port: bool) -> bool {
        let any_port = |origin: &str| {
            let registered = after_port(&self.0, origin);
            registered.is_some() && registered == after_port(asked, origin)
        };
        asked == self.0
            || LOOPBACK_IPS.into_iter().any(any_port)
            || (localhost_any_port && any_port(LOCALHOST))
    }

    /// Whether it leads to where `other` leads: the same scheme and host, and the same port save where any
    /// will do. Both are registrable, so neither has a user name or another spelling of the same host.
    pub fn stands_beside(&self, other: &Self, localhost_any_port: bool) -> bool {
        let (Some(own), Some(theirs)) = (Parts::split(&self.0), Parts::split(&other.0)) else {
            return false;
        };
        if self.is_oob() || other.is_oob() || own.scheme != theirs.scheme {
            return false;
        }
        let any_port =
            |origin: &str| after_port(&self.0, origin).is_some() && after_port(&other.0, origin).is_some();
        own.authority == theirs.authority
            || LOOPBACK_IPS.into_iter().any(any_port)
            || (localhost_any_port && any_port(LOCALHOST))
    }

    /// Where the person is sent, as a consent page names it: `host[:port]`, or the scheme of a native
    /// application.
    pub fn people_host(&self) -> String {
        if self.is_oob() {
            return "a code you copy yourself".to_owned();
        }
        match Parts::split(&self.0) {
            Some(Parts {
                scheme: "http" | "https",
                authority: Some(host),
                ..
            }) => host.to_owned(),
            Some(Parts { scheme, .. }) => scheme.to_owned(),
            None => self.0.clone(),
        }
    }

    /// See [`Self::csp_source_of`].
    pub fn csp_source(&self) -> Option<String> {
        Self::csp_source_of(&self.0)
    }

    /// Whether a form can be posted to `asked`: to nothing but the web, and only where a page's policy can
    /// name it.
    pub fn takes_posts(asked: &str) -> bool {
        Parts::split(asked).is_some_and(|parts| parts.is_web()) && Self::csp_source_of(asked).is_some()
    }

    /// What a page's `form-action` must name for the redirect to `asked` to be followed: `https://host`
    /// with its port, or `scheme:` of a native application. `None` for [`Self::OOB`] and for what cannot
    /// be named.
    ///
    /// Content Security Policy matches no IP address but 127.0.0.1 and cannot even spell an IPv6 one
    /// (CSP3 §2.3.1 and §6.7.2.8), so that the others are named by their scheme alone.
    pub fn csp_source_of(asked: &str) -> Option<String> {
        let parts = Parts::split(asked)?;
        if !parts.is_web() {
            return parts.scheme.contains('.').then(|| format!("{}:", parts.scheme));
        }
        let authority = parts.authority.filter(|authority| !authority.is_empty())?;
        if is_unmatchable_ip(split_port(authority).0) {
            return Some(format!("{}:", parts.scheme));
        }
        let nameable = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b':');
        authority
            .bytes()
            .all(nameable)
            .then(|| format!("{}://{authority}", parts.scheme))
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = RedirectUriError;

    fn try_from(text: String) -> Result<Self, RedirectUriError> {
        Self::from_stored(text)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

/// Adds the response's parameters to the query of a proven URI, which is kept byte for byte
/// (RFC 6749 §3.1.2). Everything but RFC 3986's unreserved characters is percent-encoded.
pub fn append(asked_uri: &str, params: &[(&str, &str)]) -> String {
    after('?', asked_uri, params)
}

/// Adds the response's parameters as the fragment of a proven URI, which has none of its own
/// (RFC 6749 §3.1.2 and §4.2.2).
pub fn with_fragment(asked_uri: &str, params: &[(&str, &str)]) -> String {
    after('#', asked_uri, params)
}

fn after(mark: char, asked_uri: &str, params: &[(&str, &str)]) -> String {
    let mut uri = asked_uri.to_owned();
    for (name, value) in params {
        match uri.split_once(mark) {
            None => uri.push(mark),
            Some((_, rest)) if rest.is_empty() || rest.ends_with('&') => {}
            Some(_) => uri.push('&'),
        }
        uri.extend(utf8_percent_encode(name, ENCODED));
        uri.push('=');
        uri.extend(utf8_percent_encode(value, ENCODED));
    }
    uri
}

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn is_unmatchable_ip(host: &str) -> bool {
    host.starts_with('[')
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address != Ipv4Addr::LOCALHOST)
}

/// Path and query of `text` where it is `origin`, a port or none, and nothing else before them.
fn after_port<'a>(text: &'a str, origin: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(origin)?;
    let tail = match rest.strip_prefix(':') {
        None => rest,
        Some(port) => {
            let end = port
                .bytes()
                .position(|byte| !byte.is_ascii_digit())
                .unwrap_or(port.len());
            let (port, tail) = port.split_at(end);
            is_port(port).then_some(tail)?
        }
    };
    (tail.is_empty() || tail.starts_with(['/', '?'])).then_some(tail)
}

#[cfg(test)]
mod tests;
