use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use proptest::prelude::*;

use super::*;
use crate::protocol::error::ErrorCode;

fn basic(credentials: impl AsRef<[u8]>) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

fn read(headers: &[&str], body: &str) -> Result<Presented, OAuthError> {
    let headers: Vec<_> = headers.iter().map(|header| header.as_bytes()).collect();
    presented(&headers, &Params::parse(body.as_bytes()).unwrap())
}

fn code(headers: &[&str], body: &str) -> ErrorCode {
    read(headers, body).unwrap_err().code()
}

fn exposed(presented: &Presented) -> Vec<&str> {
    presented.secrets.iter().map(Secret::expose).collect()
}

#[test]
fn basic_is_read_in_any_case() {
    for scheme in ["Basic", "basic", "BASIC"] {
        let header = basic("app:secret").replace("Basic", scheme);
        let client = read(&[&header], "").unwrap();
        assert_eq!(
            (client.client_id.as_str(), client.method),
            ("app", AuthMethod::Basic)
        );
        assert_eq!(exposed(&client), ["secret"]);
        assert!(client.was_basic);
    }
}

#[test]
fn both_halves_are_form_decoded_and_the_raw_secret_is_a_second_reading() {
    let client = read(&[&basic("my%2Dapp:a%2Bb+c:d")], "").unwrap();
    assert_eq!(client.client_id, "my-app");
    assert_eq!(exposed(&client), ["a+b c:d", "a%2Bb+c:d"]);
    let client = read(&[&basic("app:100%")], "").unwrap();
    assert_eq!(exposed(&client), ["100%"]);
    let client = read(&[&basic("app:ふじ")], "").unwrap();
    assert_eq!(exposed(&client), ["ふじ"]);
}

#[test]
fn unreadable_basic_credentials_are_an_invalid_client() {
    let headers = [
        "Basic".to_owned(),
        "Basic ".to_owned(),
        "Basic !!!".to_owned(),
        basic("no-colon"),
        basic(":secret"),
        basic("app%00:secret"),
        basic("app\0:secret"),
        basic(b"app:\xff"),
        format!("{} ", basic("app:secret")),
        format!("{},x", basic("app:secret")),
        basic("app:secret").replace("Basic ", "Basic  "),
        basic("app:secret").replace("Basic ", "Basic\t"),
        format!("Basic {}", STANDARD_NO_PAD.encode("app:secret")),
        format!("Basic {}", URL_SAFE.encode("app:???>>>")),
    ];
    for header in headers {
        assert_eq!(
            code(&[&header], "client_id=app"),
            ErrorCode::InvalidClient,
            "{header}"
        );
    }
}

#[test]
fn an_empty_basic_password_is_the_name_alone() {
    let client = read(&[&basic("app:")], "client_secret=").unwrap();
    assert_eq!(
        (client.method, client.secrets.len(), client.was_basic),
        (AuthMethod::None, 0, true)
    );
}

#[test]
fn the_body_gives_a_secret_or_a_name_alone() {
    let client = read(&[], "client_id=app&client_secret=s%2Bs").unwrap();
    assert_eq!((client.method, client.was_basic), (AuthMethod::Post, false));
    assert_eq!(exposed(&client), ["s+s"]);
    for body in ["client_id=app", "client_id=app&client_secret="] {
        let client = read(&[], body).unwrap();
        assert_eq!(
            (client.client_id.as_str(), client.method),
            ("app", AuthMethod::None)
        );
        assert!(client.secrets.is_empty());
    }
}

#[test]
fn two_mechanisms_are_an_invalid_request() {
    let header = basic("app:secret");
    let assertion = "client_assertion=x&client_assertion_type=y";
    assert_eq!(
        code(&[&header], "client_secret=secret"),
        ErrorCode::InvalidRequest
    );
    assert_eq!(
        code(&[&header], "client_id=app&client_secret=secret"),
        ErrorCode::InvalidRequest
    );
    assert_eq!(
        code(&[&basic("app:")], "client_secret=secret"),
        ErrorCode::InvalidRequest
    );
    assert_eq!(code(&[&header], assertion), ErrorCode::InvalidRequest);
    assert_eq!(
        code(&[], &format!("client_id=app&client_secret=s&{assertion}")),
        ErrorCode::InvalidRequest
    );
    assert_eq!(code(&[&header, &header], ""), ErrorCode::InvalidRequest);
    assert_eq!(code(&[&header, "Bearer tga_x"], ""), ErrorCode::InvalidRequest);
}

#[test]
fn two_names_are_an_invalid_request() {
    let header = basic("app:secret");
    assert!(read(&[&header], "client_id=app").is_ok());
    assert_eq!(code(&[&header], "client_id=other"), ErrorCode::InvalidRequest);
    assert_eq!(
        code(&[], "client_id=app&client_id=other"),
        ErrorCode::InvalidRequest
    );
    assert_eq!(
        code(&[], "client_id=app&client_secret=a&client_secret=b"),
        ErrorCode::InvalidRequest
    );
}

#[test]
fn no_client_authentication_is_an_invalid_client() {
    assert_eq!(code(&[], ""), ErrorCode::InvalidClient);
    assert_eq!(code(&[], "client_secret=secret"), ErrorCode::InvalidClient);
    assert_eq!(code(&["Bearer tga_x"], ""), ErrorCode::InvalidClient);
    assert_eq!(code(&["BasicX YTpi"], ""), ErrorCode::InvalidClient);
    assert_eq!(
        code(&[], "client_id=app&client_assertion=x"),
        ErrorCode::InvalidClient
    );
}

#[test]
fn a_bearer_header_neither_proves_nor_disturbs() {
    let client = read(&["Bearer tga_x"], "client_id=app").unwrap();
    assert_eq!((client.method, client.was_basic), (AuthMethod::None, false));
}

#[test]
fn methods_have_their_registered_names() {
    for method in [AuthMethod::Basic, AuthMethod::Post, AuthMethod::None] {
        assert_eq!(serde_json::to_value(method).unwrap(), method.as_str());
    }
}

#[test]
fn debug_shows_no_secret() {
    assert!(!format!("{:?}", read(&[&basic("app:hidden")], "").unwrap()).contains("hidden"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn form_encoded_credentials_are_read(id in "[A-Za-z0-9._-]{1,30}", secret in "[^\\x00-\\x1f\\x7f]{1,40}") {
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let client = read(&[&basic(format!("{id}:{encoded}"))], "").unwrap();
        prop_assert_eq!(&client.client_id, &id);
        prop_assert!(exposed(&client).contains(&secret.as_str()));
    }

    #[test]
    fn raw_credentials_are_read(secret in "[ -~]{1,40}") {
        let client = read(&[&basic(format!("app:{secret}"))], "").unwrap();
        prop_assert!(exposed(&client).contains(&secret.as_str()));
        prop_assert_eq!(client.method, AuthMethod::Basic);
    }

    #[test]
    fn no_header_makes_it_panic_and_a_name_is_never_empty(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let params = Params::default();
        let _ = presented(&[&bytes], &params);
        if let Ok(client) = presented(&[basic(&bytes).as_bytes()], &params) {
            prop_assert!(!client.client_id.is_empty());
            prop_assert!(!client.client_id.bytes().any(|byte| byte.is_ascii_control()));
        }
    }
}
