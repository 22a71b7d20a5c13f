//! What the record keeps of what was sent: no secret, but what tells two of them apart.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Map, Value};

use super::guard::basic;
use crate::base::form;
use crate::base::secret::SecretHash;
use crate::protocol::params::Params;
use crate::protocol::sent::harmless;
use crate::protocol::token::TokenKind;

/// Stands for what is not shown.
const HIDDEN: &str = "…";

/// Parameters and members that hold a secret. So do all that speak of a password or a secret.
const SECRETS: [&str; 16] = [
    "access_token",
    "assertion",
    "authorization",
    "client_assertion",
    "code",
    "code_verifier",
    "continue",
    "csrf_token",
    "device_code",
    "id_token",
    "refresh_token",
    "registration_access_token",
    "subject_token",
    "token",
    "user_code",
    "x-csrf-token",
];

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRETS.contains(&&*name) || name.contains("secret") || is_password(&name)
}

fn is_password(name: &str) -> bool {
    name.contains("password")
}

/// `tga_…(sha256:1f2e3d4c)`: the same for the same secret.
pub(super) fn masked(secret: &str) -> String {
    let prefix = TokenKind::ALL
        .into_iter()
        .map(TokenKind::prefix)
        .find(|prefix| secret.starts_with(prefix))
        .unwrap_or_default();
    let hash = SecretHash::of(secret);
    let beginning = hash.as_bytes().iter().take(4);
    let digest = beginning.fold(0, |digest: u32, byte| (digest << 8) | u32::from(*byte));
    format!("{prefix}{HIDDEN}(sha256:{digest:08x})")
}

/// The value of a parameter. A password is one that people made up: a part of its hash would betray it.
fn value(name: &str, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else if is_password(&name.to_ascii_lowercase()) {
        HIDDEN.to_owned()
    } else if is_secret(name) {
        masked(text)
    } else if text.contains("://") {
        address(text)
    } else {
        harmless("", text)
    }
}

/// An address, with what its query and its fragment hold masked one by one.
pub(super) fn address(text: &str) -> String {
    let (text, fragment) = split(text, '#');
    let (hierarchy, query) = split(text, '?');
    let mut shown = harmless("redirect_uri", hierarchy);
    for (mark, pairs) in [('?', query), ('#', fragment)] {
        if let Some(pairs) = pairs {
            shown.push(mark);
            let pairs: Vec<String> = pairs.split('&').map(pair).collect();
            shown.push_str(&pairs.join("&"));
        }
    }
    shown
}

fn split(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn pair(pair: &str) -> String {
    let Some((name, sent)) = pair.split_once('=') else {
        return harmless("", pair);
    };
    let decoded = |text: &str| form::decode(text.as_bytes()).unwrap_or_else(|_| text.to_owned());
    let name = decoded(name);
    let shown = value(&name, &decoded(sent));
    format!("{}={shown}", harmless("", &name))
}

/// Name and value; a list where one came several times.
pub(super) fn params(sent: &Params) -> Map<String, Value> {
    let mut shown = Map::new();
    for (name, text) in sent.pairs() {
        add(&mut shown, harmless("", name), value(name, text));
    }
    shown
}

fn add(shown: &mut Map<String, Value>, name: String, text: String) {
    let text = Value::String(text);
    match shown.get_mut(&name) {
        None => {
            shown.insert(name, text);
        }
        Some(Value::Array(several)) => several.push(text),
        Some(one) => {
            let first = one.take();
            *one = Value::Array(vec![first, text]);
        }
    }
}

/// A JSON document.
pub(super) fn json(document: Value) -> Value {
    member("", document)
}

fn member(name: &str, document: Value) -> Value {
    match document {
        Value::Object(members) => {
            let masked = |(key, inner): (String, Value)| {
                let shown = member(&key, inner);
                (harmless("", &key), shown)
            };
            Value::Object(members.into_iter().map(masked).collect())
        }
        Value::Array(elements) => {
            let masked = elements.into_iter().map(|inner| member(name, inner));
            Value::Array(masked.collect())
        }
        Value::String(text) => Value::String(value(name, &text)),
        Value::Number(number) if is_secret(name) => Value::String(value(name, &number.to_string())),
        plain => plain,
    }
}

/// Each header once, several values after one another.
pub(super) fn headers(sent: &HeaderMap) -> Map<String, Value> {
    let shown = |name: &HeaderName| {
        let values: Vec<String> = sent
            .get_all(name)
            .iter()
            .map(|value| header_value(name, value))
            .collect();
        (name.as_str().to_owned(), Value::String(values.join(", ")))
    };
    sent.keys().map(shown).collect()
}

fn header_value(name: &HeaderName, sent: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(sent.as_bytes());
    if *name == header::AUTHORIZATION || *name == header::PROXY_AUTHORIZATION {
        authorization(&text)
    } else if *name == header::COOKIE {
        let cookies: Vec<String> = text.split(';').map(|cookie| crumb(cookie.trim())).collect();
        cookies.join("; ")
    } else if *name == header::SET_COOKIE {
        let (cookie, attributes) = split(&text, ';');
        format!(
            "{};{}",
            crumb(cookie),
            harmless("", attributes.unwrap_or_default())
        )
    } else if *name == header::LOCATION || *name == header::REFERER {
        address(&text)
    } else {
        value(name.as_str(), &text)
    }
}

/// Of a cookie its name.
fn crumb(cookie: &str) -> String {
    match cookie.split_once('=') {
        Some((name, text)) => format!("{}={}", harmless("", name), masked(text)),
        None => masked(cookie),
    }
}

/// The scheme; of Basic the client too.
fn authorization(text: &str) -> String {
    let Some((scheme, credentials)) = text.split_once(' ') else {
        return masked(text);
    };
    let is_basic = scheme.eq_ignore_ascii_case("basic");
    let shown = match is_basic.then(|| basic(credentials)).flatten() {
        Some((client_id, secret)) => format!("{}:{}", harmless("", &client_id), masked(&secret)),
        None => masked(credentials),
    };
    format!("{} {shown}", harmless("", scheme))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::*;

    const TOKEN: &str = "tga_q0Yd4mV3s9XbG7hJt2LwZ8nRkP5cE1uFaT6iOyBvMxK";

    #[test]
    fn equal_secrets_are_masked_alike_and_others_differently() {
        assert_eq!(masked(TOKEN), masked(TOKEN));
        assert_ne!(masked(TOKEN), masked("tga_other"));
        assert!(masked(TOKEN).starts_with("tga_…(sha256:"));
        assert_eq!(masked("abc"), "…(sha256:ba7816bf)");
    }

    #[test]
    fn parameters_that_hold_secrets_are_masked() {
        let sent = Params::parse(
            b"grant_type=password&username=alice&password=hunter2&client_secret=abc&code=abc&state=abc\
              &scope=read&scope=write&redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fcode%3Dabc%26a%3D1",
        )
        .unwrap();
        let shown = Value::Object(params(&sent));
        assert_eq!(
            shown,
            json!({
                "grant_type": "password",
                "username": "alice",
                "password": "…",
                "client_secret": "…(sha256:ba7816bf)",
                "code": "…(sha256:ba7816bf)",
                "state": "abc",
                "scope": ["read", "write"],
                "redirect_uri": "https://app.example/cb?code=…(sha256:ba7816bf)&a=1",
            })
        );
    }

    #[test]
    fn members_that_hold_secrets_are_masked_wherever_they_stand() {
        let shown = json(json!({
            "access_token": "abc",
            "token_type": "Bearer",
            "expires_in": 3600,
            "nested": [{ "password": "hunter2", "token": 5 }],
            "verification_uri_complete": "http://localhost/oauth/device?user_code=abc",
            "stray": format!("see {TOKEN}"),
        }));
        assert_eq!(
            shown,
            json!({
                "access_token": "…(sha256:ba7816bf)",
                "token_type": "Bearer",
                "expires_in": 3600,
                "nested": [{ "password": "…", "token": masked("5") }],
                "verification_uri_complete": "http://localhost/oauth/device?user_code=…(sha256:ba7816bf)",
                "stray": "see tga_…",
            })
        );
    }

    #[test]
    fn headers_that_hold_secrets_are_masked() {
        let mut sent = HeaderMap::new();
        let basic = format!("Basic {}", STANDARD.encode("memo:abc"));
        sent.insert(header::AUTHORIZATION, basic.parse().unwrap());
        sent.append(header::COOKIE, "tegata=abc; theme=abc".parse().unwrap());
        sent.insert(header::ACCEPT, "application/json".parse().unwrap());
        sent.insert(header::LOCATION, "/login?continue=abc".parse().unwrap());
        sent.insert(header::SET_COOKIE, "tegata=abc; HttpOnly".parse().unwrap());
        assert_eq!(
            Value::Object(headers(&sent)),
            json!({
                "authorization": "Basic memo:…(sha256:ba7816bf)",
                "cookie": "tegata=…(sha256:ba7816bf); theme=…(sha256:ba7816bf)",
                "accept": "application/json",
                "location": "/login?continue=…(sha256:ba7816bf)",
                "set-cookie": "tegata=…(sha256:ba7816bf); HttpOnly",
            })
        );
        for bearer in [TOKEN, "not-base64:", "!"] {
            let shown = authorization(&format!("Bearer {bearer}"));
            assert_eq!(shown, format!("Bearer {}", masked(bearer)));
        }
    }
}
