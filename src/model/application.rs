//! Registered OAuth clients (RFC 6749 §2).

use std::collections::{BTreeMap, BTreeSet};

use time::{Duration, OffsetDateTime};

use super::client_authentication::ClientAuthentication;
use super::client_id::ClientId;
use super::grant_type::GrantType;
use super::ids::{ApplicationId, SecretId, UserId};
use super::origin::Origin;
use super::redirect_uri::RedirectUri;
use super::scope::Scopes;
use crate::base::secret::SecretHash;

/// An application as stored.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Application {
    pub id: ApplicationId,
    #[sqlx(try_from = "String")]
    pub client_id: ClientId,
    #[sqlx(flatten)]
    pub settings: ApplicationSettings,
    /// `None`: the administrators'.
    pub owner_id: Option<UserId>,
    /// The owner's user name; `None` also where the owner is deleted.
    pub owner: Option<String>,
    /// Speaks OAuth 1.0a too.
    pub oauth1: bool,
    /// What its RSA-SHA1 signatures are checked with: `SubjectPublicKeyInfo` in DER.
    pub oauth1_rsa_public_key: Option<Vec<u8>>,
    /// Counts the edits, so that one administrator's save does not silently undo another's.
    pub version: i64,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
    pub last_used_at: Option<OffsetDateTime>,
    pub disabled_at: Option<OffsetDateTime>,
}

/// What an administrator decides about an application.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "one a switch of the application")]
pub struct ApplicationSettings {
    pub name: String,
    /// Whether it can keep a secret (RFC 6749 §2.1).
    pub confidential: bool,
    /// Skips the consent page. Never set on a public application, which anybody can pass themselves off as.
    pub trusted: bool,
    pub require_pkce: bool,
    /// May introspect other applications' tokens: it is a resource server.
    pub introspect: bool,
    /// Whether redirects carry `iss` (RFC 9207). Some clients refuse it.
    pub send_iss: bool,
    /// Whether `http://localhost/…` matches on any port, as loopback addresses do (RFC 8252 §7.3).
    pub localhost_any_port: bool,
    #[sqlx(json)]
    pub redirect_uris: Vec<RedirectUri>,
    /// `None`: whatever is configured.
    #[sqlx(json(nullable))]
    pub scopes: Option<Scopes>,
    #[sqlx(json)]
    pub grants: BTreeSet<GrantType>,
    /// Seconds; `None`: as configured.
    pub access_token_ttl: Option<i64>,
    pub refresh_token_ttl: Option<i64>,
    pub refresh_token_max_ttl: Option<i64>,
    /// What a request that names no scope gets; `None`: the server's.
    #[sqlx(json(nullable))]
    pub default_scopes: Option<Scopes>,
    /// What a person may untick on the consent page; `None`: the server's.
    #[sqlx(json(nullable))]
    pub optional_scopes: Option<Scopes>,
    /// Seconds, of the tokens of one grant; the others have `access_token_ttl`.
    #[sqlx(json)]
    pub access_token_ttls: BTreeMap<GrantType, i64>,
    /// Asked again for the same by `client_credentials` or a refresh, it gets the access token that is good for
    /// half its life yet.
    pub reuse_access_token: bool,
    /// A refresh gives no new refresh token: the one presented stays good. Never set on a public application, of
    /// which rotation is what tells that a token was stolen (RFC 9700 §4.14.2).
    pub reuse_refresh_token: bool,
    /// A new authorization ends the earlier ones of the same user, a new token of its own the earlier ones.
    pub revoke_previous_tokens: bool,
    /// From where a browser may call the token endpoint in its name.
    #[sqlx(json)]
    pub allowed_origins: Vec<Origin>,
    /// For the users and groups alone that are named for it.
    pub restricted: bool,
    #[sqlx(json)]
    pub authentication: Box<ClientAuthentication>,
}

impl ApplicationSettings {
    pub fn allows(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }

    /// Whether a secret is what proves it.
    pub fn has_secret(&self) -> bool {
        self.confidential && !self.authentication.is_by_certificate()
    }

    /// The registered redirect URI that `asked` is (RFC 9700 §4.1.3), if any.
    pub fn redirect_uri(&self, asked: &str) -> Option<&RedirectUri> {
        self.redirect_uris
            .iter()
            .find(|uri| uri.matches(asked, self.localhost_any_port))
    }
}

impl ApplicationSettings {
    /// Which settings are others in `after`.
    pub fn differing(&self, after: &Self) -> Vec<&'static str> {
        differing!(
            self,
            after,
            name,
            confidential,
            trusted,
            require_pkce,
            introspect,
            send_iss,
            localhost_any_port,
            redirect_uris,
            scopes,
            grants,
            access_token_ttl,
            refresh_token_ttl,
            refresh_token_max_ttl,
            default_scopes,
            optional_scopes,
            access_token_ttls,
            reuse_access_token,
            reuse_refresh_token,
            revoke_previous_tokens,
            allowed_origins,
            restricted;
            authentication
        )
    }
}

impl Application {
    /// Who owns it, as people are told; `None`: the administrators do.
    pub fn owner_words(&self) -> Option<String> {
        self.owner_id
            .map(|_| self.owner.clone().unwrap_or_else(|| "a deleted user".to_owned()))
    }

    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }
}

/// An application with what it may authenticate by.
#[derive(Clone, Debug)]
pub struct Client {
    pub application: Application,
    pub secrets: Vec<ApplicationSecret>,
}

/// One of up to two live secrets.
#[derive(Clone, Debug)]
pub struct ApplicationSecret {
    pub id: SecretId,
    pub digest: SecretDigest,
    pub created_at: OffsetDateTime,
    pub last_used_at: Option<OffsetDateTime>,
    pub expires_at: Option<OffsetDateTime>,
}

impl ApplicationSecret {
    pub fn is_live(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// What is kept of a secret. A generated one carries 256 random bits, so a fast hash is enough; one
/// chosen by a person does not.
#[derive(Clone, Debug)]
pub enum SecretDigest {
    Generated(SecretHash),
    /// A PHC string of argon2id.
    Chosen(String),
}

/// How long what an application is given lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    pub access_token: Duration,
    pub refresh_token: Duration,
    pub refresh_token_max: Duration,
}
