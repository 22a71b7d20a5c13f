//! The public keys of an application (RFC 7517), as far as they prove a client by its certificate
//! (RFC 8705 §2.2).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;

/// Most keys of a set, most bytes of it as text.
const MOST: usize = 10;
const LARGEST: usize = 16 * 1024;
/// Members of keys that are nobody's but their owner's (RFC 7518 §6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// What a key of the set says of the certificate that proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// It is this one: DER, the first of `x5c`.
    Certificate(Vec<u8>),
    /// It has this key: the DER of its `SubjectPublicKeyInfo`.
    Public(Vec<u8>),
}

/// The keys of a set that are for signatures.
///
/// # Errors
/// What is wrong, in words.
pub fn keys(set: &Value) -> Result<Vec<Key>, String> {
    if set.to_string().len() > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    if holds_nul(set) {
        return Err("it holds the character U+0000, which cannot be kept".to_owned());
    }
    let Some(listed) = set.get("keys").and_then(Value::as_array) else {
        return Err("it is a JSON object with the member keys, an array".to_owned());
    };
    if listed.len() > MOST {
        return Err(format!("it has more than {MOST} keys"));
    }
    let mut keys = Vec::new();
    for (at, jwk) in listed.iter().enumerate() {
        if PRIVATE.iter().any(|member| jwk.get(member).is_some()) {
            return Err(format!(
                "key {at} holds what is secret: give the public part alone, and make a new key"
            ));
        }
        if jwk.get("use").is_none_or(|purpose| purpose == "sig") {
            keys.push(key(jwk).map_err(|why| format!("key {at}: {why}"))?);
        }
    }
    if keys.is_empty() {
        return Err("it has no key for signatures".to_owned());
    }
    Ok(keys)
}

/// In a text or the name of a member, anywhere: Postgres keeps none (`jsonb`).
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn key(jwk: &Value) -> Result<Key, String> {
    if let Some(chain) = jwk.get("x5c") {
        let first = chain.get(0).and_then(Value::as_str);
        let der = first.and_then(|text| STANDARD.decode(text).ok());
        return der
            .map(Key::Certificate)
            .ok_or_else(|| "x5c is an array of certificates in base64".to_owned());
    }
    let member = |name: &str| {
        let text = jwk.get(name).and_then(Value::as_str);
        text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
            .filter(|bytes| !bytes.is_empty())
            .ok_or_else(|| format!("{name} is missing, or no base64url"))
    };
    let curve = jwk.get("crv").and_then(Value::as_str).unwrap_or_default();
    match jwk.get("kty").and_then(Value::as_str) {
        Some("RSA") => Ok(Key::Public(rsa(&member("n")?, &member("e")?))),
        Some("EC") => elliptic(curve, &member("x")?, &member("y")?).map(Key::Public),
        Some("OKP") => edwards(curve, &member("x")?).map(Key::Public),
        _ => Err("kty is RSA, EC or OKP".to_owned()),
    }
}

const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let numbers = [integer(modulus), integer(exponent)].concat();
    subject_public_key_info(RSA, &tagged(0x30, &numbers))
}

fn elliptic(curve: &str, x: &[u8], y: &[u8]) -> Result<Vec<u8>, String> {
    let (algorithm, length): (&[u8], _) = match curve {
        "P-256" => (
            b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
            32,
        ),
        "P-384" => (
            b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22",
            48,
        ),
        "P-521" => (
            b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23",
            66,
        ),
        _ => return Err("crv is P-256, P-384 or P-521".to_owned()),
    };
    if x.len() != length || y.len() != length {
        return Err(format!("x and y have {length} bytes on {curve}"));
    }
    Ok(subject_public_key_info(algorithm, &[&[4], x, y].concat()))
}

fn edwards(curve: &str, x: &[u8]) -> Result<Vec<u8>, String> {
    let (algorithm, length): (&[u8], _) = match curve {
        "Ed25519" => (b"\x30\x05\x06\x03\x2b\x65\x70", 32),
        "Ed448" => (b"\x30\x05\x06\x03\x2b\x65\x71", 57),
        _ => return Err("crv is Ed25519 or Ed448".to_owned()),
    };
    if x.len() != length {
        return Err(format!("x has {length} bytes on {curve}"));
    }
    Ok(subject_public_key_info(algorithm, x))
}

/// RFC 5280 §4.1: the algorithm, and the key as a bit string of whole bytes.
fn subject_public_key_info(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = tagged(3, &[&[0], key].concat());
    tagged(0x30, &[algorithm, &bits].concat())
}

/// An INTEGER that is not negative.
fn integer(big_endian: &[u8]) -> Vec<u8> {
    let zeros = big_endian.iter().take_while(|&&byte| byte == 0).count();
    let digits = &big_endian[zeros..];
    let sign: &[u8] = match digits.first() {
        Some(first) if *first < 0x80 => &[],
        _ => &[0],
    };
    tagged(2, &[sign, digits].concat())
}

/// DER: tag, length, value.
fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let zeros = length.iter().take_while(|&&byte| byte == 0).count();
    let mut der = vec![tag];
    match (&length[zeros..], u8::try_from(value.len())) {
        (_, Ok(short)) if short < 0x80 => der.push(short),
        (digits, _) => {
            der.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
            der.extend(digits);
        }
    }
    der.extend(value);
    der
}

#[cfg(test)]
mod tests {
    use rcgen::{KeyPair, PublicKeyData};
    use serde_json::json;

    use super::*;

    fn encoded(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn one(jwk: &Value) -> Result<Key, String> {
        keys(&json!({ "keys": [jwk] })).map(|keys| keys[0].clone())
    }

    #[test]
    fn a_bare_key_is_the_key_of_a_certificate() {
        let pair = KeyPair::generate().unwrap();
        let (x, y) = pair.der_bytes()[1..].split_at(32);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y) });
        assert_eq!(one(&jwk), Ok(Key::Public(pair.subject_public_key_info())));

        let pair = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.der_bytes()) });
        assert_eq!(one(&jwk), Ok(Key::Public(pair.subject_public_key_info())));

        let pair = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
        let (x, y) = pair.der_bytes()[1..].split_at(48);
        let jwk = json!({ "kty": "EC", "crv": "P-384", "x": encoded(x), "y": encoded(y) });
        assert_eq!(one(&jwk), Ok(Key::Public(pair.subject_public_key_info())));
    }

    #[test]
    fn an_rsa_key_is_written_as_certificates_have_it() {
        let jwk = json!({ "kty": "RSA", "n": encoded(&[0x80; 256]), "e": "AQAB" });
        let Ok(Key::Public(der)) = one(&jwk) else { panic!() };
        assert_eq!(der[..4], [0x30, 0x82, 0x01, 0x22]);
        assert_eq!(der[der.len() - 5..], [0x02, 0x03, 1, 0, 1]);
        assert_eq!(der.len(), 294);
    }

    #[test]
    fn a_certificate_goes_before_the_key_beside_it() {
        let jwk = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "x5c": ["AAEC"] });
        assert_eq!(one(&jwk), Ok(Key::Certificate(vec![0, 1, 2])));
    }

    #[test]
    fn keys_for_encryption_prove_nothing() {
        let encryption = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "enc" });
        let signature = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "use": "sig" });
        assert!(one(&encryption).is_err());
        assert_eq!(
            keys(&json!({ "keys": [encryption, signature] })).unwrap().len(),
            1
        );
    }

    #[test]
    fn what_is_no_set_of_public_keys_is_refused_in_words() {
        let ec = |x: &str| json!({ "kty": "EC", "crv": "P-256", "x": x, "y": encoded(&[1; 32]) });
        for wrong in [
            json!({ "kty": "oct", "k": "AQAB" }),
            json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB" }),
            json!({ "kty": "RSA", "n": "AQAB" }),
            json!({ "kty": "RSA", "n": "A=", "e": "AQAB" }),
            json!({ "kty": "EC", "crv": "secp256k1", "x": "AQAB", "y": "AQAB" }),
            json!({ "kty": "OKP", "crv": "X25519", "x": encoded(&[1; 32]) }),
            json!({ "x5c": [] }),
            json!({ "x5c": ["_-"] }),
            json!([]),
            json!(null),
            ec(&encoded(&[1; 31])),
        ] {
            assert!(one(&wrong).is_err_and(|why| why.len() > 10), "{wrong}");
        }
        for wrong in [
            json!(null),
            json!([]),
            json!({ "keys": {} }),
            json!({ "keys": [] }),
        ] {
            assert!(keys(&wrong).is_err(), "{wrong}");
        }
        let many = vec![ec(&encoded(&[1; 32])); 11];
        assert!(keys(&json!({ "keys": many })).is_err());
        assert!(keys(&json!({ "keys": [], "x": "a".repeat(20_000) })).is_err());
    }

    #[test]
    fn a_nul_anywhere_in_a_set_is_refused() {
        let set = |place: &str| {
            let text =
                r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"1","deep":[{"2":["3"]}]}],"4":"5"}"#;
            let quoted = format!("\"{place}\"");
            keys(&serde_json::from_str(&text.replace(&quoted, r#""a\u0000""#)).unwrap())
        };
        assert!(set("6").is_ok());
        for place in ["1", "2", "3", "4", "5"] {
            assert!(set(place).is_err_and(|why| why.contains("U+0000")), "{place}");
        }
    }
}
