//! Signature methods (RFC 5849 §3.4.2 to §3.4.4). HMAC-SHA256 is HMAC-SHA1 with another hash.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use ring::signature::{RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, UnparsedPublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use x509_cert::der::Decode;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::spki::SubjectPublicKeyInfoRef;
use zeroize::Zeroizing;

use super::base_string::encode;
use crate::base::secret::{Secret, SecretHash};

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// How a request is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureMethod {
    HmacSha1,
    HmacSha256,
    RsaSha1,
    Plaintext,
}

impl SignatureMethod {
    pub const ALL: [Self; 4] = [Self::HmacSha1, Self::HmacSha256, Self::RsaSha1, Self::Plaintext];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
            Self::RsaSha1 => "RSA-SHA1",
            Self::Plaintext => "PLAINTEXT",
        }
    }

    /// The method of that name; the case counts.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }

    /// What `oauth_body_hash` is made by: the hash of the method itself.
    pub fn body_hash(self, body: &[u8]) -> String {
        match self {
            Self::HmacSha256 => STANDARD.encode(Sha256::digest(body)),
            Self::HmacSha1 | Self::RsaSha1 | Self::Plaintext => STANDARD.encode(Sha1::digest(body)),
        }
    }
}

/// What a signature is checked with.
#[derive(Clone, Copy, Debug)]
pub struct Keys<'a> {
    pub consumer_secret: &'a Secret,
    /// `None` where there is no token yet.
    pub token_secret: Option<&'a Secret>,
    /// As `SubjectPublicKeyInfo` in DER, for RSA-SHA1.
    pub rsa_public_key: Option<&'a [u8]>,
}

impl Keys<'_> {
    /// Both secrets, encoded, with `&` between them (§3.4.2, §3.4.4).
    fn joined(&self) -> Zeroizing<String> {
        let encoded = |secret: &Secret| Zeroizing::new(encode(secret.expose().as_bytes()));
        let consumer = encoded(self.consumer_secret);
        let token = self.token_secret.map(encoded).unwrap_or_default();
        Zeroizing::new(format!("{}&{}", *consumer, *token))
    }
}

/// Whether `signature` is that of `base_string`. Takes the same time wherever it differs.
pub fn is_valid(method: SignatureMethod, keys: &Keys<'_>, base_string: &str, signature: &Secret) -> bool {
    match method {
        SignatureMethod::HmacSha1 => is_hmac::<Hmac<Sha1>>(keys, base_string, signature),
        SignatureMethod::HmacSha256 => is_hmac::<Hmac<Sha256>>(keys, base_string, signature),
        SignatureMethod::RsaSha1 => is_rsa(keys, base_string, signature),
        SignatureMethod::Plaintext => SecretHash::of(&keys.joined()) == signature.hash(),
    }
}

fn is_hmac<M: Mac + KeyInit>(keys: &Keys<'_>, base_string: &str, signature: &Secret) -> bool {
    let (Some(made), Some(sent)) = (made::<M>(keys, base_string), decoded(signature)) else {
        return false;
    };
    made.ct_eq(&sent).into()
}

fn made<M: Mac + KeyInit>(keys: &Keys<'_>, base_string: &str) -> Option<Vec<u8>> {
    let mut mac = <M as KeyInit>::new_from_slice(keys.joined().as_bytes()).ok()?;
    mac.update(base_string.as_bytes());
    Some(mac.finalize().into_bytes().to_vec())
}

fn decoded(signature: &Secret) -> Option<Vec<u8>> {
    STANDARD.decode(signature.expose()).ok()
}

fn is_rsa(keys: &Keys<'_>, base_string: &str, signature: &Secret) -> bool {
    let (Some(key), Some(sent)) = (keys.rsa_public_key.and_then(rsa_key), decoded(signature)) else {
        return false;
    };
    // Which lengths are taken is decided when a key is registered.
    UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY, key)
        .verify(base_string.as_bytes(), &sent)
        .is_ok()
}

/// The `RSAPublicKey` within (RFC 3279 §2.3.1).
fn rsa_key(spki: &[u8]) -> Option<&[u8]> {
    let spki = SubjectPublicKeyInfoRef::from_der(spki).ok()?;
    if spki.algorithm.oid != RSA_ENCRYPTION {
        return None;
    }
    spki.subject_public_key.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid(
        method: SignatureMethod,
        (consumer, token): (&str, Option<&str>),
        base_string: &str,
        signature: &str,
    ) -> bool {
        let (consumer, token) = (Secret::new(consumer), token.map(Secret::new));
        let keys = Keys {
            consumer_secret: &consumer,
            token_secret: token.as_ref(),
            rsa_public_key: None,
        };
        is_valid(method, &keys, base_string, &Secret::new(signature))
    }

    #[test]
    fn hmac_sha256_is_that_of_both_secrets() {
        // By `openssl dgst -sha256 -hmac 'a%26b&c%20d'`.
        let signature = "MJTFvISKLGxTp1UJTHqTeL/zJi+cMiZnvKxYlgBnEGA=";
        let method = SignatureMethod::HmacSha256;
        assert!(valid(method, ("a&b", Some("c d")), "GET&x&y", signature));
        assert!(!valid(method, ("a&b", Some("c+d")), "GET&x&y", signature));
        assert!(!valid(
            SignatureMethod::HmacSha1,
            ("a&b", Some("c d")),
            "GET&x&y",
            signature
        ));
    }

    #[test]
    fn plaintext_is_the_secrets_themselves_encoded() {
        let method = SignatureMethod::Plaintext;
        assert!(valid(
            method,
            ("djr9rjt0jd78jf88", Some("jjd999tj88uiths3")),
            "",
            "djr9rjt0jd78jf88&jjd999tj88uiths3"
        ));
        assert!(valid(
            method,
            ("djr9rjt0jd78jf88", Some("jjd99$tj88uiths3")),
            "",
            "djr9rjt0jd78jf88&jjd99%24tj88uiths3"
        ));
        assert!(valid(method, ("djr9rjt0jd78jf88", None), "", "djr9rjt0jd78jf88&"));
        for wrong in [
            "",
            "&",
            "djr9rjt0jd78jf88",
            "djr9rjt0jd78jf88&&",
            "djr9rjt0jd78jf88& ",
        ] {
            assert!(!valid(method, ("djr9rjt0jd78jf88", None), "", wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_signature_has_one_spelling() {
        let method = SignatureMethod::HmacSha1;
        let secrets = ("kd94hf93k423kf44", None);
        let signature = "xNTUJrCvQmJBg5TN6IaDnmJhpak=";
        assert!(valid(method, secrets, "GET&x&y", signature));
        for wrong in [
            String::new(),
            signature.trim_end_matches('=').to_owned(),
            format!("{signature}="),
            format!(" {signature}"),
            format!("{signature}\n"),
            signature.replace('+', "-").replace('/', "_") + "\0",
            signature.to_lowercase(),
        ] {
            assert!(!valid(method, secrets, "GET&x&y", &wrong), "{wrong:?}");
        }
    }

    const RSA_KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC0YjCwIfYoprq/FQO6lb3asXrxLlJFuCvtinTF5p0GxvQGu5O3gYytUvtC2JlYzypSRjVxwxrsuRcP3e641SdASwfrmzyvIgP08N4S0IFzEURkV1wp/IpH7kH41EtbmUmrXSwfNZsnQRE5SYSOhh+LcK2wyQkdgcMv11l4KoBkcwIDAQAB";
    const RSA_BASE_STRING: &str = "GET&http%3A%2F%2Fphotos.example.net%2Fphotos&file%3Dvacaction.jpg%26oauth_consumer_key%3Ddpf43f3p2l4k3l03%26oauth_nonce%3D13917289812797014437%26oauth_signature_method%3DRSA-SHA1%26oauth_timestamp%3D1196666512%26oauth_version%3D1.0%26size%3Doriginal";
    const RSA_SIGNATURE: &str = "jvTp/wX1TYtByB1m+Pbyo0lnCOLIsyGCH7wke8AUs3BpnwZJtAuEJkvQL2/9n4s5wUmUl4aCI4BwpraNx4RtEXMe5qg5T1LVTGliMRpKasKsW//e+RinhejgCuzoH26dyF8iY2ZZ/5D1ilgeijhV/vBka5twt399mXwaYdCwFYE=";

    fn valid_rsa(key: Option<&[u8]>, base_string: &str, signature: &str) -> bool {
        let keys = Keys {
            consumer_secret: &Secret::new("not used"),
            token_secret: None,
            rsa_public_key: key,
        };
        is_valid(
            SignatureMethod::RsaSha1,
            &keys,
            base_string,
            &Secret::new(signature),
        )
    }

    /// The test case that the OAuth community published for RSA-SHA1.
    #[test]
    fn rsa_sha1_is_verified_by_the_registered_key_alone() {
        let key = STANDARD.decode(RSA_KEY).unwrap();
        assert!(valid_rsa(Some(&key), RSA_BASE_STRING, RSA_SIGNATURE));
        assert!(!valid_rsa(None, RSA_BASE_STRING, RSA_SIGNATURE));
        assert!(!valid_rsa(
            Some(&key),
            &RSA_BASE_STRING.replace("GET", "PUT"),
            RSA_SIGNATURE
        ));
        assert!(!valid_rsa(Some(&key), RSA_BASE_STRING, ""));
        let mut other = key.clone();
        other[60] ^= 1;
        assert!(!valid_rsa(Some(&other), RSA_BASE_STRING, RSA_SIGNATURE));
        for broken in [&key[1..], &key[..80], b"", &[0x30; 200]] {
            assert!(!valid_rsa(Some(broken), RSA_BASE_STRING, RSA_SIGNATURE));
        }
    }

    #[test]
    fn the_methods_are_those_of_the_rfc_and_hmac_sha256() {
        for method in SignatureMethod::ALL {
            assert_eq!(SignatureMethod::parse(method.as_str()), Some(method));
        }
        for other in ["", "hmac-sha1", "RSA-SHA256", "HMAC-SHA512", "PLAINTEXT ", "none"] {
            assert_eq!(SignatureMethod::parse(other), None, "{other}");
        }
    }
}
