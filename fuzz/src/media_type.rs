//! Media types: a body counts as a form only where every reader would take it for one.

use tegata::protocol::media_type::{is, prefers_json};

use super::lines;

const FORM: &str = "application/x-www-form-urlencoded";

/// `Content-Type` and `Accept`.
pub fn holds(input: &[u8]) {
    let [content_type, accept] = lines(input);
    assert!(!is(&[], FORM) && !is(&[content_type, content_type], FORM));
    for wanted in [FORM, "application/json"] {
        if is(&[content_type], wanted) {
            is_what_it_says(std::str::from_utf8(content_type).unwrap(), wanted);
        }
        let plain = [wanted.as_bytes(), b";", content_type].concat();
        let other = [b"text/plain;", content_type].concat();
        assert!(!is(&[&plain], wanted) || !content_type.contains(&0xff));
        assert!(!is(&[&other], wanted));
    }
    if prefers_json(accept) {
        let text = std::str::from_utf8(accept).unwrap();
        assert!(text.contains("json") && !text.contains("text/html"));
    }
}

fn is_what_it_says(text: &str, wanted: &str) {
    let mut pieces = text.split(';').map(|piece| piece.trim().to_ascii_lowercase());
    assert_eq!(pieces.next().as_deref(), Some(wanted));
    let charsets = pieces.filter(|piece| piece.starts_with("charset"));
    for charset in charsets {
        let (name, value) = charset.split_once('=').unwrap();
        assert!(
            name.trim() != "charset" || value.trim().trim_matches('"') == "utf-8",
            "{text:?}"
        );
    }
}
