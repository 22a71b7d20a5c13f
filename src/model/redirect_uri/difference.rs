//! Where two redirect URIs differ, for people: a request's URI is refused by comparing texts, and this is
//! only said afterwards.

use std::ops::Range;

use super::parts::{Parts, split_port};

/// In what, and at which bytes of either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `scheme`, `host`, `port`, `path`, `trailing slash`, `query`, or one of them with `letter case of the`
    /// before it. Empty where nothing differs.
    pub parts: Vec<&'static str>,
    pub sent: Range<usize>,
    pub registered: Range<usize>,
}

impl Difference {
    pub fn between(sent: &str, registered: &str) -> Self {
        let (sent_range, registered_range) = ranges(sent, registered);
        Self {
            parts: parts(sent, registered),
            sent: sent_range,
            registered: registered_range,
        }
    }

    /// The place of the one of `registered` that is most like `sent`.
    pub fn nearest(sent: &str, registered: &[String]) -> Option<usize> {
        let alike = |uri: &str| {
            let (range, _) = ranges(sent, uri);
            sent.len() - range.len()
        };
        (0..registered.len()).max_by_key(|&at| (alike(&registered[at]), std::cmp::Reverse(at)))
    }
}

/// What stands between the common beginning and the common end.
fn ranges(one: &str, other: &str) -> (Range<usize>, Range<usize>) {
    let alike = |(a, b): &(char, char)| a == b;
    let begin: usize = one
        .chars()
        .zip(other.chars())
        .take_while(alike)
        .map(|(a, _)| a.len_utf8())
        .sum();
    let end: usize = one[begin..]
        .chars()
        .rev()
        .zip(other[begin..].chars().rev())
        .take_while(alike)
        .map(|(a, _)| a.len_utf8())
        .sum();
    (begin..one.len() - end, begin..other.len() - end)
}

fn parts(sent: &str, registered: &str) -> Vec<&'static str> {
    let (Some(sent), Some(registered)) = (Parts::split(sent), Parts::split(registered)) else {
        return if sent == registered {
            Vec::new()
        } else {
            vec!["whole address"]
        };
    };
    let (sent_host, sent_port) = authority(&sent);
    let (host, port) = authority(&registered);
    let mut found = Vec::new();
    found.extend(differs(
        sent.scheme,
        registered.scheme,
        ["scheme", "letter case of the scheme"],
    ));
    found.extend(differs(sent_host, host, ["host", "letter case of the host"]));
    found.extend((sent_port != port).then_some("port"));
    if is_slash_apart(sent.path, registered.path) {
        found.push("trailing slash");
    } else {
        found.extend(differs(
            sent.path,
            registered.path,
            ["path", "letter case of the path"],
        ));
    }
    found.extend((sent.query != registered.query).then_some("query"));
    found
}

fn authority<'a>(parts: &Parts<'a>) -> (&'a str, Option<&'a str>) {
    split_port(parts.authority.unwrap_or_default())
}

fn differs(one: &str, other: &str, names: [&'static str; 2]) -> Option<&'static str> {
    let [name, case] = names;
    if one == other {
        None
    } else if one.eq_ignore_ascii_case(other) {
        Some(case)
    } else {
        Some(name)
    }
}

fn is_slash_apart(one: &str, other: &str) -> bool {
    one.strip_suffix('/') == Some(other) || other.strip_suffix('/') == Some(one)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_part_that_differs_is_named() {
        let registered = "https://app.example/callback";
        let cases: [(&str, &[&str]); 13] = [
            (registered, &[]),
            ("http://app.example/callback", &["scheme"]),
            ("HTTPS://app.example/callback", &["letter case of the scheme"]),
            ("https://www.app.example/callback", &["host"]),
            ("https://App.example/callback", &["letter case of the host"]),
            ("https://app.example:8443/callback", &["port"]),
            ("https://app.example/other", &["path"]),
            ("https://app.example/Callback", &["letter case of the path"]),
            ("https://app.example/callback/", &["trailing slash"]),
            ("https://app.example/callback?a=…", &["query"]),
            (
                "http://app.example:80/callback/",
                &["scheme", "port", "trailing slash"],
            ),
            ("/callback", &["whole address"]),
            ("", &["whole address"]),
        ];
        for (sent, parts) in cases {
            assert_eq!(Difference::between(sent, registered).parts, parts, "{sent}");
        }
    }

    #[test]
    fn the_bytes_that_differ_are_found() {
        let found = |sent: &str, registered: &str| {
            let difference = Difference::between(sent, registered);
            (
                sent[difference.sent].to_owned(),
                registered[difference.registered].to_owned(),
            )
        };
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(
            found("https://a.example/cb/", "https://a.example/cb"),
            pair("/", "")
        );
        assert_eq!(
            found("http://a.example/cb", "https://a.example/cb"),
            pair("", "s")
        );
        assert_eq!(
            found("https://a.example/x", "https://a.example/cb"),
            pair("x", "cb")
        );
        assert_eq!(found("https://é.example", "https://è.example"), pair("é", "è"));
    }

    #[test]
    fn the_nearest_is_the_most_alike() {
        let registered =
            ["https://a.example/cb", "https://b.example/cb", "com.example:/cb"].map(str::to_owned);
        assert_eq!(Difference::nearest("https://b.example/cb/", &registered), Some(1));
        assert_eq!(Difference::nearest("com.example:/", &registered), Some(2));
        assert_eq!(Difference::nearest("", &registered), Some(0));
        assert_eq!(Difference::nearest("https://b.example/cb/", &[]), None);
    }

    proptest! {
        #[test]
        fn any_two_texts_can_be_compared(one in "\\PC{0,30}", other in "\\PC{0,30}") {
            let difference = Difference::between(&one, &other);
            let (sent, registered) = (&one[difference.sent.clone()], &other[difference.registered.clone()]);
            prop_assert_eq!(one == other, sent.is_empty() && registered.is_empty());
            prop_assert_eq!(one == other, difference.parts.is_empty());
        }
    }
}
