//! How a new application authenticates (RFC 8705), on the command line.

use std::path::PathBuf;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::cli::failure::Failure;
use crate::flow::applications::WantedAuthentication;

#[derive(Debug, Default, Args)]
pub struct Authentication {
    /// The one way to authenticate: `client_secret_basic`, `client_secret_post`, `tls_client_auth` or
    /// `self_signed_tls_client_auth` [default: by a secret, in either place]
    #[arg(long, value_name = "METHOD", value_parser = NonEmptyStringValueParser::new())]
    pub auth_method: Option<String>,
    /// For `tls_client_auth`: the subject of its certificate, as CN=app,O=Example,C=JP
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub tls_client_auth_subject_dn: Option<String>,
    /// For `tls_client_auth`, instead of the subject: a host among the alternative names
    #[arg(long, value_name = "HOST", value_parser = NonEmptyStringValueParser::new())]
    pub tls_client_auth_san_dns: Option<String>,
    /// The same: a URI
    #[arg(long, value_name = "URI", value_parser = NonEmptyStringValueParser::new())]
    pub tls_client_auth_san_uri: Option<String>,
    /// The same: an IP address
    #[arg(long, value_name = "ADDRESS", value_parser = NonEmptyStringValueParser::new())]
    pub tls_client_auth_san_ip: Option<String>,
    /// The same: an e-mail address
    #[arg(long, value_name = "EMAIL", value_parser = NonEmptyStringValueParser::new())]
    pub tls_client_auth_san_email: Option<String>,
    /// For `self_signed_tls_client_auth`: a file with its certificate in PEM; may be repeated
    #[arg(long, value_name = "FILE")]
    pub certificate: Vec<PathBuf>,
    /// For `self_signed_tls_client_auth`: a file with its public keys as a JWK set
    #[arg(long, value_name = "FILE")]
    pub jwks: Option<PathBuf>,
    /// Whether its tokens are good with its certificate alone [default: where a certificate is how it
    /// authenticates]
    #[arg(long, value_name = "BOOLEAN")]
    pub tls_client_certificate_bound_access_tokens: Option<bool>,
}

impl Authentication {
    /// With what stands in the files.
    pub(in crate::cli) fn read(self) -> Result<WantedAuthentication, Failure> {
        let certificates: Vec<String> = self.certificate.iter().map(text_of).collect::<Result<_, _>>()?;
        Ok(WantedAuthentication {
            token_endpoint_auth_method: self.auth_method.unwrap_or_default(),
            tls_client_auth_subject_dn: self.tls_client_auth_subject_dn.unwrap_or_default(),
            tls_client_auth_san_dns: self.tls_client_auth_san_dns.unwrap_or_default(),
            tls_client_auth_san_uri: self.tls_client_auth_san_uri.unwrap_or_default(),
            tls_client_auth_san_ip: self.tls_client_auth_san_ip.unwrap_or_default(),
            tls_client_auth_san_email: self.tls_client_auth_san_email.unwrap_or_default(),
            certificates: certificates.join("\n"),
            jwks: self.jwks.as_ref().map(text_of).transpose()?.unwrap_or_default(),
            tls_client_certificate_bound_access_tokens: self.tls_client_certificate_bound_access_tokens,
        })
    }
}

fn text_of(file: &PathBuf) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::new(format!("{} cannot be read: {error}", file.display())))
}
