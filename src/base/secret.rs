//! Values that must not be seen: made here, hashed here, never printed.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::entropy::Entropy;

/// Text that opens something: a token, a code, a password. Has no `Display`, prints as `***`, and is
/// wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `prefix` followed by 43 base64url characters that carry 256 random bits.
    pub fn generate(entropy: &Entropy, prefix: &str) -> Self {
        let mut bytes = entropy.bytes::<32>();
        let secret = Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)));
        bytes.zeroize();
        secret
    }

    /// The text itself. Every caller of this is a place where the secret leaves.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The SHA-256 of a secret of 256 random bits: what the store keeps of it. Never for passwords.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The hash as stored, or `None` where the stored bytes are not 32.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

/// In constant time.
impl PartialEq for SecretHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SecretHash {}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("#***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_secret_is_a_prefix_and_43_characters() {
        let secret = Secret::generate(&Entropy::System, "tga_");
        assert!(secret.expose().starts_with("tga_"));
        assert_eq!(secret.expose().len(), 4 + 43);
    }

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::new("tgs_hidden");
        assert_eq!(format!("{secret:?} {:?}", secret.hash()), "*** #***");
    }

    #[test]
    fn equal_texts_have_equal_hashes() {
        assert_eq!(Secret::new("a").hash(), SecretHash::of("a"));
        assert_ne!(SecretHash::of("a"), SecretHash::of("b"));
    }
}
