//! How an application authenticates, in its form and on its page (RFC 8705).

use super::When;
use super::sample::{NOW, Sample, Say, ago};

/// The fields of the form, kept as typed.
#[derive(Clone, Debug, Default)]
pub struct AuthenticationFields {
    /// Empty: a secret, in either place.
    pub method: String,
    /// Whether a certificate of an authority can be chosen.
    pub authorities: bool,
    pub subject_dn: String,
    pub san_dns: String,
    pub san_uri: String,
    pub san_ip: String,
    pub san_email: String,
    /// PEM.
    pub certificates: String,
    pub jwks: String,
    /// `None`: where a certificate is what proves it.
    pub binds: Option<bool>,
}

impl AuthenticationFields {
    fn is_by_certificate(&self) -> bool {
        self.method.ends_with("tls_client_auth")
    }

    /// Whether anything stands in the part about certificates.
    pub(super) fn is_filled(&self) -> bool {
        self.is_by_certificate() || !self.certificates.is_empty() || !self.jwks.is_empty()
    }

    pub(super) fn takes_authorities(&self) -> bool {
        self.authorities || self.method == "tls_client_auth"
    }
}

/// What the page of an application says.
#[derive(Clone, Debug, Default)]
pub struct AuthenticationShown {
    /// The one way that is taken; empty: its secret, in either place.
    pub method: &'static str,
    pub by_certificate: bool,
    /// For whom the certificate of an authority must be: what of it is looked at, and what must stand there.
    pub subject: Option<(&'static str, String)>,
    pub certificates: Vec<CertificateRow>,
    /// Keys beside them.
    pub keys: u64,
    /// Whether its tokens are bound to the certificate.
    pub binds: bool,
}

#[derive(Clone, Debug)]
pub struct CertificateRow {
    pub subject: String,
    /// SHA-256 in base64url.
    pub thumbprint: String,
    pub ends: When,
    pub ended: bool,
}

impl Sample for AuthenticationFields {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            method: say("tls_client_auth"),
            authorities: true,
            subject_dn: say("CN=Memo Bot,O=Example,C=JP"),
            san_dns: say("*"),
            certificates: say("-----BEGIN CERTIFICATE-----"),
            jwks: say("{}"),
            binds: Some(true),
            ..Self::default()
        }
    }
}

impl Sample for AuthenticationShown {
    fn sample_in(say: Say<'_>) -> Self {
        let row = |subject: &str, ends| CertificateRow {
            subject: say(subject),
            thumbprint: say("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"),
            ends: When::new(ago(ends), *NOW),
            ended: ends > 0,
        };
        Self {
            method: "self_signed_tls_client_auth",
            by_certificate: true,
            subject: Some(("Subject", say("CN=Memo Bot,O=Example,C=JP"))),
            certificates: vec![
                row("CN=Memo Bot", 86_400),
                row(
                    "CN=Memo Bot,OU=A department with a long name,O=Example",
                    -90 * 86_400,
                ),
            ],
            keys: 1,
            binds: true,
        }
    }
}
