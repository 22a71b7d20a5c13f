//! What `certificate create` prints.

use std::path::Path;

use serde::Serialize;

use super::{Plain, row, table, when};
use crate::server::tls::self_signed::SelfSigned;

/// `certificate create`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct CreatedCertificate {
    certificate: String,
    key: String,
    names: Vec<String>,
    not_after: String,
    /// Of the certificate's DER, in hexadecimal, as browsers show it.
    sha256: String,
}

impl CreatedCertificate {
    pub(in crate::cli) fn new(certificate: &Path, key: &Path, names: Vec<String>, made: &SelfSigned) -> Self {
        let bytes: Vec<String> = made
            .fingerprint
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect();
        Self {
            certificate: certificate.display().to_string(),
            key: key.display().to_string(),
            names,
            not_after: when(made.not_after),
            sha256: bytes.join(":"),
        }
    }
}

impl Plain for CreatedCertificate {
    fn plain(&self) -> String {
        table([
            row("certificate", self.certificate.as_str()),
            row("key", self.key.as_str()),
            row("names", self.names.join(" ")),
            row("not_after", self.not_after.as_str()),
            row("sha256", self.sha256.as_str()),
        ])
    }
}
