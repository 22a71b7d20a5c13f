//! `Content-Type` and `Accept` (RFC 9110 §8.3 and §12.5.1).

/// Whether the one `Content-Type` is `wanted`, in UTF-8 where it names a charset. Other parameters mean
/// nothing.
pub fn is(content_type: &[&[u8]], wanted: &str) -> bool {
    let [value] = content_type else { return false };
    let Ok(text) = std::str::from_utf8(value) else {
        return false;
    };
    let mut pieces = text.split(';').map(str::trim);
    pieces
        .next()
        .is_some_and(|kind| kind.eq_ignore_ascii_case(wanted))
        && pieces.filter(|piece| !piece.is_empty()).all(is_harmless)
}

fn is_harmless(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset")
            || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    })
}

/// `application/json` without `text/html`: a program, not a browser.
pub fn prefers_json(accept: &[u8]) -> bool {
    std::str::from_utf8(accept)
        .is_ok_and(|accept| accept.contains("application/json") && !accept.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn is_form(kinds: &[&str]) -> bool {
        let kinds: Vec<&[u8]> = kinds.iter().map(|kind| kind.as_bytes()).collect();
        is(&kinds, FORM)
    }

    #[test]
    fn a_form_is_a_form_in_utf_8_alone() {
        for kind in [
            FORM,
            "Application/X-WWW-Form-URLEncoded",
            "application/x-www-form-urlencoded; charset=UTF-8",
            "application/x-www-form-urlencoded;charset=\"utf-8\";",
            "application/x-www-form-urlencoded; boundary=x",
        ] {
            assert!(is_form(&[kind]), "{kind}");
        }
        for kind in [
            "application/json",
            "text/plain",
            "text/plain; application/x-www-form-urlencoded",
            "application/x-www-form-urlencoded; charset=utf-7",
            "application/x-www-form-urlencoded; charset =utf-7",
            "application/x-www-form-urlencoded; charset=utf-8; charset=utf-7",
            "application/x-www-form-urlencoded; charset",
            "",
        ] {
            assert!(!is_form(&[kind]), "{kind}");
        }
        assert!(!is_form(&[]));
        assert!(!is_form(&[FORM, "application/json"]));
        assert!(!is_form(&[FORM, FORM]));
    }

    #[test]
    fn a_browser_prefers_its_page() {
        assert!(prefers_json(b"application/json"));
        assert!(!prefers_json(b"text/html,application/json;q=0.9,*/*"));
        assert!(!prefers_json(b"*/*"));
        assert!(!prefers_json(b"application/json \xff"));
    }
}
