//! How an application proves who it is, and what its tokens are bound to (RFC 6749 §2.3, RFC 8705).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::certificate::RegisteredCertificate;

/// How an application proves itself, by the names of RFC 7591 §2 and RFC 8705 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AuthMethod {
    #[serde(rename = "client_secret_basic")]
    Basic,
    #[serde(rename = "client_secret_post")]
    Post,
    /// A public application: its name alone.
    #[serde(rename = "none")]
    None,
    /// A certificate of an authority, for a subject that is registered (RFC 8705 §2.1).
    #[serde(rename = "tls_client_auth")]
    Tls,
    /// A certificate that is registered itself (RFC 8705 §2.2).
    #[serde(rename = "self_signed_tls_client_auth")]
    SelfSignedTls,
}

impl AuthMethod {
    /// Those that an application may be held to.
    pub const REGISTRABLE: [Self; 4] = [Self::Basic, Self::Post, Self::Tls, Self::SelfSignedTls];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::None => "none",
            Self::Tls => "tls_client_auth",
            Self::SelfSignedTls => "self_signed_tls_client_auth",
        }
    }

    /// The one of [`Self::REGISTRABLE`] with that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::REGISTRABLE
            .into_iter()
            .find(|method| method.as_str() == name)
    }

    /// Whether it is proven by a certificate.
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::Tls | Self::SelfSignedTls)
    }
}

/// What is registered of an application's authentication. The names are those of RFC 8705 §2.1.2, §2.2.2 and
/// §3.4.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientAuthentication {
    /// The one way that is taken; `None`: its secret, by Basic or in the body.
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// For `tls_client_auth` exactly one of the five. RFC 4514.
    pub tls_client_auth_subject_dn: Option<String>,
    pub tls_client_auth_san_dns: Option<String>,
    pub tls_client_auth_san_uri: Option<String>,
    pub tls_client_auth_san_ip: Option<String>,
    pub tls_client_auth_san_email: Option<String>,
    /// For `self_signed_tls_client_auth`, as is `jwks`: one of either is enough.
    pub certificates: Vec<RegisteredCertificate>,
    /// A JWK set (RFC 7517 §5): keys with `x5c`, or bare public keys.
    pub jwks: Option<Value>,
    /// Whether its tokens are good with the certificate alone that they were issued for (RFC 8705 §3).
    pub tls_client_certificate_bound_access_tokens: bool,
}

impl ClientAuthentication {
    /// Whether a certificate is what proves it.
    pub fn is_by_certificate(&self) -> bool {
        self.token_endpoint_auth_method.is_some_and(AuthMethod::is_tls)
    }

    pub fn binds(&self) -> bool {
        self.tls_client_certificate_bound_access_tokens
    }

    /// Which settings are others in `after`.
    pub fn differing(&self, after: &Self) -> Vec<&'static str> {
        differing!(
            self,
            after,
            token_endpoint_auth_method,
            tls_client_auth_subject_dn,
            tls_client_auth_san_dns,
            tls_client_auth_san_uri,
            tls_client_auth_san_ip,
            tls_client_auth_san_email,
            certificates,
            jwks,
            tls_client_certificate_bound_access_tokens
        )
    }

    /// The names that a certificate of an authority is looked at for, with what is registered of them.
    pub fn subjects(&self) -> [(&'static str, Option<&str>); 5] {
        [
            (
                "tls_client_auth_subject_dn",
                self.tls_client_auth_subject_dn.as_deref(),
            ),
            ("tls_client_auth_san_dns", self.tls_client_auth_san_dns.as_deref()),
            ("tls_client_auth_san_uri", self.tls_client_auth_san_uri.as_deref()),
            ("tls_client_auth_san_ip", self.tls_client_auth_san_ip.as_deref()),
            (
                "tls_client_auth_san_email",
                self.tls_client_auth_san_email.as_deref(),
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_method_is_told_and_read_by_one_name() {
        for method in AuthMethod::REGISTRABLE {
            assert_eq!(AuthMethod::parse(method.as_str()), Some(method));
            assert_eq!(serde_json::to_value(method).unwrap(), json!(method.as_str()));
        }
        for other in ["none", "private_key_jwt", "", "TLS_CLIENT_AUTH"] {
            assert_eq!(AuthMethod::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_was_stored_before_there_were_certificates_is_read() {
        let read: ClientAuthentication = serde_json::from_value(json!({})).unwrap();
        assert_eq!(read, ClientAuthentication::default());
        assert!(!read.is_by_certificate() && !read.binds());
    }
}
