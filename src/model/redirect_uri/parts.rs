//! A URI taken apart as RFC 3986 §3 has it, without touching a byte.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) scheme: &'a str,
    /// What stands between `//` and the path.
    pub(super) authority: Option<&'a str>,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// `None` where there is no scheme. A fragment is not looked for.
    pub(super) fn split(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme))?;
        let (hierarchy, query) = match rest.split_once('?') {
            Some((hierarchy, query)) => (hierarchy, Some(query)),
            None => (rest, None),
        };
        let Some(after_slashes) = hierarchy.strip_prefix("//") else {
            return Some(Self {
                scheme,
                authority: None,
                path: hierarchy,
                query,
            });
        };
        let (authority, path) =
            after_slashes.split_at(after_slashes.find('/').unwrap_or(after_slashes.len()));
        Some(Self {
            scheme,
            authority: Some(authority),
            path,
            query,
        })
    }

    pub(super) fn is_web(&self) -> bool {
        matches!(self.scheme, "http" | "https")
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Host and port of an authority without userinfo. The port is what follows the colon, be it empty or
/// no number.
pub(super) fn split_port(authority: &str) -> (&str, Option<&str>) {
    let after_host = authority.find(']').map_or(0, |bracket| bracket + 1);
    match authority[after_host..].find(':') {
        Some(colon) => (
            &authority[..after_host + colon],
            Some(&authority[after_host + colon + 1..]),
        ),
        None => (authority, None),
    }
}

/// 1 to 65535, without leading zeros.
pub(super) fn is_port(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits && !text.starts_with('0') && text.parse::<u16>().is_ok()
}
