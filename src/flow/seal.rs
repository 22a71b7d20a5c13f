//! What must be read again rests sealed under a key that only a presented secret gives, so that neither the
//! store nor a copy of it holds a token. The key is not the secret's stored hash: that would open it.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::base::entropy::Entropy;
use crate::base::secret::Secret;

const NONCE: usize = 12;

/// A key, and what is sealed under it is good for.
pub(super) struct Seal<'a> {
    /// Tells one use of a secret from another.
    pub(super) label: &'static [u8],
    /// Has 256 random bits: nothing here makes guessing slow.
    pub(super) secret: &'a Secret,
    /// Must be the same when it is opened.
    pub(super) bound_to: &'a str,
}

impl Seal<'_> {
    fn cipher(&self) -> Option<ChaCha20Poly1305> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, self.secret.expose().as_bytes())
            .expand(self.label, key.as_mut_slice())
            .ok()?;
        Some(ChaCha20Poly1305::new(&Key::from(*key)))
    }

    fn payload<'p>(&'p self, msg: &'p [u8]) -> Payload<'p, 'p> {
        Payload {
            msg,
            aad: self.bound_to.as_bytes(),
        }
    }

    /// `None` never in practice: then nothing is kept.
    pub(super) fn close(&self, entropy: &Entropy, plain: &[u8]) -> Option<Vec<u8>> {
        let nonce = entropy.bytes::<NONCE>();
        let sealed = self
            .cipher()?
            .encrypt(&Nonce::from(nonce), self.payload(plain))
            .ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    pub(super) fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        self.cipher()?
            .decrypt(&Nonce::from(*nonce), self.payload(sealed))
            .map(Zeroizing::new)
            .ok()
    }
}
