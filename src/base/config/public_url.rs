//! The public URL: the issuer identifier (RFC 8414 §2, RFC 9207 §2).

use std::fmt;

use url::{Host, Url};

const ALLOWED: &str = "an https URL is allowed (http on localhost, 127.0.0.1 or [::1]), \
                       without user, query, fragment and trailing slash, as https://auth.example.com";

/// Where people and applications reach this server. Kept byte for byte: it is compared as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    host: String,
    https: bool,
    origin_end: usize,
}

impl PublicUrl {
    /// # Errors
    /// Words on what is wrong and what is allowed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|_| format!("is no URL; {ALLOWED}"))?;
        let host = url.host().ok_or_else(|| format!("has no host; {ALLOWED}"))?;
        let https = url.scheme() == "https";
        let local = url.scheme() == "http" && is_loopback(&host);
        if !(https || local) {
            return Err(ALLOWED.into());
        }
        if text.ends_with('/') || text.contains(['?', '#', '@']) {
            return Err(ALLOWED.into());
        }
        let normal = url.as_str().trim_end_matches('/');
        if normal != text {
            return Err(format!("is not in its usual form; write {normal}"));
        }
        if !is_plain(url.path()) {
            return Err("its path may have letters, digits and - . _ ~ between single slashes only".into());
        }
        let path = url.path().trim_end_matches('/').len();
        Ok(Self {
            host: host.to_string(),
            https,
            origin_end: text.len() - path,
            text: text.to_owned(),
        })
    }

    /// `http://localhost:port`, or `https`, whose own port is left off.
    pub fn localhost(https: bool, port: u16) -> Self {
        let text = match (https, port) {
            (true, 443) => "https://localhost".to_owned(),
            (true, _) => format!("https://localhost:{port}"),
            (false, _) => format!("http://localhost:{port}"),
        };
        Self {
            host: "localhost".into(),
            https,
            origin_end: text.len(),
            text,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether nothing that is sent there leaves the machine: then it need not be https.
    pub fn is_loopback(&self) -> bool {
        matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }

    /// Without the port; IPv6 in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Scheme, host and port (RFC 6454).
    pub fn origin(&self) -> &str {
        self.text.split_at(self.origin_end).0
    }

    /// What stands between the origin and the server's own paths: empty, or `/auth`.
    pub fn path(&self) -> &str {
        self.text.split_at(self.origin_end).1
    }

    /// The URL of one of the server's own paths. `path` begins with a slash.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.octets() == [127, 0, 0, 1],
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Fit for a cookie's Path and for a page, unescaped.
fn is_plain(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
    path.bytes().all(plain) && !path.contains("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_issuer() {
        let url = PublicUrl::parse("https://example.com:8443/auth/main").unwrap();
        assert_eq!(url.origin(), "https://example.com:8443");
        assert_eq!(url.path(), "/auth/main");
        assert_eq!(url.host(), "example.com");
        assert!(url.is_https());
        assert_eq!(
            url.join("/oauth/token"),
            "https://example.com:8443/auth/main/oauth/token"
        );
    }

    #[test]
    fn loopback_may_go_without_tls() {
        for text in [
            "http://localhost:3801",
            "http://127.0.0.1",
            "http://[::1]:3801",
            "http://localhost/auth",
        ] {
            let url = PublicUrl::parse(text).unwrap();
            assert_eq!(url.as_str(), text);
            assert!(!url.is_https());
        }
        for (https, port, text) in [
            (false, 3801, "http://localhost:3801"),
            (true, 3801, "https://localhost:3801"),
            (true, 443, "https://localhost"),
        ] {
            assert_eq!(PublicUrl::localhost(https, port), PublicUrl::parse(text).unwrap());
        }
    }

    #[test]
    fn what_is_no_issuer_is_refused() {
        let refused = [
            "auth.example.com",
            "http://auth.example.com",
            "http://localhost.example.com",
            "http://127.0.0.2",
            "ftp://localhost",
            "javascript:alert(1)",
            "https://auth.example.com/",
            "https://auth.example.com/x/",
            "https://auth.example.com//x",
            "https://auth.example.com?",
            "https://auth.example.com?a=b",
            "https://auth.example.com#",
            "https://user:pass@auth.example.com",
            "https://@auth.example.com",
            "https://AUTH.example.com",
            "https://auth.example.com:443",
            "https://auth.example.com/a/../b",
            "https://auth.example.com/a;b",
            "https://auth.example.com/a b",
            "https://auth.example.com\\x",
            " https://auth.example.com",
            "https://bücher.example",
            "https:auth.example.com",
            "https://",
        ];
        for text in refused {
            assert!(PublicUrl::parse(text).is_err(), "{text:?}");
        }
    }
}
