//! Client authentication: what is read from Basic credentials encodes back to what was sent, and no
//! second mechanism goes unseen.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tegata::base::form;
use tegata::base::secret::Secret;
use tegata::protocol::client_auth::{AuthMethod, Presented, presented};
use tegata::protocol::error::{ErrorCode, OAuthError};
use tegata::protocol::params::Params;

use super::{assert_plain, lines};

/// A header as sent or `client_id:client_secret`, and the body.
pub fn holds(input: &[u8]) {
    let [credentials, body] = lines(input);
    let Ok(params) = Params::parse(body) else { return };
    let encoded = format!("Basic {}", STANDARD.encode(credentials));
    for header in [credentials, encoded.as_bytes()] {
        one_mechanism(presented(&[header], &params), header, &params);
    }
    refused(&presented(&[credentials, credentials], &params).unwrap_err());
    if let Ok(client) = presented(&[], &params) {
        assert!(!client.was_basic);
        as_in_the_body(&client, &params);
    }
}

fn one_mechanism(answer: Result<Presented, OAuthError>, header: &[u8], params: &Params) {
    let client = match answer {
        Ok(client) => client,
        Err(error) => return refused(&error),
    };
    assert!(!client.client_id.is_empty());
    assert_eq!(client.secrets.is_empty(), client.method == AuthMethod::None);
    for name in ["client_id", "client_secret"] {
        assert!(!params.repeated(name));
    }
    assert_eq!(params.get("client_assertion"), None);
    assert!(params.get("client_id").is_none_or(|id| id == client.client_id));
    if !client.was_basic {
        assert!(
            header
                .get(..6)
                .is_none_or(|start| !start.eq_ignore_ascii_case(b"basic "))
        );
        return as_in_the_body(&client, params);
    }
    assert_ne!(client.method, AuthMethod::Post);
    assert_eq!(params.get("client_secret"), None);
    encodes_back(&client, header);
}

fn encodes_back(client: &Presented, header: &[u8]) {
    let sent = std::str::from_utf8(header).unwrap();
    let (scheme, encoded) = sent.split_once(' ').unwrap();
    assert!(scheme.eq_ignore_ascii_case("basic"));
    let decoded = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
    assert_eq!(STANDARD.encode(&decoded), encoded);
    let (id, password) = decoded.split_once(':').unwrap();
    assert!(client.client_id == id || form::decode(id.as_bytes()).as_ref() == Ok(&client.client_id));
    assert!(!client.client_id.bytes().any(|byte| byte.is_ascii_control()));
    match client.secrets.as_slice() {
        [] => assert!(password.is_empty()),
        [only] => assert_eq!(only.expose(), password),
        [decoded, raw] => {
            assert_eq!(raw.expose(), password);
            assert_eq!(form::decode(password.as_bytes()).as_deref(), Ok(decoded.expose()));
        }
        more => panic!("{} readings of one password", more.len()),
    }
}

fn as_in_the_body(client: &Presented, params: &Params) {
    assert_eq!(params.get("client_id"), Some(client.client_id.as_str()));
    let secrets: Vec<&str> = client.secrets.iter().map(Secret::expose).collect();
    assert_eq!(secrets, params.all("client_secret").collect::<Vec<_>>());
    assert_ne!(client.method, AuthMethod::Basic);
}

fn refused(error: &OAuthError) {
    assert!(matches!(
        error.code(),
        ErrorCode::InvalidClient | ErrorCode::InvalidRequest
    ));
    assert_plain(error.description());
}
