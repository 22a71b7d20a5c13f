//! What must hold whatever bytes come in: one parser a file, one function `holds` in it that panics where
//! something does not.
//!
//! The fuzz targets feed these functions, and so do the server's own tests, with the seeds of `corpus` and
//! what chance makes of them. A seed is text: where a parser takes several, one a line.
#![expect(clippy::unwrap_used, reason = "a panic is the report")]

pub mod authorize;
pub mod basic;
pub mod bearer;
pub mod certificate;
pub mod forwarded;
pub mod media_type;
pub mod names;
pub mod params;
pub mod pkce;
pub mod redirect_matching;
pub mod redirect_registration;
mod sample;
pub mod scope;
pub mod settings;
pub mod signed_request;
pub mod token_request;

/// A target and what must hold of it.
pub type Target = (&'static str, fn(&[u8]));

/// Every target, named as its file and its seeds' folder.
pub const TARGETS: [Target; 15] = [
    ("authorize", authorize::holds),
    ("basic", basic::holds),
    ("bearer", bearer::holds),
    ("certificate", certificate::holds),
    ("forwarded", forwarded::holds),
    ("media_type", media_type::holds),
    ("names", names::holds),
    ("params", params::holds),
    ("pkce", pkce::holds),
    ("redirect_matching", redirect_matching::holds),
    ("redirect_registration", redirect_registration::holds),
    ("scope", scope::holds),
    ("settings", settings::holds),
    ("signed_request", signed_request::holds),
    ("token_request", token_request::holds),
];

/// The first lines of an input, the last of them with all that is left; missing ones are empty.
fn lines<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut lines = input.splitn(N, |&byte| byte == b'\n');
    std::array::from_fn(|_| lines.next().unwrap_or_default())
}

/// As [`lines`], where the parser takes text.
fn text_lines<const N: usize>(input: &[u8]) -> Option<[&str; N]> {
    let text = std::str::from_utf8(input).ok()?;
    Some(lines(text.as_bytes()).map(|line| std::str::from_utf8(line).unwrap()))
}

/// Fit for `error_description` and a quoted string: printable ASCII, no quote and no backslash
/// (RFC 6749 §5.2).
fn assert_plain(text: &str) {
    assert!(
        text.bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')),
        "{text:?} can close a quote or end a header"
    );
    assert!(text.len() <= 300, "{text:?} is long");
}

/// Fit for a terminal and a log: nothing in it moves a cursor or starts a line.
fn assert_printable(text: &str) {
    assert!(
        !text.chars().any(char::is_control),
        "{text:?} has control characters"
    );
}
