//! An application as programs read it: `/oauth/applications` as JSON and `tegata application --json`.
//!
//! Written by hand, so that a column added to the store is not published with it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};
use serde_json::Value;
use time::OffsetDateTime;

use crate::base::secret::Secret;
use crate::flow::App;
use crate::flow::applications::Saved;
use crate::model::access::Allowed;
use crate::model::application::{Application, ApplicationSettings, Client};
use crate::model::certificate::RegisteredCertificate;
use crate::model::client_authentication::AuthMethod;
use crate::model::client_id::ClientId;
use crate::model::grant_type::GrantType;
use crate::model::ids::ApplicationId;
use crate::model::origin::Origin;
use crate::model::rsa_public_key::RsaPublicKey;
use crate::model::scope::Scopes;

/// An application in a list.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the shape on the wire")]
pub struct Summary {
    pub id: ApplicationId,
    #[serde(serialize_with = "as_text")]
    pub client_id: ClientId,
    pub name: String,
    /// The owner's user name; null where it is the administrators', or the owner is deleted.
    pub owner: Option<String>,
    pub redirect_uris: Vec<String>,
    /// What it may ask for: where none are registered, all that is configured.
    pub scopes: Scopes,
    pub grants: BTreeSet<GrantType>,
    pub confidential: bool,
    pub trusted: bool,
    pub require_pkce: bool,
    pub introspect: bool,
    pub send_iss: bool,
    pub localhost_any_port: bool,
    /// Seconds; left out where the server's count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token_ttl: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_ttl: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token_max_ttl: Option<i64>,
    /// Left out where the server's count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_scopes: Option<Scopes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional_scopes: Option<Scopes>,
    /// Seconds by the name of the grant.
    pub access_token_ttls: BTreeMap<GrantType, i64>,
    pub reuse_access_token: bool,
    pub reuse_refresh_token: bool,
    pub revoke_previous_tokens: bool,
    pub allowed_origins: Vec<Origin>,
    /// Speaks OAuth 1.0a too.
    pub oauth1: bool,
    /// A PEM text, for RSA-SHA1; left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth1_rsa_public_key: Option<String>,
    #[serde(flatten)]
    pub authentication: DescribedAuthentication,
    /// For `users` and `groups` alone.
    pub restricted: bool,
    pub users: Vec<String>,
    pub groups: Vec<String>,
    pub disabled: bool,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// Counts the changes: sent back with one, it refuses to undo another's.
    pub version: i64,
}

/// How it authenticates; what is not registered is left out.
#[derive(Clone, Debug, Serialize)]
pub struct DescribedAuthentication {
    /// Null: by its secret, in either place; of a public application by nothing.
    pub token_endpoint_auth_method: Option<AuthMethod>,
    #[serde(flatten)]
    pub subject: BTreeMap<&'static str, String>,
    /// PEM.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<RegisteredCertificate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    pub tls_client_certificate_bound_access_tokens: bool,
}

impl DescribedAuthentication {
    fn of(settings: &ApplicationSettings) -> Self {
        let registered = &settings.authentication;
        let subjects = registered.subjects().into_iter();
        Self {
            token_endpoint_auth_method: registered.token_endpoint_auth_method,
            subject: subjects
                .filter_map(|(field, subject)| Some((field, subject?.to_owned())))
                .collect(),
            certificates: registered.certificates.clone(),
            jwks: registered.jwks.clone(),
            tls_client_certificate_bound_access_tokens: registered.binds(),
        }
    }
}

/// One application, with the secret that is shown this once.
#[derive(Clone, Debug, Serialize)]
pub struct Described {
    #[serde(flatten)]
    pub summary: Summary,
    /// Null unless it was generated just now.
    #[serde(serialize_with = "exposed")]
    pub client_secret: Option<Secret>,
    /// Left out unless it was generated just now.
    #[serde(serialize_with = "exposed", skip_serializing_if = "Option::is_none")]
    pub consumer_secret: Option<Secret>,
}

/// What was generated just now, if anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fresh<'a> {
    pub client_secret: Option<&'a Secret>,
    pub consumer_secret: Option<&'a Secret>,
}

impl<'a> Fresh<'a> {
    pub fn of(saved: &'a Saved) -> Self {
        Self {
            client_secret: saved.secret.as_ref(),
            consumer_secret: saved.consumer_secret.as_ref(),
        }
    }

    pub fn is_any(self) -> bool {
        self.client_secret.is_some() || self.consumer_secret.is_some()
    }
}

pub fn described(app: &App, client: &Client, allowed: &Allowed, fresh: Fresh<'_>) -> Described {
    Described {
        summary: summary(app, &client.application, allowed),
        client_secret: fresh.client_secret.cloned(),
        consumer_secret: fresh.consumer_secret.cloned(),
    }
}

pub fn summary(app: &App, application: &Application, allowed: &Allowed) -> Summary {
    let settings = &application.settings;
    Summary {
        id: application.id,
        client_id: application.client_id.clone(),
        name: settings.name.clone(),
        owner: application.owner.clone(),
        redirect_uris: settings
            .redirect_uris
            .iter()
            .map(|uri| uri.as_str().to_owned())
            .collect(),
        scopes: app.catalog.allowed(settings.scopes.as_ref()),
        grants: settings.grants.clone(),
        confidential: settings.confidential,
        trusted: settings.trusted,
        require_pkce: settings.require_pkce,
        introspect: settings.introspect,
        send_iss: settings.send_iss,
        localhost_any_port: settings.localhost_any_port,
        access_token_ttl: settings.access_token_ttl,
        refresh_token_ttl: settings.refresh_token_ttl,
        refresh_token_max_ttl: settings.refresh_token_max_ttl,
        default_scopes: settings.default_scopes.clone(),
        optional_scopes: settings.optional_scopes.clone(),
        access_token_ttls: settings.access_token_ttls.clone(),
        reuse_access_token: settings.reuse_access_token,
        reuse_refresh_token: settings.reuse_refresh_token,
        revoke_previous_tokens: settings.revoke_previous_tokens,
        allowed_origins: settings.allowed_origins.clone(),
        oauth1: application.oauth1,
        oauth1_rsa_public_key: application
            .oauth1_rsa_public_key
            .as_deref()
            .map(RsaPublicKey::pem),
        authentication: DescribedAuthentication::of(settings),
        restricted: settings.restricted,
        users: allowed.users.as_slice().to_vec(),
        groups: allowed.groups.as_slice().to_vec(),
        disabled: !application.is_enabled(),
        created_at: application.created_at,
        updated_at: application.updated_at,
        version: application.version,
    }
}

fn as_text<S: Serializer>(client_id: &ClientId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(client_id)
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn exposed<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::clock::{Clock, SteeredClock};
    use crate::base::config::{Config, Sources};
    use crate::base::entropy::Entropy;
    use crate::flow::applications::{self, Manager, NotSaved, Wanted};
    use crate::model::caller::Caller;

    async fn create(app: &App, wanted: &Wanted) -> Result<Saved, NotSaved> {
        applications::create(app, Manager::Administrator, &Caller::OPERATOR, wanted).await
    }

    async fn app() -> App {
        let flags = vec![("database_url".to_owned(), "sqlite::memory:".to_owned())];
        let config = Config::load(Sources {
            flags,
            ..Sources::default()
        })
        .unwrap();
        let issuer = config.issuer(3801);
        let clock = Clock::Steered(SteeredClock::at(1_700_000_000));
        App::open(config, clock, Entropy::seeded(1), issuer)
            .await
            .unwrap()
    }

    fn wanted() -> Wanted {
        Wanted {
            name: "Memo Viewer".into(),
            redirect_uris: vec!["https://client.example/cb".into()],
            confidential: true,
            client_id: "viewer".into(),
            ..Wanted::default()
        }
    }

    #[tokio::test]
    async fn an_application_has_these_members() {
        let app = app().await;
        let saved = create(&app, &wanted()).await.unwrap();
        let secret = saved.secret.clone().unwrap();
        let json =
            serde_json::to_value(described(&app, &saved.client, &saved.allowed, Fresh::of(&saved))).unwrap();
        let expected = json!({
            "id": saved.client.application.id,
            "client_id": "viewer",
            "client_secret": secret.expose(),
            "name": "Memo Viewer",
            "owner": null,
            "redirect_uris": ["https://client.example/cb"],
            "scopes": ["read", "write"],
            "grants": ["authorization_code", "refresh_token", "client_credentials"],
            "confidential": true,
            "trusted": false,
            "require_pkce": false,
            "introspect": false,
            "send_iss": true,
            "localhost_any_port": false,
            "access_token_ttls": {},
            "reuse_access_token": false,
            "reuse_refresh_token": false,
            "revoke_previous_tokens": false,
            "allowed_origins": [],
            "oauth1": false,
            "token_endpoint_auth_method": null,
            "tls_client_certificate_bound_access_tokens": false,
            "restricted": false,
            "users": [],
            "groups": [],
            "disabled": false,
            "created_at": "2023-11-14T22:13:20Z",
            "updated_at": "2023-11-14T22:13:20Z",
            "version": saved.client.application.version,
        });
        assert_eq!(json, expected);
    }

    #[tokio::test]
    async fn the_secret_is_null_afterwards_and_no_part_of_a_list() {
        let app = app().await;
        let wanted = Wanted {
            access_token_ttl: "5m".into(),
            scopes: Some(vec!["read".into()]),
            ..wanted()
        };
        let saved = create(&app, &wanted).await.unwrap();
        let shown =
            serde_json::to_value(described(&app, &saved.client, &saved.allowed, Fresh::default())).unwrap();
        assert_eq!(shown["client_secret"], Value::Null);
        assert_eq!(shown["access_token_ttl"], 300);
        assert_eq!(shown["scopes"], json!(["read"]));
        let listed = serde_json::to_value(summary(&app, &saved.client.application, &saved.allowed)).unwrap();
        assert_eq!(listed.get("client_secret"), None);
        assert_eq!(listed["client_id"], "viewer");
    }
}
