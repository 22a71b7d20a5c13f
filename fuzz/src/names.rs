//! Names on the wire: client ids, opaque values with their prefixes, grant types, user names. What is
//! accepted has one writing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tegata::base::form;
use tegata::model::client_id::ClientId;
use tegata::model::grant_type::GrantType;
use tegata::model::user::{Username, username_key};
use tegata::protocol::token::TokenKind;

use super::assert_printable;

pub fn holds(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    client_id(text);
    token(text);
    grant_type(text);
    username(text);
}

fn client_id(text: &str) {
    let id = match ClientId::parse(text) {
        Ok(id) => id,
        Err(error) => return assert_printable(&error.to_string()),
    };
    assert_eq!(id.as_str(), text);
    assert_eq!(form::decode(text.as_bytes()).as_deref(), Ok(text));
    let json = serde_json::to_string(&id).unwrap();
    assert_eq!(json, format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<ClientId>(&json).unwrap(), id);
}

fn token(text: &str) {
    let Some(kind) = TokenKind::parse(text) else {
        return;
    };
    let body = text.strip_prefix(kind.prefix()).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(body).unwrap();
    assert_eq!(bytes.len(), 32);
    assert_eq!(
        format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes)),
        text
    );
    let others = TokenKind::ALL.into_iter().filter(|other| *other != kind);
    assert!(others.into_iter().all(|other| !text.starts_with(other.prefix())));
}

fn grant_type(text: &str) {
    match GrantType::parse(text) {
        Ok(grant) => assert!(text == grant.name() || text == grant.wire()),
        Err(error) => assert_printable(&error.to_string()),
    }
}

fn username(text: &str) {
    let key = username_key(text);
    assert!(key.chars().count() <= 256);
    assert_eq!(username_key(&key), key, "{text:?}");
    if let Ok(name) = Username::parse(text) {
        assert_eq!(Username::parse(name.as_str()), Ok(name.clone()));
        assert_eq!(name.key(), key, "{text:?}");
        assert_printable(name.as_str());
        assert!(!name.as_str().contains(char::is_whitespace));
    }
}
