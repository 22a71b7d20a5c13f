//! What may be registered as a redirect URI, one rule a function.

use std::borrow::Cow;
use std::fmt;

use url::Url;

use super::RedirectUri;
use super::parts::{Parts, is_port, split_port};
use crate::base::form;

/// Bytes.
const LONGEST: usize = 2000;

/// Schemes that run, read or open something in a browser or on a device. All of them lack the dot that
/// private-use schemes must have; they are named for the sake of the message.
const DANGEROUS: [&str; 22] = [
    "about",
    "blob",
    "chrome",
    "content",
    "data",
    "file",
    "filesystem",
    "ftp",
    "intent",
    "jar",
    "javascript",
    "mailto",
    "resource",
    "sms",
    "ssh",
    "tel",
    "urn",
    "vbscript",
    "view-source",
    "ws",
    "wss",
    "ldap",
];

/// What the server itself adds to a redirect. A registered URI that brings one already could smuggle in a
/// code or a state of its own.
const RESERVED: [&str; 15] = [
    "access_token",
    "code",
    "error",
    "error_description",
    "error_uri",
    "expires_in",
    "id_token",
    "iss",
    "oauth_token",
    "oauth_verifier",
    "response",
    "scope",
    "session_state",
    "state",
    "token_type",
];

/// A text that cannot be registered. Displays as a sentence for people that names the value and what
/// would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUriError {
    /// The first 200 characters.
    text: String,
    reason: Cow<'static, str>,
}

impl fmt::Display for RedirectUriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not allowed: {}",
            self.text.escape_debug(),
            self.reason
        )
    }
}

impl std::error::Error for RedirectUriError {}

type Checked = Result<(), Cow<'static, str>>;

pub(super) fn check(text: &str) -> Result<(), RedirectUriError> {
    named(text, every_rule(text))
}

pub(super) fn check_stored(text: &str) -> Result<(), RedirectUriError> {
    named(
        text,
        characters(text).and_then(|()| {
            if text == RedirectUri::OOB {
                Ok(())
            } else {
                scheme(&split(text)?)
            }
        }),
    )
}

fn named(text: &str, checked: Checked) -> Result<(), RedirectUriError> {
    checked.map_err(|reason| RedirectUriError {
        text: text.chars().take(200).collect(),
        reason,
    })
}

fn every_rule(text: &str) -> Checked {
    characters(text)?;
    if text == RedirectUri::OOB {
        return Ok(());
    }
    let parts = split(text)?;
    scheme(&parts)?;
    authority(&parts)?;
    path(&parts)?;
    query(&parts)?;
    as_browsers_read_it(text, &parts)
}

/// The characters of RFC 3986 §2 and whole percent-escapes, none of which hides a control character.
fn characters(text: &str) -> Checked {
    if text.len() > LONGEST {
        return refuse("use at most 2000 characters");
    }
    if text.contains('#') {
        return refuse("leave out the fragment, `#` and what follows it");
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=%".contains(&byte);
    if !text.bytes().all(allowed) {
        return refuse(
            "percent-encode spaces, backslashes, quotes and all that is not ASCII; write a host in punycode",
        );
    }
    if !text.split('%').skip(1).all(is_visible_escape) {
        return refuse("write `%` as `%25` and encode no control characters");
    }
    Ok(())
}

/// Whether the text after a `%` begins with two hexadecimal digits of no control character.
fn is_visible_escape(after: &str) -> bool {
    let byte = after
        .get(..2)
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    byte.and_then(|digits| u8::from_str_radix(digits, 16).ok())
        .is_some_and(|byte| !byte.is_ascii_control())
}

fn split(text: &str) -> Result<Parts<'_>, Cow<'static, str>> {
    Parts::split(text).ok_or(Cow::Borrowed(
        "write the whole address, as in `https://app.example/callback`",
    ))
}

fn scheme(parts: &Parts<'_>) -> Checked {
    let lower = parts.scheme.to_ascii_lowercase();
    if DANGEROUS.contains(&lower.as_str()) {
        return refuse("use https, or a scheme of your own such as `com.example.app:/callback`");
    }
    if lower != parts.scheme {
        return refuse("write the scheme in lower case");
    }
    let labelled = lower.contains('.') && lower.split('.').all(|label| !label.is_empty());
    if !parts.is_web() && !labelled {
        return refuse(
            "a scheme of your own needs a domain name turned around, as in `com.example.app:/callback`",
        );
    }
    Ok(())
}

fn authority(parts: &Parts<'_>) -> Checked {
    let Some(authority) = parts.authority else {
        return if parts.is_web() {
            refuse("write `//` and a host after the scheme")
        } else {
            Ok(())
        };
    };
    if authority.contains('@') {
        return refuse("leave out the user name, `@` and what stands before it");
    }
    if authority.contains('*') {
        return refuse("a `*` stands for nothing here: register every host by its name");
    }
    let (host, port) = split_port(authority);
    self::host(parts, host)?;
    port.map_or(Ok(()), |port| self::port(parts, port))
}

fn host(parts: &Parts<'_>, host: &str) -> Checked {
    if host.is_empty() {
        return if parts.is_web() {
            refuse("write a host after `//`")
        } else {
            Ok(())
        };
    }
    if parts.scheme == "http" && !["localhost", "127.0.0.1", "[::1]"].contains(&host) {
        return refuse("use https, or http with localhost for development");
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return refuse("write the host in lower case");
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if !host.starts_with('[') && !host.split('.').all(is_label) {
        return refuse("write a host of letters, digits and hyphens between single dots");
    }
    Ok(())
}

fn port(parts: &Parts<'_>, port: &str) -> Checked {
    if !is_port(port) {
        return refuse("write a port from 1 to 65535, or none");
    }
    if matches!((parts.scheme, port), ("https", "443") | ("http", "80")) {
        return refuse(format!("leave out `:{port}`, it goes without saying"));
    }
    Ok(())
}

/// Nothing that a browser, a proxy or an application server may resolve to another path.
fn path(parts: &Parts<'_>) -> Checked {
    let path = parts.path;
    if parts.authority.is_none() && !path.starts_with('/') {
        return refuse("write `:/` after the scheme, as in `com.example.app:/callback`");
    }
    let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    if path.split('/').any(is_dots) {
        return refuse("write the path without `.` and `..`");
    }
    let lower = path.to_ascii_lowercase();
    if ["%2e", "%2f", "%5c", "%25"]
        .iter()
        .any(|escape| lower.contains(escape))
    {
        return refuse("write the path without encoded dots, slashes, backslashes and percent signs");
    }
    Ok(())
}

fn query(parts: &Parts<'_>) -> Checked {
    for pair in parts.query.unwrap_or_default().split('&') {
        let name = pair.split('=').next().unwrap_or_default();
        let name = form::decode(name.as_bytes()).map_err(|_| "write the query in UTF-8")?;
        if RESERVED.contains(&name.as_str()) {
            return refuse(format!("leave out `{name}` in the query, the answer brings it"));
        }
    }
    Ok(())
}

/// The WHATWG parser must read back exactly what is written; it would mend the rest in silence. Only the
/// slash of an empty path may be missing.
fn as_browsers_read_it(text: &str, parts: &Parts<'_>) -> Checked {
    let read = Url::parse(text).map_err(|error| format!("a browser cannot read it ({error})"))?;
    let with_slash = || match (parts.authority, parts.query) {
        (Some(host), Some(query)) => format!("{}://{host}/?{query}", parts.scheme),
        (Some(host), None) => format!("{}://{host}/", parts.scheme),
        (None, _) => String::new(),
    };
    if read.as_str() == text || (parts.path.is_empty() && read.as_str() == with_slash()) {
        return Ok(());
    }
    refuse(format!("a browser reads it as `{read}`, register that"))
}

fn refuse(reason: impl Into<Cow<'static, str>>) -> Checked {
    Err(reason.into())
}

#[cfg(test)]
mod tests;
