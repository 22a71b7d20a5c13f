//! A client of OAuth 1.0a (RFC 5849), written from the RFC and from nothing of the server's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::{Request, World};

/// What a client signs by.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    pub(crate) consumer_key: String,
    pub(crate) consumer_secret: String,
    pub(crate) token: String,
    pub(crate) token_secret: String,
}

/// One call, to be signed and sent.
#[derive(Clone)]
pub(crate) struct Call {
    world: World,
    keys: Keys,
    method: String,
    /// What is signed; what is sent goes to the world's own address.
    origin: String,
    path: String,
    query: Vec<(String, String)>,
    form: Vec<(String, String)>,
    pub(crate) protocol: Vec<(String, String)>,
}

impl World {
    /// A call at this moment of the world's clock, by HMAC-SHA1.
    pub(crate) fn call(&self, keys: &Keys, method: &str, path: &str) -> Call {
        let chance = u128::from_be_bytes(tegata::base::entropy::Entropy::System.bytes());
        let now = tegata::base::clock::Clock::Steered(self.clock.clone()).now();
        let call = Call {
            world: self.clone(),
            keys: keys.clone(),
            method: method.to_owned(),
            origin: self.base_url.clone(),
            path: path.to_owned(),
            query: Vec::new(),
            form: Vec::new(),
            protocol: Vec::new(),
        };
        call.with("oauth_consumer_key", &keys.consumer_key)
            .with("oauth_token", &keys.token)
            .with("oauth_signature_method", "HMAC-SHA1")
            .with("oauth_timestamp", &now.unix_timestamp().to_string())
            .with("oauth_nonce", &format!("{chance:x}"))
            .with("oauth_version", "1.0")
    }
}

impl Call {
    /// A protocol parameter of this value instead.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let mut call = self.without(name);
        call.protocol.push((name.to_owned(), value.to_owned()));
        call
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.protocol.retain(|(known, _)| known != name);
        self
    }

    pub(crate) fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn form(mut self, name: &str, value: &str) -> Self {
        self.form.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Signed as if it went there.
    pub(crate) fn signed_for(mut self, origin: &str) -> Self {
        origin.clone_into(&mut self.origin);
        self
    }

    /// Sent to another node, which is known by the same address.
    pub(crate) fn through(self, node: &World) -> Self {
        Self {
            world: node.clone(),
            ..self
        }
    }

    /// Covers `body` by its hash.
    pub(crate) fn hashed(self, body: &str) -> Self {
        let hash = if self.value("oauth_signature_method") == "HMAC-SHA256" {
            STANDARD.encode(Sha256::digest(body))
        } else {
            STANDARD.encode(Sha1::digest(body))
        };
        self.with("oauth_body_hash", &hash)
    }

    fn value(&self, name: &str) -> &str {
        let found = self.protocol.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    fn key(&self) -> String {
        format!(
            "{}&{}",
            encoded(&self.keys.consumer_secret),
            encoded(&self.keys.token_secret)
        )
    }

    pub(crate) fn signature(&self) -> String {
        let text = self.base_string();
        match self.value("oauth_signature_method") {
            "PLAINTEXT" => self.key(),
            "HMAC-SHA256" => STANDARD.encode(mac::<Hmac<Sha256>>(&self.key(), &text)),
            _ => STANDARD.encode(mac::<Hmac<Sha1>>(&self.key(), &text)),
        }
    }

    pub(crate) fn base_string(&self) -> String {
        let all = self.query.iter().chain(&self.form).chain(&self.protocol);
        let mut pairs: Vec<(String, String)> =
            all.map(|(name, value)| (encoded(name), encoded(value))).collect();
        pairs.sort();
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let uri = format!("{}{}", self.origin, self.path);
        format!("{}&{}&{}", self.method, encoded(&uri), encoded(&pairs.join("&")))
    }

    /// With the parameters in the `Authorization` header.
    pub(crate) fn by_header(&self) -> Request {
        let signed = self.clone().with("oauth_signature", &self.signature());
        let pairs: Vec<String> = signed
            .protocol
            .iter()
            .map(|(name, value)| format!("{}=\"{}\"", encoded(name), encoded(value)))
            .collect();
        signed
            .request()
            .header("Authorization", &format!("OAuth {}", pairs.join(", ")))
    }

    /// With all of them in the query, beside an empty header.
    pub(crate) fn by_query(&self) -> Request {
        let mut signed = self.clone().with("oauth_signature", &self.signature());
        signed.query.append(&mut signed.protocol);
        signed.request().header("Authorization", "OAuth")
    }

    /// With all of them in the form.
    pub(crate) fn by_form(&self) -> Request {
        let mut signed = self.clone().with("oauth_signature", &self.signature());
        signed.form.append(&mut signed.protocol);
        signed.request()
    }

    fn request(&self) -> Request {
        let query: Vec<String> = self
            .query
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let target = format!("{}{mark}{}", self.path, query.join("&"));
        self.world.request(&self.method, &target).fields(&self.form)
    }
}

fn mac<M: Mac + KeyInit>(key: &str, text: &str) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// RFC 3986 §2.3 and RFC 5849 §3.6.
pub(crate) fn encoded(text: &str) -> String {
    use std::fmt::Write;

    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
    }
    encoded
}
