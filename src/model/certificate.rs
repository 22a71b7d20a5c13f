//! Certificates that clients present and are registered with (RFC 8705).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::family::Fingerprint;

/// Largest certificate, in bytes of its DER.
pub const LARGEST: usize = 16 * 1024;

/// What the peer of a TLS connection proved to hold the key of: by the handshake with this server, or by the
/// word of a trusted proxy. Whether it is a good certificate is decided elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedCertificate {
    /// DER.
    pub leaf: Vec<u8>,
    /// DER of what came with it, the issuer of the leaf first.
    pub chain: Vec<Vec<u8>>,
}

impl PresentedCertificate {
    pub fn thumbprint(&self) -> Thumbprint {
        Thumbprint::of(&self.leaf)
    }
}

/// The SHA-256 of a certificate's DER: what a token is bound to. As text it is `x5t#S256` (RFC 8705 §3.1).
#[derive(Clone, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct Thumbprint(Vec<u8>);

impl Thumbprint {
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).to_vec())
    }

    pub fn to_vec(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// All its digits, in lower case.
    pub fn hexadecimal(&self) -> String {
        self.0.chunks(4).map(Fingerprint::text).collect()
    }

    /// The first eight hexadecimal digits, for people to tell certificates apart by.
    pub fn short(&self) -> String {
        Fingerprint::text(&self.0)
    }
}

/// Unpadded base64url.
impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl Serialize for Thumbprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A certificate that an application is registered with. Text and JSON have it as PEM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RegisteredCertificate(Vec<u8>);

impl RegisteredCertificate {
    /// Of the bytes of one certificate, which nobody has looked into yet.
    pub fn from_der(der: Vec<u8>) -> Self {
        Self(der)
    }

    /// Every certificate of a PEM text (RFC 7468); what stands between them is passed over.
    ///
    /// # Errors
    /// That one of them does not end, or is no base64.
    pub fn read_all(pem: &str) -> Result<Vec<Self>, BrokenPem> {
        CertificateDer::pem_slice_iter(pem.as_bytes())
            .map(|found| found.map(|der| Self(der.to_vec())).map_err(|_| BrokenPem))
            .collect()
    }

    pub fn der(&self) -> &[u8] {
        &self.0
    }
}

/// A PEM text with a certificate that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenPem;

impl fmt::Display for BrokenPem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no PEM of a certificate")
    }
}

impl std::error::Error for BrokenPem {}

impl fmt::Display for RegisteredCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = STANDARD.encode(&self.0);
        f.write_str("-----BEGIN CERTIFICATE-----\n")?;
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            writeln!(f, "{line}")?;
            rest = after;
        }
        f.write_str("-----END CERTIFICATE-----\n")
    }
}

impl From<RegisteredCertificate> for String {
    fn from(certificate: RegisteredCertificate) -> Self {
        certificate.to_string()
    }
}

impl TryFrom<String> for RegisteredCertificate {
    type Error = BrokenPem;

    fn try_from(pem: String) -> Result<Self, BrokenPem> {
        Self::read_all(&pem)?.into_iter().next().ok_or(BrokenPem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_the_hash_of_the_der_in_base64url() {
        let thumbprint = Thumbprint::of(b"");
        assert_eq!(
            thumbprint.to_string(),
            "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
        );
        assert_eq!(thumbprint.short(), "e3b0c442");
        assert_eq!(
            thumbprint.hexadecimal(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn a_registered_certificate_is_written_as_pem_and_read_back() {
        for length in [1, 47, 48, 49, 700] {
            let certificate = RegisteredCertificate::from_der(vec![7; length]);
            let pem = certificate.to_string();
            assert!(pem.lines().all(|line| line.len() <= 64), "{pem}");
            assert_eq!(RegisteredCertificate::read_all(&pem), Ok(vec![certificate]));
        }
    }

    #[test]
    fn several_certificates_stand_in_one_text_and_a_broken_one_is_told() {
        let [one, two] = [vec![1], vec![2]].map(RegisteredCertificate::from_der);
        let text = format!("subject=/CN=one\n{one}\nsubject=/CN=two\n{two}");
        assert_eq!(RegisteredCertificate::read_all(&text), Ok(vec![one, two]));
        assert_eq!(RegisteredCertificate::read_all("no certificate"), Ok(Vec::new()));
        for broken in [
            "-----BEGIN CERTIFICATE-----\nAAAA",
            "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
        ] {
            assert_eq!(
                RegisteredCertificate::read_all(broken),
                Err(BrokenPem),
                "{broken}"
            );
        }
    }
}
