//! A certificate and its key, read from their files.

use std::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use time::OffsetDateTime;
use webpki::EndEntityCert;
use x509_cert::Certificate;
use x509_cert::der::Decode;
use zeroize::Zeroizing;

use super::told;

/// Where the certificate and its key are.
#[derive(Clone, Debug)]
pub(super) struct Files {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

/// What tells that the files are others than before, the targets of symbolic links included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamps([Option<Stamp>; 2]);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    size: u64,
    /// 0 where the system has no such thing.
    inode: u64,
}

/// Why a certificate cannot be served, in a line that names the setting and the file. Nothing of a file's
/// content is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault(String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Fault {}

impl Files {
    pub(super) fn stamps(&self) -> Stamps {
        Stamps([&self.certificate, &self.key].map(|path| fs::metadata(path).ok().as_ref().map(Stamp::of)))
    }

    pub(super) fn read(&self, provider: &CryptoProvider) -> Result<Pair, Fault> {
        let chain = self.read_chain()?;
        let key = self.read_key()?;
        let (not_before, not_after) = chain
            .first()
            .and_then(validity)
            .ok_or_else(|| self.of_certificate("its first certificate cannot be read"))?;
        let key = CertifiedKey::from_der(chain, key, provider).map_err(|error| self.unusable(&error))?;
        Ok(Pair {
            key,
            not_before,
            not_after,
            certificate_file: self.certificate.clone(),
            exposed_key_file: is_exposed(&self.key).then(|| self.key.clone()),
        })
    }

    pub(super) fn unusable(&self, error: &Error) -> Fault {
        match error {
            Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => self.of_key(format!(
                "the key does not fit the first certificate in {}",
                self.certificate.display()
            )),
            Error::InvalidCertificate(_) => self.of_certificate("its first certificate cannot be read"),
            _ => self.of_key(
                "the key is of no kind that TLS is spoken with here: RSA of 2048 to 8192 bits, ECDSA with P-256 \
                 or P-384, Ed25519",
            ),
        }
    }

    fn read_chain(&self) -> Result<Vec<CertificateDer<'static>>, Fault> {
        let text = fs::read(&self.certificate).map_err(|error| self.of_certificate(unreadable(&error)))?;
        let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
        match chain {
            Ok(chain) if chain.is_empty() => Err(self.of_certificate("there is no certificate in it (PEM)")),
            Ok(chain) => Ok(chain),
            Err(_) => Err(self.of_certificate("it is no whole PEM file")),
        }
    }

    fn read_key(&self) -> Result<PrivateKeyDer<'static>, Fault> {
        let text = fs::read(&self.key).map_err(|error| self.of_key(unreadable(&error)))?;
        let text = Zeroizing::new(text);
        PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
            pem::Error::NoItemsFound => {
                self.of_key("there is no key in it (PEM: PKCS#8, PKCS#1 or SEC 1, not encrypted)")
            }
            _ => self.of_key("it is no whole PEM file"),
        })
    }

    fn of_certificate(&self, reason: impl fmt::Display) -> Fault {
        fault("tls_certificate", &self.certificate, reason)
    }

    fn of_key(&self, reason: impl fmt::Display) -> Fault {
        fault("tls_key", &self.key, reason)
    }
}

fn fault(setting: &str, path: &Path, reason: impl fmt::Display) -> Fault {
    Fault(format!("{setting} = {:?}: {reason}", path.to_string_lossy()))
}

fn unreadable(error: &io::Error) -> String {
    format!("it cannot be read: {error}")
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let inode = 0;
        Self {
            modified: metadata.modified().ok(),
            size: metadata.len(),
            inode,
        }
    }
}

#[cfg(unix)]
fn is_exposed(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn is_exposed(_path: &Path) -> bool {
    false
}

/// From when until when.
fn validity(certificate: &CertificateDer<'static>) -> Option<(OffsetDateTime, OffsetDateTime)> {
    let read = Certificate::from_der(certificate).ok()?;
    let validity = read.tbs_certificate().validity();
    let at = |time: x509_cert::time::Time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
        OffsetDateTime::from_unix_timestamp(seconds).ok()
    };
    Some((at(validity.not_before)?, at(validity.not_after)?))
}

/// A certificate with its chain, and the key that fits it.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) key: CertifiedKey,
    not_before: OffsetDateTime,
    pub(super) not_after: OffsetDateTime,
    certificate_file: PathBuf,
    exposed_key_file: Option<PathBuf>,
}

impl Pair {
    /// What is questionable, and does not keep the server from serving it.
    pub(super) fn complaints(&self, hosts: &[String], now: OffsetDateTime) -> Vec<String> {
        let mut complaints = Vec::new();
        let file = self.certificate_file.display();
        if now < self.not_before {
            complaints.push(format!(
                "the TLS certificate in {file} is not valid before {}: clients refuse it until then",
                told(self.not_before)
            ));
        }
        if now > self.not_after {
            complaints.push(format!(
                "the TLS certificate in {file} ended on {}: clients refuse it",
                told(self.not_after)
            ));
        }
        complaints.extend(hosts.iter().filter(|host| !self.covers(host)).map(|host| {
            format!("the TLS certificate in {file} is not for {host}, under which clients reach the server")
        }));
        complaints.extend(self.exposed_key_file.iter().map(|key| {
            format!(
                "every user of this machine may read the TLS key in {}: take that right away (chmod o=)",
                key.display()
            )
        }));
        complaints
    }

    fn covers(&self, host: &str) -> bool {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let (Some(leaf), Ok(name)) = (self.key.cert.first(), ServerName::try_from(bare)) else {
            return false;
        };
        EndEntityCert::try_from(leaf).is_ok_and(|leaf| leaf.verify_is_valid_for_subject_name(&name).is_ok())
    }
}
