//! Bearer credentials and challenges: a token is the rest of its header, and nothing that is quoted in a
//! challenge gets out of its quotes.

use tegata::model::scope::Scopes;
use tegata::protocol::bearer::{Challenge, credentials};

use super::{assert_plain, lines};

/// An `Authorization` header, and a text that ends up in a challenge.
pub fn holds(input: &[u8]) {
    let [header, told] = lines(input);
    match credentials(&[header]) {
        Ok(Some(token)) => {
            assert_eq!([&header[..7], token.as_bytes()].concat(), header);
            assert!(header[..7].eq_ignore_ascii_case(b"bearer "));
            assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','));
        }
        Ok(None) => assert!(
            header
                .get(..7)
                .is_none_or(|start| !start.eq_ignore_ascii_case(b"bearer "))
        ),
        Err(problem) => is_well_formed(&problem.into(), &["realm", "error", "error_description"]),
    }
    let problem = credentials(&[header, header]).unwrap_err();
    is_well_formed(&problem.into(), &["realm", "error", "error_description"]);
    if let Ok(told) = std::str::from_utf8(told) {
        quotes(told);
    }
}

fn quotes(told: &str) {
    let mut names = vec!["realm", "error", "error_description"];
    let mut challenge = Challenge::invalid_token(told.to_owned());
    if let Ok(scopes) = Scopes::parse(told)
        && !scopes.is_empty()
    {
        is_well_formed(
            &Challenge::insufficient_scope(&scopes),
            &["realm", "error", "error_description", "scope"],
        );
        challenge = challenge.with_scopes(&scopes);
        names.push("scope");
    }
    names.push("resource_metadata");
    is_well_formed(&challenge.with_resource_metadata(told), &names);
}

/// `Bearer`, then `name="value"` of exactly these names.
fn is_well_formed(challenge: &Challenge, names: &[&str]) {
    assert_plain(challenge.description());
    let text = challenge.to_string();
    assert!(
        text.bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\'),
        "{text:?}"
    );
    let parameters = text.strip_prefix("Bearer ").unwrap();
    let pieces: Vec<&str> = parameters.split('"').collect();
    let written: Vec<&str> = pieces
        .chunks_exact(2)
        .map(|pair| pair[0].trim_start_matches(", ").strip_suffix('=').unwrap())
        .collect();
    assert_eq!(written, names, "{text:?}");
    assert_eq!(pieces.last(), Some(&""));
}
