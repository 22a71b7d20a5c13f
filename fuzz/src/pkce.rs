//! Proof keys: a challenge is the one writing of some SHA-256, and only its own verifier fits.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tegata::protocol::pkce::CodeChallenge;

use super::{assert_plain, text_lines};

/// `code_challenge`, `code_challenge_method` and `code_verifier`.
pub fn holds(input: &[u8]) {
    let Some([challenge, method, verifier]) = text_lines(input) else {
        return;
    };
    for sent in [
        (challenge, Some(method)),
        (challenge, None),
        (challenge, Some("S256")),
    ] {
        let read = match CodeChallenge::parse(Some(sent.0), sent.1) {
            Ok(read) => read.unwrap(),
            Err(error) => {
                assert_plain(error.description());
                continue;
            }
        };
        assert_eq!(sent.1, Some("S256"));
        let digest = URL_SAFE_NO_PAD.decode(challenge).unwrap();
        assert_eq!(digest.len(), 32);
        assert_eq!(URL_SAFE_NO_PAD.encode(&digest), challenge);
        assert_eq!(read.as_str(), challenge);
        assert_eq!(
            CodeChallenge::from_stored(challenge.to_owned()),
            Some(read.clone())
        );
        assert_eq!(
            read.verifies(verifier),
            is_verifier(verifier) && made_from(verifier) == challenge
        );
        assert!(!format!("{read:?}").contains(challenge));
    }
    its_own(verifier);
}

fn its_own(verifier: &str) {
    let challenge = CodeChallenge::parse(Some(&made_from(verifier)), Some("S256"))
        .unwrap()
        .unwrap();
    assert_eq!(challenge.verifies(verifier), is_verifier(verifier));
    assert!(!challenge.verifies(&format!("{verifier}x")));
    if let Some(shorter) = verifier.get(1..) {
        assert!(!challenge.verifies(shorter));
    }
}

fn made_from(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// 43 to 128 characters (RFC 7636 §4.1), of a wider alphabet than the RFC's.
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.chars().all(|character| matches!(character, ' '..='~'))
}
