//! The signature base string (RFC 5849 §3.4.1).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::base::form::{self, Malformed};

/// All but the unreserved characters of RFC 3986 §2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A parameter, decoded. Bytes, since what is signed need not be UTF-8.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_debug_implementations, reason = "may be a token or a verifier")]
pub struct Parameter {
    pub name: Vec<u8>,
    pub value: Vec<u8>,
}

/// Percent-encodes (§3.6): every byte but the unreserved ones, in upper-case digits.
pub fn encode(bytes: &[u8]) -> String {
    percent_encode(bytes, RESERVED).to_string()
}

/// The parameters of a query or a form body (§3.4.1.3.1): `+` is a space, one without `=` has an empty value.
///
/// # Errors
/// A malformed percent-escape.
pub fn parameters(query_or_form: &[u8]) -> Result<Vec<Parameter>, Malformed> {
    query_or_form
        .split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let mut halves = pair.splitn(2, |&byte| byte == b'=');
            let mut half = || form::decode_bytes(halves.next().unwrap_or_default());
            Ok(Parameter {
                name: half()?,
                value: half()?,
            })
        })
        .collect()
}

/// The base string URI (§3.4.1.2): scheme and host in lower case, no default port, the path as it was sent.
/// `origin` is `scheme://authority`, `target` a path with or without a query.
pub fn uri(origin: &str, target: &str) -> String {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!(
        "{}{slash}{path}",
        without_default_port(&origin.to_ascii_lowercase())
    )
}

fn without_default_port(origin: &str) -> &str {
    let port = match origin.split_once("://") {
        Some(("http", _)) => ":80",
        Some(("https", _)) => ":443",
        _ => return origin,
    };
    origin.strip_suffix(port).unwrap_or(origin)
}

/// The parameters as they are signed (§3.4.1.3.2): encoded, then sorted by name and value.
pub fn normalized(parameters: &[Parameter]) -> String {
    let mut encoded: Vec<(String, String)> = parameters
        .iter()
        .map(|Parameter { name, value }| (encode(name), encode(value)))
        .collect();
    encoded.sort_unstable();
    let pairs: Vec<String> = encoded
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

/// The whole (§3.4.1.1): method, URI and parameters. `parameters` without `oauth_signature` and `realm`.
pub fn base_string(method: &str, uri: &str, parameters: &[Parameter]) -> String {
    format!(
        "{}&{}&{}",
        encode(method.to_ascii_uppercase().as_bytes()),
        encode(uri.as_bytes()),
        encode(normalized(parameters).as_bytes())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(query: &str) -> String {
        normalized(&parameters(query.as_bytes()).unwrap())
    }

    #[test]
    fn the_uri_has_a_lower_case_host_no_default_port_and_the_path_as_sent() {
        for (origin, target, expected) in [
            (
                "http://EXAMPLE.COM:80",
                "/r%20v/X?id=123",
                "http://example.com/r%20v/X",
            ),
            (
                "https://www.example.net:8080",
                "/?q=1",
                "https://www.example.net:8080/",
            ),
            ("HTTPS://Example.COM:443", "/a", "https://example.com/a"),
            ("http://example.com:443", "/a", "http://example.com:443/a"),
            ("https://example.com:80", "/a", "https://example.com:80/a"),
            ("https://example.com:8443", "/a", "https://example.com:8443/a"),
            ("http://example.com:8080", "/a", "http://example.com:8080/a"),
            ("http://[::1]:80", "/a", "http://[::1]/a"),
            ("http://[2001:DB8::80]", "/a", "http://[2001:db8::80]/a"),
            ("http://[::1]:3801", "/a", "http://[::1]:3801/a"),
            ("http://example.com", "", "http://example.com/"),
            ("http://example.com", "?a=b", "http://example.com/"),
            (
                "http://example.com",
                "/a//b/../c/",
                "http://example.com/a//b/../c/",
            ),
            (
                "http://example.com",
                "/%7euser/%2f+%C3%A9",
                "http://example.com/%7euser/%2f+%C3%A9",
            ),
        ] {
            assert_eq!(uri(origin, target), expected, "{origin} {target}");
        }
    }

    #[test]
    fn parameters_are_decoded_encoded_and_sorted() {
        for (query, expected) in [
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&a=10", "a=1&a=10&a=2"),
            ("a=x+y", "a=x%20y"),
            ("a=x%20y", "a=x%20y"),
            ("a=x%2By", "a=x%2By"),
            ("a=%7E%2d%2E%5F", "a=~-._"),
            ("a&b=&=c&", "=c&a=&b="),
            ("a=b=c", "a=b%3Dc"),
            ("a=%e3%81%b5", "a=%E3%81%B5"),
            ("a=ふ", "a=%E3%81%B5"),
            ("a=%ff%00", "a=%FF%00"),
            ("a=*'()!", "a=%2A%27%28%29%21"),
            // Sorted after they are encoded: `%` comes before the letters.
            ("é=1&z=2&a=3", "%C3%A9=1&a=3&z=2"),
            ("a%26=1&a=%26", "a=%26&a%26=1"),
            ("", ""),
        ] {
            assert_eq!(normal(query), expected, "{query}");
        }
    }

    #[test]
    fn a_malformed_escape_is_refused() {
        for query in ["a=%", "a=%4", "%zz=1", "a=%4g"] {
            assert!(parameters(query.as_bytes()).is_err(), "{query}");
        }
    }
}
