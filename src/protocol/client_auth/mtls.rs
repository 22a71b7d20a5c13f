//! Whether a certificate proves a client (RFC 8705 §2).
//!
//! Whoever presents it holds its key: the TLS handshake has shown that, here or at a trusted proxy. What is left
//! is whether it is a certificate of this application.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use time::OffsetDateTime;
use webpki::{EndEntityCert, Error, KeyUsage};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

use super::distinguished_name::DistinguishedName;
use super::jwks::{self, Key};
use crate::model::certificate::{LARGEST, PresentedCertificate, RegisteredCertificate, Thumbprint};
use crate::model::client_authentication::{AuthMethod, ClientAuthentication};
use crate::protocol::reason::Reason;

/// Most certificates that are looked at between a leaf and an anchor.
pub const LONGEST_CHAIN: usize = 8;
/// Most certificates that an application is registered with.
pub const MOST_CERTIFICATES: usize = 10;
/// Longest name of a certificate that is registered.
const LONGEST_NAME: usize = 500;

/// The authorities whose certificates prove clients: `tls_client_ca`.
#[derive(Clone, Default)]
pub struct Anchors(Vec<TrustAnchor<'static>>);

impl Anchors {
    /// Those of a PEM text.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(pem: &[u8]) -> Result<Self, String> {
        let mut anchors = Vec::new();
        for (at, found) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let number = at + 1;
            let der = found.map_err(|_| format!("the certificate number {number} is no PEM"))?;
            let anchor = webpki::anchor_from_trusted_cert(&der)
                .map_err(|_| format!("the certificate number {number} cannot be read"))?;
            anchors.push(anchor.to_owned());
        }
        if anchors.is_empty() {
            return Err("there is no certificate in it".to_owned());
        }
        Ok(Self(anchors))
    }
}

impl fmt::Debug for Anchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Anchors({})", self.0.len())
    }
}

/// Why a certificate proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotProven {
    pub reason: Reason,
    /// What the certificate says, where that was wrong.
    pub seen: Option<String>,
}

impl NotProven {
    fn seen(reason: Reason, seen: impl Into<String>) -> Self {
        Self {
            reason,
            seen: Some(seen.into()),
        }
    }
}

impl From<Reason> for NotProven {
    fn from(reason: Reason) -> Self {
        Self { reason, seen: None }
    }
}

/// Whether `presented` is a certificate of the application that registered `registered`.
///
/// A certificate outside its validity proves nothing, a registered one neither: RFC 8705 §2.2 leaves that open,
/// and whoever let a certificate end did so for a reason.
///
/// # Errors
/// Why it is not.
pub fn prove(
    registered: &ClientAuthentication,
    presented: &PresentedCertificate,
    anchors: &Anchors,
    now: OffsetDateTime,
) -> Result<(), NotProven> {
    let leaf = read(&presented.leaf).ok_or(Reason::CertificateUnreadable)?;
    if registered.token_endpoint_auth_method == Some(AuthMethod::SelfSignedTls) {
        is_registered(registered, &presented.leaf, &leaf)?;
        return is_within_its_validity(&leaf, now);
    }
    is_issued(presented, anchors, now)?;
    is_within_its_validity(&leaf, now)?;
    let subject = Subject::of(registered).map_err(|_| Reason::CertificateSubject)?;
    if subject.is_of(&leaf) {
        return Ok(());
    }
    Err(NotProven::seen(Reason::CertificateSubject, subject.beside(&leaf)))
}

/// Within the bounds, and all of it DER.
fn read(der: &[u8]) -> Option<Certificate> {
    if der.len() > LARGEST {
        return None;
    }
    Certificate::from_der(der).ok()
}

/// Whether `der` is a certificate that could be looked into, were it presented.
pub fn is_readable(der: &[u8]) -> bool {
    read(der).is_some()
}

fn is_registered(registered: &ClientAuthentication, der: &[u8], leaf: &Certificate) -> Result<(), NotProven> {
    let by_itself = registered.certificates.iter().any(|known| known.der() == der);
    let keys = registered.jwks.as_ref().and_then(|set| jwks::keys(set).ok());
    let key = leaf.tbs_certificate().subject_public_key_info().to_der().ok();
    let by_key = keys.into_iter().flatten().any(|known| match known {
        Key::Certificate(certificate) => certificate == der,
        Key::Public(public) => Some(public) == key,
    });
    if by_itself || by_key {
        return Ok(());
    }
    let seen = format!("{} (SHA-256 {})", subject(leaf), Thumbprint::of(der));
    Err(NotProven::seen(Reason::CertificateUnknown, seen))
}

fn is_within_its_validity(leaf: &Certificate, now: OffsetDateTime) -> Result<(), NotProven> {
    let (since, until) = validity(leaf).ok_or(Reason::CertificateUnreadable)?;
    if (since..=until).contains(&now) {
        return Ok(());
    }
    Err(NotProven::seen(
        Reason::CertificateExpired,
        format!("valid from {since} to {until}"),
    ))
}

fn validity(certificate: &Certificate) -> Option<(OffsetDateTime, OffsetDateTime)> {
    let validity = certificate.tbs_certificate().validity();
    Some((moment(validity.not_before)?, moment(validity.not_after)?))
}

fn moment(time: Time) -> Option<OffsetDateTime> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

/// A path to one of the anchors, good now, for the authentication of clients (RFC 5280 §6).
fn is_issued(
    presented: &PresentedCertificate,
    anchors: &Anchors,
    now: OffsetDateTime,
) -> Result<(), NotProven> {
    let too_much = |der: &Vec<u8>| der.len() > LARGEST;
    if presented.chain.len() > LONGEST_CHAIN || presented.chain.iter().any(too_much) {
        return Err(Reason::CertificateUnreadable.into());
    }
    let leaf = CertificateDer::from(presented.leaf.as_slice());
    let chain: Vec<_> = presented
        .chain
        .iter()
        .map(|der| CertificateDer::from(der.as_slice()))
        .collect();
    let since_epoch = Duration::from_secs(u64::try_from(now.unix_timestamp()).unwrap_or_default());
    let verified = EndEntityCert::try_from(&leaf).and_then(|leaf| {
        leaf.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors.0,
            &chain,
            UnixTime::since_unix_epoch(since_epoch),
            KeyUsage::client_auth(),
            None,
            None,
        )
        .map(drop)
    });
    verified.map_err(|error| {
        let reason = match error {
            Error::CertExpired { .. } | Error::CertNotValidYet { .. } => Reason::CertificateExpired,
            Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => Reason::CertificatePurpose,
            _ => Reason::CertificateUntrusted,
        };
        let issuer = read(&presented.leaf)
            .and_then(|leaf| DistinguishedName::of(leaf.tbs_certificate().issuer()))
            .map(|issuer| format!("issued by {issuer}"));
        NotProven { reason, seen: issuer }
    })
}

/// For whom a certificate of an authority must be (RFC 8705 §2.1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Name(DistinguishedName),
    Dns(String),
    Uri(String),
    Ip(IpAddr),
    Email(String),
}

impl Subject {
    /// The one that is registered.
    ///
    /// # Errors
    /// The fields at fault, each with what is wrong with it.
    pub fn of(registered: &ClientAuthentication) -> Result<Self, Vec<(&'static str, String)>> {
        let subjects = registered.subjects();
        let given: Vec<_> = subjects
            .iter()
            .filter_map(|(field, value)| Some((*field, (*value)?)))
            .collect();
        match given.as_slice() {
            [] => Err(vec![(
                subjects[0].0,
                "Say for whom the certificate is: its subject, or one of its alternative names.".to_owned(),
            )]),
            [(field, value)] => Self::read(field, value).map_err(|why| vec![(*field, why)]),
            [_, others @ ..] => Err(others
                .iter()
                .map(|(field, _)| {
                    let why = "Name one thing alone that the certificate is looked at for (RFC 8705 §2.1.2).";
                    (*field, why.to_owned())
                })
                .collect()),
        }
    }

    fn read(field: &str, value: &str) -> Result<Self, String> {
        if value.len() > LONGEST_NAME && field != "tls_client_auth_subject_dn" {
            return Err(format!("A name has at most {LONGEST_NAME} characters."));
        }
        let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_graphic());
        match field {
            "tls_client_auth_subject_dn" => DistinguishedName::parse(value).map(Self::Name).map_err(|why| {
                format!("`{value}` is no name as `openssl x509 -noout -subject -nameopt RFC2253` writes it: {why}.")
            }),
            "tls_client_auth_san_dns" if plain && !value.contains(['/', ':', '@', '*']) => {
                Ok(Self::Dns(value.to_ascii_lowercase()))
            }
            "tls_client_auth_san_dns" => Err(format!("`{value}` is no name of a host, as app.example.")),
            "tls_client_auth_san_uri" if plain && value.contains(':') => Ok(Self::Uri(value.to_owned())),
            "tls_client_auth_san_uri" => Err(format!("`{value}` is no URI, as spiffe://example/app.")),
            "tls_client_auth_san_ip" => {
                let address = value.parse().map(Self::Ip);
                address.map_err(|_| format!("`{value}` is no IP address."))
            }
            _ => match value.rsplit_once('@').filter(|_| plain) {
                Some((local, domain)) if !local.is_empty() && !domain.is_empty() => {
                    Ok(Self::Email(mailbox(value)))
                }
                _ => Err(format!("`{value}` is no address of mail, as app@example.com.")),
            },
        }
    }

    fn is_of(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Name(name) => {
                DistinguishedName::of(certificate.tbs_certificate().subject()).as_ref() == Some(name)
            }
            other => alternative_names(certificate).contains(other),
        }
    }

    /// What the certificate has in its place, for people.
    fn beside(&self, certificate: &Certificate) -> String {
        if let Self::Name(_) = self {
            return subject(certificate);
        }
        let names: Vec<String> = alternative_names(certificate)
            .iter()
            .map(|name| format!("{}:{name}", name.kind()))
            .collect();
        if names.is_empty() {
            return format!("no alternative name; {}", subject(certificate));
        }
        names.join(", ")
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Name(_) => "DN",
            Self::Dns(_) => "DNS",
            Self::Uri(_) => "URI",
            Self::Ip(_) => "IP",
            Self::Email(_) => "email",
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Dns(text) | Self::Uri(text) | Self::Email(text) => f.write_str(text),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

/// The case of a domain does not count, that of what stands before it does (RFC 5280 §7.5).
fn mailbox(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", domain.to_ascii_lowercase()),
        None => text.to_owned(),
    }
}

/// A certificate whose names cannot be read, or that has the extension twice, has none.
fn alternative_names(certificate: &Certificate) -> Vec<Subject> {
    let found = certificate.tbs_certificate().get_extension::<SubjectAltName>();
    let names = found.ok().flatten().map(|(_, SubjectAltName(names))| names);
    let name = |name: &GeneralName| match name {
        GeneralName::DnsName(text) => Some(Subject::Dns(text.as_str().to_ascii_lowercase())),
        GeneralName::UniformResourceIdentifier(text) => Some(Subject::Uri(text.as_str().to_owned())),
        GeneralName::Rfc822Name(text) => Some(Subject::Email(mailbox(text.as_str()))),
        GeneralName::IpAddress(bytes) => address(bytes.as_bytes()).map(Subject::Ip),
        _ => None,
    };
    names.iter().flatten().filter_map(name).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from);
    let v6 = || <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from);
    v4().or_else(v6)
}

fn subject(certificate: &Certificate) -> String {
    DistinguishedName::of(certificate.tbs_certificate().subject())
        .map_or_else(|| "no subject".to_owned(), |name| name.to_string())
}

/// A registered certificate, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub subject: String,
    pub thumbprint: Thumbprint,
    pub not_after: OffsetDateTime,
}

/// `None` where it cannot be read.
pub fn facts(certificate: &RegisteredCertificate) -> Option<Facts> {
    let read = read(certificate.der())?;
    Some(Facts {
        subject: subject(&read),
        thumbprint: Thumbprint::of(certificate.der()),
        not_after: validity(&read)?.1,
    })
}

#[cfg(test)]
mod tests;
