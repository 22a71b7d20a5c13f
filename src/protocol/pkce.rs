//! Proof key for code exchange (RFC 7636), S256 only: `plain` protects nothing once the authorization
//! request is seen (RFC 9700 §2.1.1).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::OAuthError;
use super::reason::Reason;
use super::token::is_256_bits;

/// The SHA-256 of a verifier as 43 base64url characters. Never printed: nobody but the store needs it.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeChallenge(String);

impl CodeChallenge {
    /// Reads `code_challenge` and `code_challenge_method`. A missing method means `plain`
    /// (RFC 7636 §4.3) and is refused; a method without a challenge too, lest a client believe itself
    /// protected.
    pub fn parse(challenge: Option<&str>, method: Option<&str>) -> Result<Option<Self>, OAuthError> {
        let Some(challenge) = challenge else {
            return match method {
                None => Ok(None),
                Some(_) => Err(
                    OAuthError::invalid_request("Missing required parameter: code_challenge")
                        .because(Reason::PkceMissing),
                ),
            };
        };
        if method != Some("S256") {
            return Err(OAuthError::invalid_request("code_challenge_method must be S256")
                .because(Reason::PkceMethodUnsupported));
        }
        if !is_256_bits(challenge) {
            return Err(OAuthError::invalid_request(
                "code_challenge must be 43 base64url characters (SHA-256)",
            )
            .because(Reason::CodeChallengeMalformed));
        }
        Ok(Some(Self(challenge.to_owned())))
    }

    /// The challenge as stored, or `None` where the stored text is none.
    pub fn from_stored(text: String) -> Option<Self> {
        is_256_bits(&text).then_some(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `verifier` is what the challenge was made from, in constant time. Takes any printable
    /// ASCII, since a shipping client sends `+`, `/` and `=`, outside the RFC's alphabet.
    pub fn verifies(&self, verifier: &str) -> bool {
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        {
            return false;
        }
        let computed = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        computed.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for CodeChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeChallenge(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pair of RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn challenge_of(verifier: &str) -> CodeChallenge {
        CodeChallenge(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())))
    }

    #[test]
    fn the_pair_of_the_rfc_verifies() {
        let challenge = CodeChallenge::parse(Some(CHALLENGE), Some("S256"))
            .unwrap()
            .unwrap();
        assert!(challenge.verifies(VERIFIER));
        assert!(!challenge.verifies(CHALLENGE));
        assert!(!challenge.verifies(&VERIFIER.replace("dBj", "dBk")));
        assert_eq!(challenge.as_str(), CHALLENGE);
    }

    #[test]
    fn no_method_but_s256_is_taken() {
        for method in [
            None,
            Some("plain"),
            Some("s256"),
            Some("plain\ngarbage"),
            Some("S256 "),
            Some("S512"),
        ] {
            assert!(
                CodeChallenge::parse(Some(CHALLENGE), method).is_err(),
                "{method:?}"
            );
        }
    }

    #[test]
    fn a_method_without_a_challenge_is_refused_and_neither_is_fine() {
        assert!(CodeChallenge::parse(None, Some("S256")).is_err());
        assert_eq!(CodeChallenge::parse(None, None), Ok(None));
    }

    #[test]
    fn a_challenge_of_another_shape_is_refused() {
        let long = "A".repeat(10_000);
        let not_canonical = format!("{}N", &CHALLENGE[..42]);
        let padded = format!("{CHALLENGE}=");
        for challenge in [
            "",
            &CHALLENGE[..42],
            &not_canonical,
            &padded,
            &long,
            &CHALLENGE.replace('-', "+"),
        ] {
            assert!(
                CodeChallenge::parse(Some(challenge), Some("S256")).is_err(),
                "{challenge}"
            );
            assert_eq!(CodeChallenge::from_stored(challenge.to_owned()), None);
        }
    }

    #[test]
    fn a_verifier_has_43_to_128_printable_characters() {
        for (length, fits) in [(42, false), (43, true), (128, true), (129, false)] {
            let verifier = "a".repeat(length);
            assert_eq!(challenge_of(&verifier).verifies(&verifier), fits, "{length}");
        }
        for outside in ["\n", "\0", "\u{7f}", "é"] {
            let verifier = format!("{}{outside}", "a".repeat(50));
            assert!(!challenge_of(&verifier).verifies(&verifier), "{outside:?}");
        }
    }

    #[test]
    fn a_verifier_in_plain_base64_is_taken() {
        let verifier = format!("{}+/==", "a".repeat(40));
        assert!(challenge_of(&verifier).verifies(&verifier));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", challenge_of(VERIFIER)), "CodeChallenge(***)");
    }
}
