//! What the server does: one file a deed. Owns the transactions; knows nothing of HTTP.

pub mod access;
pub mod applications;
pub mod audit;
pub mod authorize;
pub mod authorized;
pub mod bearer;
pub mod check;
mod client_auth;
mod clients;
pub mod device;
pub mod doctor;
pub mod error;
pub mod failed_requests;
pub mod families;
pub mod guard;
pub mod introspect;
mod issue;
pub mod login;
pub mod memos;
pub mod oauth1;
pub mod origins;
pub mod outbound;
mod retry;
mod reuse;
pub mod revoke;
pub mod sandbox;
mod seal;
pub mod sealing;
pub mod sessions;
pub mod setup;
pub mod sweep;
pub mod token;
mod usage;
pub mod users;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use time::OffsetDateTime;

use crate::base::clock::Clock;
use crate::base::config::{Config, PublicUrl};
use crate::base::entropy::Entropy;
use crate::base::password::Passwords;
use crate::base::sealing::SealingKeys;
use crate::model::application::{ApplicationSettings, Lifetimes};
use crate::model::grant_type::GrantType;
use crate::model::resource::{Resource, Resources};
use crate::model::scope::{Scope, Scopes};
use crate::protocol::client_auth::mtls::Anchors;
use crate::protocol::scope::Catalog;
use crate::store::Db;

/// The path of the protected resource that is our own.
pub const MEMOS: &str = "/api/memos";

/// Everything a deed needs. Cloning is cheap and shares it.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// The parts of [`App`].
pub struct Inner {
    pub(crate) db: Db,
    pub clock: Clock,
    pub entropy: Entropy,
    pub config: Config,
    /// The issuer: `public_url`, byte for byte.
    pub issuer: PublicUrl,
    pub catalog: Catalog,
    ttl_by_grant: BTreeMap<GrantType, time::Duration>,
    /// The resources that tokens are given for (RFC 8707): those configured and our own.
    pub resources: Resources,
    /// `/api/memos`, as the resource that it is.
    pub memos: Resource,
    pub passwords: Passwords,
    /// Whether nothing here is real: pages say so, and passwords are hashed at hardly any cost.
    pub is_sandbox: bool,
    /// There where OAuth 1.0a is on, for whoever serves or seals.
    pub(crate) sealing: Option<SealingKeys>,
    written_down: sealing::WrittenDown,
    clients: clients::Clients,
    /// The authorities whose certificates prove clients.
    client_anchors: Anchors,
    usage: usage::Usage,
    failed_requests: failed_requests::FailedRequests,
    audited_failures: audit::Failures,
    /// No application has `iss` switched off, as far as was seen.
    all_send_iss: AtomicBool,
    origins: origins::Origins,
    retries: retry::Exhausted,
    nonces: oauth1::nonces::Nonces,
    pub guard: guard::Guard,
}

/// What is to be done, and so which files beside the store are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// All of them.
    Serve,
    /// The sealing keys; the first is made.
    Seal,
    /// None.
    Manage,
    /// All of them, and nothing is real.
    Sandbox,
}

impl Purpose {
    fn serves(self) -> bool {
        matches!(self, Self::Serve | Self::Sandbox)
    }
}

impl App {
    /// Opens and migrates the store, to serve.
    ///
    /// # Errors
    /// What is wrong, in words for an operator.
    pub async fn open(
        config: Config,
        clock: Clock,
        entropy: Entropy,
        issuer: PublicUrl,
    ) -> Result<Self, OpenError> {
        Box::pin(Self::open_to(Purpose::Serve, config, clock, entropy, issuer)).await
    }

    /// As [`App::open`], for a purpose. The store is not touched where a setting is wrong.
    ///
    /// # Errors
    /// What is wrong, in words for an operator.
    pub async fn open_to(
        purpose: Purpose,
        config: Config,
        clock: Clock,
        entropy: Entropy,
        issuer: PublicUrl,
    ) -> Result<Self, OpenError> {
        let catalog = catalog(&config)?;
        let ttl_by_grant = config
            .access_token_ttl_by_grant
            .iter()
            .map(|(name, ttl)| Ok((grant(name)?, *ttl)))
            .collect::<Result<_, String>>()?;
        let memos = resource(&issuer.join(MEMOS))?;
        let resources = resources(&config, &memos)?;
        let is_sandbox = purpose == Purpose::Sandbox;
        let passwords = if is_sandbox {
            Passwords::cheap(entropy.clone())
        } else {
            Passwords::new(entropy.clone())
        };
        let client_anchors = match &config.tls_client_ca {
            Some(file) if purpose.serves() => anchors(file)?,
            _ => Anchors::default(),
        };
        let db = Box::pin(Db::open(config.database_url.database()))
            .await
            .map_err(|error| OpenError::Store(error.to_string()))?;
        let sealing = if config.oauth1 && purpose != Purpose::Manage {
            Some(Box::pin(sealing::open(&config, &db, &clock, &entropy)).await?)
        } else {
            None
        };
        let app = Self(Arc::new(Inner {
            db,
            clock,
            clients: clients::Clients::new(&entropy),
            client_anchors,
            entropy,
            guard: guard::Guard::new(config.rate_limits),
            config,
            issuer,
            catalog,
            ttl_by_grant,
            resources,
            memos,
            passwords,
            is_sandbox,
            sealing,
            written_down: sealing::WrittenDown::default(),
            usage: usage::Usage::default(),
            failed_requests: failed_requests::FailedRequests::default(),
            audited_failures: audit::Failures::default(),
            all_send_iss: AtomicBool::new(true),
            origins: origins::Origins::default(),
            retries: retry::Exhausted::default(),
            nonces: oauth1::nonces::Nonces::default(),
        }));
        applications::look_for_iss(&app).await;
        Ok(app)
    }

    /// Whether the metadata may promise `iss` in every answer (RFC 9207 §3).
    pub fn promises_iss(&self) -> bool {
        self.all_send_iss.load(Ordering::Relaxed)
    }

    /// Whether a certificate of an authority can prove a client (RFC 8705 §2.1).
    pub fn knows_authorities(&self) -> bool {
        self.config.tls_client_ca.is_some()
    }

    /// Under which URL a client certificate is asked for (RFC 8705 §5); `None` where none is seen.
    pub fn mtls_url(&self) -> Option<String> {
        let config = &self.config;
        if !config.sees_client_certificates() {
            return None;
        }
        if let Some(url) = &config.mtls_public_url {
            return Some(url.as_str().to_owned());
        }
        let own_port = config.mtls_listen.iter().flatten().next().map(SocketAddr::port);
        Some(own_port.map_or_else(
            || self.issuer.as_str().to_owned(),
            |port| format!("https://{}:{port}{}", self.issuer.host(), self.issuer.path()),
        ))
    }

    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// The grants that this server offers.
    pub fn offered_grants(&self) -> Vec<GrantType> {
        GrantType::ALL
            .into_iter()
            .filter(|grant| self.config.grants.contains(grant.name()))
            .collect()
    }

    pub fn offers(&self, grant: GrantType) -> bool {
        self.offered_grants().contains(&grant)
    }

    /// How long lives what `application` is given by `grant` (of what is refreshed, the grant that it came
    /// of): its own settings before the server's, and those for the grant before those for all.
    pub fn lifetimes(&self, application: &ApplicationSettings, grant: GrantType) -> Lifetimes {
        let own = |seconds: Option<i64>, default| seconds.map_or(default, time::Duration::seconds);
        let own_access = application.access_token_ttls.get(&grant).copied();
        let by_grant = self.ttl_by_grant.get(&grant).copied();
        Lifetimes {
            access_token: own(
                own_access.or(application.access_token_ttl),
                by_grant.unwrap_or(self.config.access_token_ttl),
            ),
            refresh_token: own(application.refresh_token_ttl, self.config.refresh_token_ttl),
            refresh_token_max: own(
                application.refresh_token_max_ttl,
                self.config.refresh_token_max_ttl,
            ),
        }
    }

    /// Whether the store can be reached.
    ///
    /// # Errors
    /// The store's own words.
    pub async fn ready(&self) -> Result<(), error::Refusal> {
        Ok(self.db.ready().await?)
    }

    /// Writes what is still to be written and lets the store go.
    pub async fn close(&self) {
        usage::flush(self).await;
        failed_requests::flush(self).await;
        audit::flush(self).await;
        self.db.close().await;
    }
}

/// Why a server cannot be assembled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// The store, or what is to be kept in it.
    Store(String),
    /// The file of the keys that secrets are sealed under.
    SealingKeys(String),
    /// A setting, which it names.
    Setting(String),
}

impl From<String> for OpenError {
    fn from(why: String) -> Self {
        Self::Setting(why)
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Store(why) | Self::SealingKeys(why) | Self::Setting(why)) = self;
        f.write_str(why)
    }
}

impl std::error::Error for OpenError {}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("issuer", &self.issuer.as_str())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inner")
    }
}

fn resource(text: &str) -> Result<Resource, String> {
    Resource::parse(text).map_err(|error| format!("resources: {text} {error}"))
}

/// Our own is known in our own spelling alone, whatever is configured.
fn resources(config: &Config, memos: &Resource) -> Result<Resources, String> {
    let mut known = vec![memos.clone()];
    for text in &config.resources {
        known.push(resource(text)?);
    }
    known.retain(|resource| resource == memos || !resource.is(memos));
    Ok(known.into_iter().collect())
}

fn anchors(file: &Path) -> Result<Anchors, String> {
    let told = |why: String| format!("tls_client_ca: {}: {why}", file.display());
    let pem = std::fs::read(file).map_err(|error| told(error.to_string()))?;
    Anchors::parse(&pem).map_err(told)
}

fn catalog(config: &Config) -> Result<Catalog, String> {
    let described = config
        .scopes
        .iter()
        .map(|entry| Ok((scope(&entry.name)?, entry.description.clone())))
        .collect::<Result<_, String>>()?;
    let by_grant = config
        .scopes_by_grant
        .iter()
        .map(|(name, names)| Ok((grant(name)?, scopes(names)?)))
        .collect::<Result<_, String>>()?;
    Ok(Catalog::new(described, scopes(&config.default_scopes)?)
        .with_optional(scopes(&config.optional_scopes)?)
        .with_grants(by_grant))
}

fn scope(name: &str) -> Result<Scope, String> {
    Scope::parse(name).map_err(|_| format!("scopes: {name} is not a scope name"))
}

fn scopes<'a>(names: impl IntoIterator<Item = &'a String>) -> Result<Scopes, String> {
    names.into_iter().map(|name| scope(name)).collect()
}

fn grant(name: &str) -> Result<GrantType, String> {
    GrantType::parse(name).map_err(|_| format!("{name} is not a grant"))
}
