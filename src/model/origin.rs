//! Web origins (RFC 6454): where a browser application is served from.

use std::borrow::Borrow;
use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// `scheme://host[:port]` as a browser writes it in `Origin` (RFC 6454 §7): https, or http on loopback;
/// lower case, without a default port. Never `null`, which every sandboxed page sends, and no wildcard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

impl Origin {
    const LONGEST: usize = 300;

    /// Reads what a person typed: any spelling of an origin, a slash at the end included.
    ///
    /// # Errors
    /// A sentence for the person who typed it.
    pub fn register(text: &str) -> Result<Self, InvalidOrigin> {
        let wrong = |why| InvalidOrigin {
            text: text.chars().take(Self::LONGEST).collect(),
            why,
        };
        if text.len() > Self::LONGEST || text.contains(['*', '\\', '@']) {
            return Err(wrong("name one scheme and host, as https://app.example"));
        }
        let url = Url::parse(text).map_err(|_| wrong("write it with its scheme, as https://app.example"))?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong(
                "leave the path away: an origin is scheme, host and port alone",
            ));
        }
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(wrong("name a host, as https://app.example")),
        };
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            _ => return Err(wrong("use https, or http with localhost for development")),
        }
        Ok(Self(url.origin().ascii_serialization()))
    }

    /// Whether it is what a browser sent: compared byte for byte (RFC 6454 §5).
    pub fn is(&self, sent: &str) -> bool {
        self.0 == sent
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Both order and hash by the text.
impl Borrow<str> for Origin {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Origin {
    type Error = InvalidOrigin;

    fn try_from(text: String) -> Result<Self, InvalidOrigin> {
        Self::register(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

/// A text that is no origin that may be allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidOrigin {
    text: String,
    why: &'static str,
}

impl fmt::Display for InvalidOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not allowed: {}.", self.text.escape_debug(), self.why)
    }
}

impl std::error::Error for InvalidOrigin {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_origin_are_kept_as_a_browser_sends_it() {
        for (typed, kept) in [
            ("https://app.example", "https://app.example"),
            ("HTTPS://App.Example:443/", "https://app.example"),
            ("https://app.example:8443", "https://app.example:8443"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://ふじ.example", "https://xn--v8ji.example"),
        ] {
            let origin = Origin::register(typed).map(String::from);
            if kept.contains("xn--") {
                assert!(origin.unwrap().starts_with("https://xn--"));
            } else {
                assert_eq!(origin.unwrap(), kept, "{typed}");
            }
        }
    }

    #[test]
    fn what_is_no_single_trustworthy_origin_is_refused() {
        for typed in [
            "",
            "null",
            "*",
            "https://*.example",
            "app.example",
            "http://app.example",
            "https://app.example/path",
            "https://app.example/?q",
            "https://app.example/#f",
            "https://user@app.example",
            "file:///",
            "com.example.app:/",
            "https://",
            "https://app.example\\@evil.example",
        ] {
            assert!(Origin::register(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn a_sent_origin_is_compared_byte_for_byte() {
        let origin = Origin::register("https://app.example").unwrap();
        assert!(origin.is("https://app.example"));
        for sent in [
            "https://app.example/",
            "https://APP.example",
            "https://app.example.evil",
            "null",
            "",
        ] {
            assert!(!origin.is(sent), "{sent}");
        }
    }
}
