//! An RSA public key, as an application is registered with it for RSA-SHA1 (RFC 5849 §3.4.3).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use x509_cert::Certificate;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode, Encode, Reader, SliceReader};
use x509_cert::spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

/// `rsaEncryption` (RFC 8017, appendix A.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// Bytes of the modulus: 2048 to 8192 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;
/// Characters of a PEM text.
const LONGEST: usize = 16 * 1024;

/// A `SubjectPublicKeyInfo` in DER.
#[derive(Clone, PartialEq, Eq)]
pub struct RsaPublicKey(Vec<u8>);

impl RsaPublicKey {
    /// Reads a PEM text: a public key (`BEGIN PUBLIC KEY`) or a certificate.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(pem: &str) -> Result<Self, InvalidRsaPublicKey> {
        if pem.len() > LONGEST {
            return Err(InvalidRsaPublicKey::Unreadable);
        }
        if pem.contains("PRIVATE KEY") {
            return Err(InvalidRsaPublicKey::Private);
        }
        let der = if pem.contains("BEGIN CERTIFICATE") {
            of_certificate(pem)
        } else {
            SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes())
                .ok()
                .map(|key| key.to_vec())
        };
        let der = der.ok_or(InvalidRsaPublicKey::Unreadable)?;
        let modulus = modulus_length(&der)?;
        if !MODULUS.contains(&modulus) {
            return Err(InvalidRsaPublicKey::Length(modulus * 8));
        }
        Ok(Self(der))
    }

    pub fn as_der(&self) -> &[u8] {
        &self.0
    }

    /// What is stored, as a PEM text.
    pub fn pem(der: &[u8]) -> String {
        let text = STANDARD.encode(der);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .filter_map(|line| std::str::from_utf8(line).ok())
            .collect();
        format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            lines.join("\n")
        )
    }
}

fn of_certificate(pem: &str) -> Option<Vec<u8>> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let certificate = Certificate::from_der(&der).ok()?;
    certificate
        .tbs_certificate()
        .subject_public_key_info()
        .to_der()
        .ok()
}

/// In bytes.
fn modulus_length(der: &[u8]) -> Result<usize, InvalidRsaPublicKey> {
    let unreadable = |_| InvalidRsaPublicKey::Unreadable;
    let key = SubjectPublicKeyInfoRef::from_der(der).map_err(unreadable)?;
    if key.algorithm.oid != RSA {
        return Err(InvalidRsaPublicKey::NotRsa);
    }
    let bits = key
        .subject_public_key
        .as_bytes()
        .ok_or(InvalidRsaPublicKey::Unreadable)?;
    let mut reader = SliceReader::new(bits).map_err(unreadable)?;
    reader
        .sequence(|parts| {
            let modulus = UintRef::decode(parts)?;
            UintRef::decode(parts)?;
            Ok::<_, x509_cert::der::Error>(modulus.as_bytes().len())
        })
        .map_err(unreadable)
}

impl fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaPublicKey({} bytes)", self.0.len())
    }
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidRsaPublicKey {
    Unreadable,
    Private,
    NotRsa,
    /// In bits.
    Length(usize),
}

impl fmt::Display for InvalidRsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str(
                "This is no public key: paste the whole PEM text, from BEGIN PUBLIC KEY or BEGIN CERTIFICATE on.",
            ),
            Self::Private => f.write_str(
                "This is a private key, which nobody but the application may have. Make a new pair, and paste its \
                 public key.",
            ),
            Self::NotRsa => f.write_str("This key is not for RSA: RSA-SHA1 takes no other."),
            Self::Length(bits) => write!(f, "This key has {bits} bits: use 2048 to 8192."),
        }
    }
}

impl std::error::Error for InvalidRsaPublicKey {}
