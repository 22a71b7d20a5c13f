//! Authorization server metadata (RFC 8414; RFC 7636 §4.2; RFC 9207 §3). Lists what is there, nothing else.

use std::collections::BTreeSet;

use serde::Serialize;

use super::authorize::ResponseType;
use super::client_auth::AuthMethod;
use crate::model::grant_type::GrantType;
use crate::model::resource::Resources;
use crate::model::scope::Scopes;

/// The document at [`well_known_path`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Metadata {
    pub issuer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    pub token_endpoint: String,
    /// RFC 8628 §4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_authorization_endpoint: Option<String>,
    pub revocation_endpoint: String,
    pub introspection_endpoint: String,
    pub response_types_supported: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_modes_supported: Vec<&'static str>,
    pub grant_types_supported: Vec<&'static str>,
    pub token_endpoint_auth_methods_supported: Vec<AuthMethod>,
    pub revocation_endpoint_auth_methods_supported: Vec<AuthMethod>,
    pub introspection_endpoint_auth_methods_supported: Vec<AuthMethod>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub code_challenge_methods_supported: Vec<&'static str>,
    pub authorization_response_iss_parameter_supported: bool,
    #[serde(skip_serializing_if = "Scopes::is_empty")]
    pub scopes_supported: Scopes,
    /// The word of Doorkeeper, for RFC 8707.
    pub resource_indicators_supported: bool,
    /// RFC 8705 §3.3: present where it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tls_client_certificate_bound_access_tokens: bool,
    /// RFC 8705 §5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtls_endpoint_aliases: Option<Aliases>,
    /// RFC 9728 §4.
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub protected_resources: Resources,
}

/// The endpoints where a client certificate is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Aliases {
    pub token_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_authorization_endpoint: Option<String>,
    pub revocation_endpoint: String,
    pub introspection_endpoint: String,
}

impl Metadata {
    /// `issuer` has no trailing slash. `iss_in_responses`: whether every redirect of the authorization
    /// endpoint carries `iss`, errors included.
    pub fn of(
        issuer: &str,
        scopes: &Scopes,
        grants: impl IntoIterator<Item = GrantType>,
        iss_in_responses: bool,
    ) -> Self {
        let grants: BTreeSet<_> = grants.into_iter().collect();
        let response_types: Vec<_> = ResponseType::ALL
            .into_iter()
            .filter(|kind| grants.contains(&kind.grant()))
            .collect();
        let mut response_modes: Vec<_> = response_types.iter().flat_map(|kind| kind.modes()).collect();
        response_modes.sort_unstable();
        response_modes.dedup();
        let with_code = response_types.contains(&ResponseType::Code);
        let endpoint = |name: &str| format!("{issuer}/oauth/{name}");
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: (!response_types.is_empty()).then(|| endpoint("authorize")),
            token_endpoint: endpoint("token"),
            device_authorization_endpoint: grants
                .contains(&GrantType::DeviceCode)
                .then(|| endpoint("device_authorization")),
            revocation_endpoint: endpoint("revoke"),
            introspection_endpoint: endpoint("introspect"),
            response_types_supported: response_types.iter().map(|kind| kind.as_str()).collect(),
            response_modes_supported: response_modes.into_iter().map(|mode| mode.as_str()).collect(),
            grant_types_supported: grants.into_iter().map(GrantType::wire).collect(),
            token_endpoint_auth_methods_supported: vec![
                AuthMethod::Basic,
                AuthMethod::Post,
                AuthMethod::None,
            ],
            revocation_endpoint_auth_methods_supported: vec![
                AuthMethod::Basic,
                AuthMethod::Post,
                AuthMethod::None,
            ],
            introspection_endpoint_auth_methods_supported: vec![AuthMethod::Basic, AuthMethod::Post],
            code_challenge_methods_supported: with_code.then_some("S256").into_iter().collect(),
            authorization_response_iss_parameter_supported: iss_in_responses,
            scopes_supported: scopes.clone(),
            resource_indicators_supported: true,
            tls_client_certificate_bound_access_tokens: false,
            mtls_endpoint_aliases: None,
            protected_resources: Resources::default(),
        }
    }

    /// The server sees the certificates of clients, at the endpoints under `base`, which has no trailing slash.
    /// `issued`: those of an authority too, not only those that are registered.
    #[must_use]
    pub fn seeing_certificates(mut self, base: &str, issued: bool) -> Self {
        let methods = [AuthMethod::Tls, AuthMethod::SelfSignedTls];
        let methods = &methods[usize::from(!issued)..];
        for supported in [
            &mut self.token_endpoint_auth_methods_supported,
            &mut self.revocation_endpoint_auth_methods_supported,
            &mut self.introspection_endpoint_auth_methods_supported,
        ] {
            supported.extend(methods);
        }
        let endpoint = |name: &str| format!("{base}/oauth/{name}");
        Self {
            tls_client_certificate_bound_access_tokens: true,
            mtls_endpoint_aliases: Some(Aliases {
                token_endpoint: endpoint("token"),
                device_authorization_endpoint: self
                    .device_authorization_endpoint
                    .as_ref()
                    .map(|_| endpoint("device_authorization")),
                revocation_endpoint: endpoint("revoke"),
                introspection_endpoint: endpoint("introspect"),
            }),
            ..self
        }
    }

    /// Names the resources that tokens are given for.
    #[must_use]
    pub fn protecting(self, resources: &Resources) -> Self {
        Self {
            protected_resources: resources.clone(),
            ..self
        }
    }
}

/// The well-known name of the metadata (RFC 8414 §3).
pub const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";

/// Where the metadata of `issuer` is found: the well-known name goes before the issuer's path
/// (RFC 8414 §3.1).
pub fn well_known_path(issuer: &str) -> String {
    well_known(WELL_KNOWN, issuer)
}

/// The path of the well-known document `name` about `url`: the name goes between host and path.
pub fn well_known(name: &str, url: &str) -> String {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = after_scheme.find('/').map_or("", |at| &after_scheme[at..]);
    format!("{name}{}", path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;
    use crate::model::resource::Resource;

    fn metadata(grants: &[GrantType]) -> serde_json::Value {
        let scopes = Scopes::parse("write read").unwrap();
        to_value(Metadata::of(
            "https://id.example/a",
            &scopes,
            grants.iter().copied(),
            true,
        ))
        .unwrap()
    }

    #[test]
    fn the_document_lists_what_is_there() {
        let expected = json!({
            "issuer": "https://id.example/a",
            "authorization_endpoint": "https://id.example/a/oauth/authorize",
            "token_endpoint": "https://id.example/a/oauth/token",
            "device_authorization_endpoint": "https://id.example/a/oauth/device_authorization",
            "revocation_endpoint": "https://id.example/a/oauth/revoke",
            "introspection_endpoint": "https://id.example/a/oauth/introspect",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "grant_types_supported": [
                "authorization_code",
                "refresh_token",
                "client_credentials",
                "urn:ietf:params:oauth:grant-type:device_code",
            ],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "scopes_supported": ["read", "write"],
            "resource_indicators_supported": true,
        });
        assert_eq!(metadata(&GrantType::ALL[..4]), expected);
    }

    #[test]
    fn certificates_are_advertised_where_they_are_seen() {
        let scopes = Scopes::parse("read").unwrap();
        let plain = Metadata::of(
            "https://id.example",
            &scopes,
            [GrantType::ClientCredentials],
            true,
        );
        let told = |issued| {
            to_value(
                plain
                    .clone()
                    .seeing_certificates("https://mtls.id.example:8443", issued),
            )
            .unwrap()
        };
        let document = told(true);
        for endpoint in ["token", "revocation", "introspection"] {
            let methods = &document[format!("{endpoint}_endpoint_auth_methods_supported")];
            for method in ["tls_client_auth", "self_signed_tls_client_auth"] {
                assert!(methods.as_array().unwrap().contains(&json!(method)), "{endpoint}");
            }
        }
        assert_eq!(
            document["tls_client_certificate_bound_access_tokens"],
            json!(true)
        );
        assert_eq!(
            document["mtls_endpoint_aliases"],
            json!({
                "token_endpoint": "https://mtls.id.example:8443/oauth/token",
                "revocation_endpoint": "https://mtls.id.example:8443/oauth/revoke",
                "introspection_endpoint": "https://mtls.id.example:8443/oauth/introspect",
            })
        );
        assert_eq!(document["issuer"], json!("https://id.example"));
        assert_eq!(
            document["token_endpoint"],
            json!("https://id.example/oauth/token")
        );
        assert!(!told(false).to_string().contains("\"tls_client_auth\""));
    }

    #[test]
    fn a_grant_that_is_switched_off_is_not_advertised() {
        let document = metadata(&[GrantType::ClientCredentials]);
        assert_eq!(document["grant_types_supported"], json!(["client_credentials"]));
        assert_eq!(document["response_types_supported"], json!([]));
        assert_eq!(document.get("authorization_endpoint"), None);
        assert_eq!(document.get("device_authorization_endpoint"), None);
        assert_eq!(document.get("code_challenge_methods_supported"), None);
    }

    #[test]
    fn the_implicit_grant_alone_has_no_code_and_no_query() {
        let document = metadata(&[GrantType::Implicit]);
        assert_eq!(document["response_types_supported"], json!(["token"]));
        assert_eq!(
            document["response_modes_supported"],
            json!(["fragment", "form_post"])
        );
        assert_eq!(
            document["authorization_endpoint"],
            "https://id.example/a/oauth/authorize"
        );
        assert_eq!(document.get("code_challenge_methods_supported"), None);
    }

    #[test]
    fn the_resources_that_tokens_are_given_for_are_named() {
        let api = Resource::parse("https://api.example/v1").unwrap();
        let document = Metadata::of("https://id.example", &Scopes::default(), GrantType::ALL, true)
            .protecting(&Resources::from_iter([api]));
        assert_eq!(
            to_value(document).unwrap()["protected_resources"],
            json!(["https://api.example/v1"])
        );
    }

    #[test]
    fn the_well_known_name_goes_before_the_issuers_path() {
        let name = "/.well-known/oauth-authorization-server";
        assert_eq!(well_known_path("http://localhost:3801"), name);
        assert_eq!(well_known_path("https://id.example/"), name);
        assert_eq!(well_known_path("https://id.example/a/b"), format!("{name}/a/b"));
    }
}
