//! Absolute URIs (RFC 3986 §4.3), told from what only looks like one.

use url::Url;

/// In bytes.
const LONGEST: usize = 1000;

/// Whether `text` names one thing for everybody: an absolute URI without fragment and without user, of
/// visible ASCII; with http and https also a host.
///
/// # Errors
/// What is wrong, in words that follow the text.
pub fn absolute(text: &str) -> Result<(), &'static str> {
    if text.len() > LONGEST {
        return Err("is longer than 1000 characters");
    }
    if text.contains('#') {
        return Err("has a fragment");
    }
    if !text.bytes().all(is_uri_character) {
        return Err("has characters that no URI has");
    }
    let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)) else {
        return Err("has no scheme");
    };
    if rest.is_empty() {
        return Err("names nothing");
    }
    if matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return web(text, rest);
    }
    Ok(())
}

/// A URL reader forgives `https:host` and `https:///host`; two readers then see two hosts.
fn web(text: &str, rest: &str) -> Result<(), &'static str> {
    let authority = rest
        .strip_prefix("//")
        .and_then(|after| after.split(['/', '?']).next())
        .unwrap_or_default();
    if authority.is_empty() || Url::parse(text).is_err() {
        return Err("has no host");
    }
    if authority.contains('@') {
        return Err("has a user");
    }
    Ok(())
}

/// RFC 3986 §2: reserved, unreserved and `%`.
fn is_uri_character(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
}

/// RFC 3986 §3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absolute_uri_names_one_thing_for_everybody() {
        for text in [
            "https://api.example",
            "https://api.example/",
            "HTTPS://api.example:8443/v1?tenant=a%20b",
            "http://[::1]:3801/api/memos",
            "urn:example:cooperation-context",
            "com.example.app:thing",
        ] {
            assert_eq!(absolute(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_relative_ambiguous_or_unsafe_is_refused() {
        let long = format!("https://api.example/{}", "a".repeat(LONGEST));
        for text in [
            "",
            "api.example",
            "/api/memos",
            "//api.example/memos",
            "https:",
            "https:api.example",
            "https:///api.example",
            "https://",
            "https://?x",
            "https://api.example:port/",
            "https://user@api.example",
            "https://api.example#",
            "https://api.example/#part",
            "https://api.example/a b",
            "https://api.example/\n",
            "https://api.example/\"",
            "https://api.example\\@evil.example",
            "https://api.example/é",
            "1https://api.example",
            "ht tps://api.example",
            &long,
        ] {
            assert!(absolute(text).is_err(), "{text:?}");
        }
    }
}
