//! What is wanted of an application's authentication (RFC 8705 §2.1.2, §2.2.2, §3.4), and whether it can be had.

use serde_json::Value;

use super::Faults;
use crate::flow::App;
use crate::model::application::ApplicationSettings;
use crate::model::certificate::RegisteredCertificate;
use crate::model::client_authentication::{AuthMethod, ClientAuthentication};
use crate::model::grant_type::GrantType;
use crate::protocol::client_auth::jwks;
use crate::protocol::client_auth::mtls::{MOST_CERTIFICATES, Subject, is_readable};

/// The fields as they were typed, sent or given on the command line. Empty is not registered.
#[derive(Clone, Debug, Default)]
pub struct WantedAuthentication {
    pub token_endpoint_auth_method: String,
    pub tls_client_auth_subject_dn: String,
    pub tls_client_auth_san_dns: String,
    pub tls_client_auth_san_uri: String,
    pub tls_client_auth_san_ip: String,
    pub tls_client_auth_san_email: String,
    /// PEM, any number of them.
    pub certificates: String,
    /// JSON.
    pub jwks: String,
    /// `None`: where a certificate is what proves it.
    pub tls_client_certificate_bound_access_tokens: Option<bool>,
}

impl WantedAuthentication {
    /// What is registered already. Where it is bound as is usual for its method it goes on so with another one.
    pub fn of(registered: &ClientAuthentication) -> Self {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        Self {
            token_endpoint_auth_method: registered
                .token_endpoint_auth_method
                .map(|method| method.as_str().to_owned())
                .unwrap_or_default(),
            tls_client_auth_subject_dn: text(&registered.tls_client_auth_subject_dn),
            tls_client_auth_san_dns: text(&registered.tls_client_auth_san_dns),
            tls_client_auth_san_uri: text(&registered.tls_client_auth_san_uri),
            tls_client_auth_san_ip: text(&registered.tls_client_auth_san_ip),
            tls_client_auth_san_email: text(&registered.tls_client_auth_san_email),
            certificates: registered.certificates.iter().map(ToString::to_string).collect(),
            jwks: registered.jwks.as_ref().map(Value::to_string).unwrap_or_default(),
            tls_client_certificate_bound_access_tokens: Some(registered.binds())
                .filter(|binds| *binds != registered.is_by_certificate()),
        }
    }

    pub(super) fn read(&self, faults: &mut Faults) -> ClientAuthentication {
        let text = |typed: &str| Some(typed.trim().to_owned()).filter(|text| !text.is_empty());
        let method = self.method(faults);
        ClientAuthentication {
            token_endpoint_auth_method: method,
            tls_client_auth_subject_dn: text(&self.tls_client_auth_subject_dn),
            tls_client_auth_san_dns: text(&self.tls_client_auth_san_dns),
            tls_client_auth_san_uri: text(&self.tls_client_auth_san_uri),
            tls_client_auth_san_ip: text(&self.tls_client_auth_san_ip),
            tls_client_auth_san_email: text(&self.tls_client_auth_san_email),
            certificates: self.certificates(faults),
            jwks: self.jwks(faults),
            tls_client_certificate_bound_access_tokens: self
                .tls_client_certificate_bound_access_tokens
                .unwrap_or_else(|| method.is_some_and(AuthMethod::is_tls)),
        }
    }

    fn method(&self, faults: &mut Faults) -> Option<AuthMethod> {
        let typed = self.token_endpoint_auth_method.trim();
        let method = AuthMethod::parse(typed);
        if method.is_none() && !typed.is_empty() {
            let known = AuthMethod::REGISTRABLE.map(AuthMethod::as_str).join(", ");
            faults.add(
                "token_endpoint_auth_method",
                format!("`{typed}` is no way to authenticate here; there are: {known}, or none of them for a secret in either place."),
            );
        }
        method
    }

    fn certificates(&self, faults: &mut Faults) -> Vec<RegisteredCertificate> {
        let mut certificates: Vec<RegisteredCertificate> = Vec::new();
        match RegisteredCertificate::read_all(&self.certificates) {
            Ok(read) => {
                for certificate in read {
                    if !certificates.contains(&certificate) {
                        certificates.push(certificate);
                    }
                }
            }
            Err(_) => faults.add(
                "certificates",
                "A certificate is cut off, or is no base64: paste the whole PEM file.",
            ),
        }
        if certificates.is_empty() && !self.certificates.trim().is_empty() && !faults.has("certificates") {
            faults.add(
                "certificates",
                "There is no certificate in it: paste PEM, from `-----BEGIN CERTIFICATE-----` to its end. A key is never wanted.",
            );
        }
        if certificates.len() > MOST_CERTIFICATES {
            faults.add(
                "certificates",
                format!("At most {MOST_CERTIFICATES} certificates are allowed."),
            );
            certificates.clear();
        }
        for (at, certificate) in certificates.iter().enumerate() {
            if !is_readable(certificate.der()) {
                faults.add(
                    "certificates",
                    format!("The certificate number {} cannot be read.", at + 1),
                );
            }
        }
        certificates
    }

    fn jwks(&self, faults: &mut Faults) -> Option<Value> {
        let typed = self.jwks.trim();
        if typed.is_empty() {
            return None;
        }
        let read = serde_json::from_str::<Value>(typed).map_err(|fault| format!("it is no JSON: {fault}"));
        match read.and_then(|set| jwks::keys(&set).map(|_| set)) {
            Ok(set) => Some(set),
            Err(why) => {
                faults.add(
                    "jwks",
                    format!("This is no set of public keys (RFC 7517): {why}."),
                );
                None
            }
        }
    }
}

/// Whether the parts fit each other, and the rest of the application.
pub(super) fn fits(settings: &ApplicationSettings, faults: &mut Faults) {
    let registered = &settings.authentication;
    let method = registered.token_endpoint_auth_method;
    if method.is_some() && !settings.confidential {
        faults.add(
            "token_endpoint_auth_method",
            "A public application proves itself by nothing: make it confidential, or leave this out.",
        );
    }
    if method == Some(AuthMethod::Tls) {
        for (field, why) in Subject::of(registered).err().into_iter().flatten() {
            faults.add(field, why);
        }
    } else {
        for (field, value) in registered.subjects() {
            if value.is_some() {
                faults.add(
                    field,
                    "It is looked at for `tls_client_auth` alone: choose that, or leave it empty.",
                );
            }
        }
    }
    let has_keys = !registered.certificates.is_empty() || registered.jwks.is_some();
    if method == Some(AuthMethod::SelfSignedTls) {
        if !has_keys && !faults.has("certificates") && !faults.has("jwks") {
            faults.add(
                "certificates",
                "Give the certificates that prove it, as PEM or as `jwks`.",
            );
        }
    } else if has_keys {
        let field = if registered.jwks.is_some() {
            "jwks"
        } else {
            "certificates"
        };
        faults.add(
            field,
            "They are looked at for `self_signed_tls_client_auth` alone: choose that, or leave them out.",
        );
    }
    if registered.binds() && settings.allows(GrantType::Implicit) {
        faults.add(
            "tls_client_certificate_bound_access_tokens",
            "A token that comes in an address cannot be bound to a certificate: take implicit out of the grants, or leave this off.",
        );
    }
}

/// Whether this server can do what is new since `before`.
pub(super) fn is_offered(
    app: &App,
    before: Option<&ApplicationSettings>,
    after: &ApplicationSettings,
    faults: &mut Faults,
) {
    let unchanged = ClientAuthentication::default();
    let before = before.map_or(&unchanged, |before| before.authentication.as_ref());
    let after = &after.authentication;
    let method = after.token_endpoint_auth_method;
    let is_new = method != before.token_endpoint_auth_method;
    let blind = !app.config.sees_client_certificates();
    if is_new && after.is_by_certificate() && blind {
        faults.add("token_endpoint_auth_method", BLIND);
    } else if is_new && method == Some(AuthMethod::Tls) && !app.knows_authorities() {
        faults.add(
            "token_endpoint_auth_method",
            "This server trusts no authority for client certificates: the setting tls_client_ca names a file of them.",
        );
    }
    if after.binds() && !before.binds() && blind && !after.is_by_certificate() {
        faults.add("tls_client_certificate_bound_access_tokens", BLIND);
    }
}

const BLIND: &str = "This server sees no certificate of a client: that takes tls_certificate, or a proxy that sends it \
                     and client_certificate_header.";
