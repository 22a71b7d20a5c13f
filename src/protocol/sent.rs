//! What a client sent, made fit to be kept and shown: no secret, no control character, no end of it.

use super::token::TokenKind;

/// Characters that are kept.
const LONGEST: usize = 500;
/// Stands for what was left out.
const LEFT_OUT: &str = "…";
/// So many characters after one of our prefixes are a secret of ours, or the larger part of one.
const SECRET: usize = 16;

/// The value of a parameter that may be kept. Of an address the user name, the values of the query and the
/// fragment are left out: a code or a token may be in them. One of our own secrets, sent where it does not
/// belong, is left out too. What does not show is escaped.
pub fn harmless(parameter: &str, value: &str) -> String {
    let shown = match parameter {
        "redirect_uri" | "resource" => address(value),
        _ => value.to_owned(),
    };
    cut(&visible(&without_secrets(&shown)))
}

/// An address without what may be secret in it.
pub fn address(text: &str) -> String {
    let (text, fragment) = text
        .split_once('#')
        .map_or((text, false), |(text, _)| (text, true));
    let (hierarchy, query) = text
        .split_once('?')
        .map_or((text, None), |(hierarchy, query)| (hierarchy, Some(query)));
    let mut kept = without_user(without_encoded_query(hierarchy).as_ref());
    if let Some(query) = query {
        let pairs: Vec<String> = query.split('&').map(without_value).collect();
        kept.push('?');
        kept.push_str(&pairs.join("&"));
    }
    if fragment {
        kept.push('#');
        kept.push_str(LEFT_OUT);
    }
    kept
}

/// An address that was encoded once too often hides its query in the path.
fn without_encoded_query(hierarchy: &str) -> String {
    let lower = hierarchy.to_ascii_lowercase();
    let at = ["%3f", "%23", "%253f", "%2523"]
        .iter()
        .filter_map(|escape| lower.find(escape))
        .min();
    match at {
        Some(at) => format!("{}{LEFT_OUT}", &hierarchy[..at]),
        None => hierarchy.to_owned(),
    }
}

/// In every segment, since what a browser takes for the authority depends on the browser; slashes and
/// backslashes both end one.
fn without_user(hierarchy: &str) -> String {
    let segment = |segment: &str| match segment.rfind('@') {
        Some(at) if at > 0 => format!("{LEFT_OUT}{}", &segment[at..]),
        _ => segment.to_owned(),
    };
    hierarchy.split_inclusive(['/', '\\']).map(segment).collect()
}

fn without_value(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, "")) => format!("{name}="),
        Some((name, _)) => format!("{name}={LEFT_OUT}"),
        None if pair.is_empty() => String::new(),
        None => LEFT_OUT.to_owned(),
    }
}

fn without_secrets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, prefix)) = first_prefix(rest) {
        let (before, after) = rest.split_at(at + prefix.len());
        kept.push_str(before);
        let secret = after
            .find(|character: char| !(character.is_ascii_alphanumeric() || matches!(character, '-' | '_')))
            .unwrap_or(after.len());
        if secret >= SECRET {
            kept.push_str(LEFT_OUT);
            rest = &after[secret..];
        } else {
            rest = after;
        }
    }
    kept.push_str(rest);
    kept
}

fn first_prefix(text: &str) -> Option<(usize, &'static str)> {
    TokenKind::ALL
        .into_iter()
        .filter_map(|kind| Some((text.find(kind.prefix())?, kind.prefix())))
        .min()
}

/// Letters, digits and printable ASCII as they are; whatever steers a terminal, a log or the direction of
/// text as `\u{…}`.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, ' '..='~' | '…') || character.is_alphanumeric() {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    shown
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}{LEFT_OUT}", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_keeps_what_is_compared_and_loses_what_may_be_secret() {
        let cases = [
            ("https://app.example/cb", "https://app.example/cb"),
            ("https://app.example:8443/cb/?", "https://app.example:8443/cb/?"),
            (
                "https://app.example/cb?code=x&a=&b&&c=d=e",
                "https://app.example/cb?code=…&a=&…&&c=…",
            ),
            (
                "https://app.example/cb#access_token=x",
                "https://app.example/cb#…",
            ),
            ("https://app.example/?a#b?c", "https://app.example/?…#…"),
            (
                "https://user:password@app.example/@me",
                "https://…@app.example/@me",
            ),
            ("https://a@b@app.example", "https://…@app.example"),
            (
                r"https:\\user:password@app.example\cb",
                r"https:\\…@app.example\cb",
            ),
            ("//user:password@app.example/", "//…@app.example/"),
            ("user:password@app.example/", "…@app.example/"),
            (" https://user:password@app.example/", " https://…@app.example/"),
            ("https:user:password@app.example/", "…@app.example/"),
            (
                "https%3A%2F%2Fapp.example%2Fcb%3Fcode%3Dx",
                "https%3A%2F%2Fapp.example%2Fcb…",
            ),
            ("com.example.app:/cb", "com.example.app:/cb"),
            ("urn:ietf:wg:oauth:2.0:oob", "urn:ietf:wg:oauth:2.0:oob"),
            ("", ""),
        ];
        for (sent, kept) in cases {
            assert_eq!(address(sent), kept, "{sent}");
        }
    }

    #[test]
    fn a_secret_of_ours_is_left_out_wherever_it_stands() {
        let secret = "q0Yd4mV3s9XbG7hJt2LwZ8nRkP5cE1uFaT6iOyBvMxK";
        for kind in TokenKind::ALL {
            let prefix = kind.prefix();
            assert_eq!(
                harmless("scope", &format!("read {prefix}{secret} write")),
                format!("read {prefix}… write")
            );
            assert_eq!(
                harmless("redirect_uri", &format!("https://app.example/{prefix}{secret}")),
                format!("https://app.example/{prefix}…")
            );
        }
        assert_eq!(harmless("scope", &format!("tga_tgs_{secret}")), "tga_…");
        assert_eq!(harmless("scope", "tga_read"), "tga_read");
    }

    #[test]
    fn what_does_not_show_is_escaped_and_the_rest_is_cut() {
        assert_eq!(
            harmless("scope", "a\r\n\u{1b}[31mb\0"),
            r"a\u{d}\u{a}\u{1b}[31mb\u{0}"
        );
        assert_eq!(harmless("scope", "a\u{202e}b\u{200b}"), r"a\u{202e}b\u{200b}");
        assert_eq!(harmless("prompt", "ふじ <b>"), "ふじ <b>");
        assert_eq!(
            harmless("scope", &"x".repeat(10_000)),
            format!("{}…", "x".repeat(500))
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn nothing_harmful_is_left(value in "\\PC{0,40}|[a-z:/\\\\@?#&=%3F\u{202e}\n]{0,60}") {
            let kept = harmless("redirect_uri", &value);
            prop_assert!(kept.chars().count() <= LONGEST + 1);
            prop_assert!(!kept.chars().any(char::is_control));
            if let Some((_, query)) = kept.split_once('?') {
                let no_value = |pair: &str| pair.split_once('=').is_none_or(|(_, value)| matches!(value, "" | "…" | "…#…" | "#…"));
                prop_assert!(query.split('&').all(no_value), "{kept}");
            }
        }
    }
}
