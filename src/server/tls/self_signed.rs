//! A certificate of one's own, for trying TLS out: nobody vouches for it.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, Error, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// Long enough to try something out, too short to be forgotten in earnest.
const LIFETIME: Duration = Duration::days(90);
/// For clients whose clock is behind.
const EARLIER: Duration = Duration::hours(1);

/// A certificate and its key, both PEM.
#[derive(Debug)]
pub struct SelfSigned {
    pub certificate: String,
    pub key: Zeroizing<String>,
    pub not_after: OffsetDateTime,
    /// SHA-256 of the certificate's DER.
    pub fingerprint: [u8; 32],
}

/// For `names`, which are DNS names and IP addresses; ECDSA with P-256.
///
/// # Errors
/// A name that no certificate can have.
pub fn create(names: &[String], now: OffsetDateTime) -> Result<SelfSigned, Error> {
    let mut wanted = CertificateParams::new(names)?;
    wanted.not_before = now - EARLIER;
    wanted.not_after = now + LIFETIME;
    wanted.distinguished_name = DistinguishedName::new();
    let subject = "Tegata, self-signed for trying out";
    wanted.distinguished_name.push(DnType::CommonName, subject);
    wanted.is_ca = IsCa::ExplicitNoCa;
    wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = wanted.self_signed(&key)?;
    Ok(SelfSigned {
        fingerprint: Sha256::digest(certificate.der()).into(),
        certificate: certificate.pem(),
        key: Zeroizing::new(key.serialize_pem()),
        not_after: wanted.not_after,
    })
}
