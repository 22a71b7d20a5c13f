//! An application, a catalogue and a code for the rules that judge by them.

use std::collections::{BTreeMap, BTreeSet};

use tegata::model::application::{Application, ApplicationSettings};
use tegata::model::client_id::ClientId;
use tegata::model::grant::Family;
use tegata::model::grant_type::GrantType;
use tegata::model::ids::ApplicationId;
use tegata::model::redirect_uri::RedirectUri;
use tegata::model::resource::{Resource, Resources};
use tegata::model::scope::{Scope, Scopes};
use tegata::model::token::AuthorizationCode;
use tegata::protocol::scope::Catalog;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Of RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const CALLBACK: &str = "https://app.example/cb";
pub const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

/// One that can keep a secret and has redirect URIs of every kind.
pub fn confidential() -> Application {
    application(
        true,
        &[
            CALLBACK,
            "https://app.example/cb?x=1",
            "http://127.0.0.1/cb",
            "http://[::1]:8080/cb",
            RedirectUri::OOB,
        ],
    )
}

/// A native one with one redirect URI.
pub fn native() -> Application {
    application(false, &["com.example.app:/cb"])
}

pub fn application_id() -> ApplicationId {
    Uuid::from_u128(1).into()
}

fn application(confidential: bool, redirect_uris: &[&str]) -> Application {
    Application {
        id: application_id(),
        owner_id: None,
        owner: None,
        client_id: ClientId::parse("app").unwrap(),
        settings: ApplicationSettings {
            name: "App".to_owned(),
            confidential,
            trusted: false,
            require_pkce: false,
            introspect: false,
            send_iss: confidential,
            localhost_any_port: false,
            redirect_uris: redirect_uris
                .iter()
                .map(|uri| RedirectUri::register(uri).unwrap())
                .collect(),
            scopes: None,
            grants: BTreeSet::from([GrantType::AuthorizationCode]),
            access_token_ttl: None,
            refresh_token_ttl: None,
            refresh_token_max_ttl: None,
            default_scopes: None,
            optional_scopes: None,
            access_token_ttls: BTreeMap::new(),
            reuse_access_token: false,
            reuse_refresh_token: false,
            revoke_previous_tokens: false,
            allowed_origins: Vec::new(),
            restricted: false,
            authentication: Box::default(),
        },
        version: 1,
        created_at: NOW,
        updated_at: NOW,
        last_used_at: None,
        oauth1: false,
        oauth1_rsa_public_key: None,
        disabled_at: None,
    }
}

/// `read`, which is the default, `write`, and `user:` with any value.
pub fn catalog() -> Catalog {
    let described = ["read", "write", "user:*"].map(|name| (Scope::parse(name).unwrap(), name.to_owned()));
    Catalog::new(described.into(), Scopes::parse("read").unwrap())
}

/// What tokens may be asked for.
pub fn resources() -> Resources {
    ["https://api.example"]
        .iter()
        .map(|text| Resource::parse(text).unwrap())
        .collect()
}

/// A live code for [`CALLBACK`] that [`VERIFIER`] opens.
pub fn code() -> AuthorizationCode {
    AuthorizationCode {
        family: Family {
            grant_id: Uuid::from_u128(2).into(),
            application_id: application_id(),
            user_id: Uuid::from_u128(3).into(),
            grant_type: GrantType::AuthorizationCode,
            resources: Resources::default(),
            granted: Scopes::parse("read").unwrap(),
            ends_at: NOW + Duration::days(1),
            live: true,
            application_version: Some(1),
        },
        redirect_uri: CALLBACK.to_owned(),
        redirect_uri_sent: true,
        code_challenge: Some(CHALLENGE.to_owned()),
        expires_at: NOW + Duration::minutes(1),
        used_at: None,
        failures: 0,
    }
}
