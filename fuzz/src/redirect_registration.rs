//! Registering a redirect URI: what gets in reads the same to everybody, before and after the answer is
//! appended.

use tegata::model::redirect_uri::{RedirectUri, append};
use url::Url;

use super::{assert_printable, text_lines};

/// The URI, and a `state` to append.
pub fn holds(input: &[u8]) {
    let Some([text, state]) = text_lines(input) else {
        return;
    };
    if let Some(source) = RedirectUri::csp_source_of(text) {
        is_one_source(&source);
    }
    match RedirectUri::register(text) {
        Ok(uri) => is_sound(&uri, text, state),
        Err(error) => assert_printable(&error.to_string()),
    }
    if let Ok(stored) = RedirectUri::from_stored(text.to_owned()) {
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
        assert!(!text.starts_with("javascript:") && !text.starts_with("data:"));
        assert!(stored.matches(text, false));
    }
}

fn is_sound(uri: &RedirectUri, text: &str, state: &str) {
    assert_eq!(uri.as_str(), text);
    assert!(uri.matches(text, false) && uri.matches(text, true));
    assert_eq!(RedirectUri::from_stored(text.to_owned()).as_ref(), Ok(uri));
    let json = serde_json::to_string(uri).unwrap();
    assert_eq!(&serde_json::from_str::<RedirectUri>(&json).unwrap(), uri);
    assert_printable(&uri.people_host());
    if uri.is_oob() {
        return;
    }
    let read = Url::parse(text).unwrap();
    let loopback = matches!(read.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    match read.scheme() {
        "https" => assert!(read.host().is_some()),
        "http" => assert!(loopback),
        own => assert!(own.contains('.')),
    }
    assert!(read.username().is_empty() && read.password().is_none() && read.fragment().is_none());
    assert!(
        read.query_pairs()
            .all(|(name, _)| name != "state" && name != "code")
    );

    let sent = append(text, &[("code", "c"), ("state", state)]);
    assert!(sent.starts_with(text));
    let sent = Url::parse(&sent).unwrap();
    assert_eq!(
        (read.scheme(), read.host(), read.port(), read.path()),
        (sent.scheme(), sent.host(), sent.port(), sent.path())
    );
    let added: Vec<_> = sent.query_pairs().skip(read.query_pairs().count()).collect();
    assert_eq!(
        added,
        [("code".into(), "c".into()), ("state".into(), state.into())]
    );
}

/// One source of a Content Security Policy: nothing in it starts another source or directive.
fn is_one_source(source: &str) {
    assert!(
        source
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'\'' | b'"' | b'*')),
        "{source:?}"
    );
}
