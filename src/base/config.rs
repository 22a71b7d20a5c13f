//! The settings: read from the command line, the environment and a file, checked as a whole.
//!
//! Every setting has one entry in one table ([`SETTINGS`]); its name there is its name everywhere:
//! `listen` in the file, `TEGATA_LISTEN` in the environment, `--listen` on the command line. The
//! command line beats the environment, the environment the file, the file the default.

mod check;
mod database_url;
mod fault;
mod public_url;
mod source;
mod table;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use time::Duration;

use super::address::Network;
pub use database_url::{Database, DatabaseUrl};
pub use fault::{Fault, Faults};
pub use public_url::PublicUrl;
pub use source::{FileSource, Sources};
pub use table::{Preset, SETTINGS, Setting};
pub use value::{seconds, words};

/// How long an authorization code lives that a person copies by hand, whatever
/// `authorization_code_ttl` says.
pub const COPIED_CODE_TTL: Duration = Duration::minutes(10);

/// The scope that is there without being configured: it lets an administrator's token manage applications.
pub const APPLICATIONS_SCOPE: &str = "applications";

/// The settings, each valid by itself and with the others.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "one a switch of the server")]
pub struct Config {
    /// `None`: port 3801 on `127.0.0.1`, and on `[::1]` where there is IPv6.
    pub listen: Option<Vec<SocketAddr>>,
    /// `None`: `http://localhost` with the port in use, `https` with `tls_certificate`. [`Config::issuer`] has
    /// the answer.
    pub public_url: Option<PublicUrl>,
    pub database_url: DatabaseUrl,
    pub access_token_ttl: Duration,
    /// By the name of the grant; the others have `access_token_ttl`. Never `refresh_token`.
    pub access_token_ttl_by_grant: BTreeMap<String, Duration>,
    /// A refresh token unused for so long is dead.
    pub refresh_token_ttl: Duration,
    /// A grant is dead so long after its first refresh token, used or not. Never under
    /// `refresh_token_ttl`.
    pub refresh_token_max_ttl: Duration,
    /// Zero: a refresh answer is never given twice.
    pub refresh_token_retry_window: Duration,
    /// At most 10 minutes (RFC 6749 §4.1.2). See [`COPIED_CODE_TTL`].
    pub authorization_code_ttl: Duration,
    pub device_code_ttl: Duration,
    /// A session unused for so long is over.
    pub session_ttl: Duration,
    /// A session is over so long after the sign-in. Never under `session_ttl`.
    pub session_max_ttl: Duration,
    /// What the audit log holds is forgotten after this.
    pub audit_log_ttl: Duration,
    pub require_pkce: bool,
    /// Whether users who are no administrators may have applications of their own.
    pub user_applications: bool,
    /// Names of grants: `authorization_code`, `refresh_token`, `client_credentials`, `device_code`,
    /// `password`, `implicit`.
    pub grants: BTreeSet<String>,
    /// In the order they were given; names are unique and of the characters of RFC 6749 §3.3.
    pub scopes: Vec<ScopeEntry>,
    /// Every one is in `scopes`, or one of those stands for it; none stands for many.
    pub default_scopes: Vec<String>,
    /// What a person may untick on the consent page. As `default_scopes`, but may stand for many.
    pub optional_scopes: Vec<String>,
    /// By the name of the grant, all that it may give; the others give every scope. Never `refresh_token`.
    pub scopes_by_grant: BTreeMap<String, BTreeSet<String>>,
    /// Absolute URIs; none differs from another by a slash at its end alone.
    pub resources: Vec<String>,
    pub rate_limits: bool,
    /// Peers whose `Forwarded` and `X-Forwarded-*` are believed.
    pub trusted_proxies: Vec<Network>,
    /// PEM. Given together with `tls_key` or not at all.
    pub tls_certificate: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    /// PEM: the anchors of `tls_client_auth` (RFC 8705 §2.1).
    pub tls_client_ca: Option<PathBuf>,
    /// Where client certificates are asked for. `None`: wherever TLS is spoken.
    pub mtls_listen: Option<Vec<SocketAddr>>,
    /// https.
    pub mtls_public_url: Option<PublicUrl>,
    /// Lower-case. Believed from `trusted_proxies` alone, of which there is one at least.
    pub client_certificate_header: Option<String>,
    pub oauth1: bool,
    pub oauth1_access_token_ttl: Duration,
    /// A signed request is refused when it is so old (RFC 5849 §3.3).
    pub oauth1_timestamp_window: Duration,
    /// A signed request is refused when it is so far ahead.
    pub oauth1_clock_skew: Duration,
    /// Given wherever something is sealed on Postgres.
    pub sealing_key_file: Option<PathBuf>,
    /// Comma-separated: a level, or `target=level`.
    pub log: String,
    /// `None`: pretty on a terminal, else JSON.
    pub log_format: Option<LogFormat>,
}

/// A scope that is offered, and what people are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeEntry {
    pub name: String,
    pub description: String,
}

/// How a log record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Pretty,
    Json,
}

impl Config {
    /// Reads and checks every setting.
    ///
    /// # Errors
    /// All faults there are, not only the first: unknown names, wrong or empty values, values that do
    /// not go together, a file that cannot be read.
    pub fn load(sources: Sources) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let given = source::gather(sources, &mut faults);
        let mut config = Self::blank();
        for setting in SETTINGS {
            table::apply(setting, given.get(setting.name), &mut config, &mut faults);
        }
        check::together(&mut config, &given, &mut faults);
        if faults.is_empty() {
            Ok(config)
        } else {
            Err(faults)
        }
    }

    /// The issuer: `public_url`, or `http://localhost` with `port`, the port in use; `https` where TLS is spoken.
    pub fn issuer(&self, port: u16) -> PublicUrl {
        self.public_url
            .clone()
            .unwrap_or_else(|| PublicUrl::localhost(self.tls_certificate.is_some(), port))
    }

    /// Whether the server can see the certificate of a client (RFC 8705): at its own door, or by a proxy's word.
    pub fn sees_client_certificates(&self) -> bool {
        self.tls_certificate.is_some() || self.client_certificate_header.is_some()
    }

    /// Whether it sees them at the addresses that everybody uses, and not at those of `mtls_listen` alone.
    pub fn sees_client_certificates_everywhere(&self) -> bool {
        let at_its_door = self.tls_certificate.is_some() && self.mtls_listen.is_none();
        at_its_door || self.client_certificate_header.is_some()
    }

    /// Nothing set yet. The table fills in every field that is not optional.
    fn blank() -> Self {
        Self {
            listen: None,
            public_url: None,
            database_url: DatabaseUrl::in_memory(),
            access_token_ttl: Duration::ZERO,
            access_token_ttl_by_grant: BTreeMap::new(),
            refresh_token_ttl: Duration::ZERO,
            refresh_token_max_ttl: Duration::ZERO,
            refresh_token_retry_window: Duration::ZERO,
            authorization_code_ttl: Duration::ZERO,
            device_code_ttl: Duration::ZERO,
            session_ttl: Duration::ZERO,
            session_max_ttl: Duration::ZERO,
            audit_log_ttl: Duration::ZERO,
            require_pkce: false,
            user_applications: false,
            grants: BTreeSet::new(),
            scopes: Vec::new(),
            default_scopes: Vec::new(),
            optional_scopes: Vec::new(),
            scopes_by_grant: BTreeMap::new(),
            resources: Vec::new(),
            rate_limits: true,
            trusted_proxies: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            tls_client_ca: None,
            mtls_listen: None,
            mtls_public_url: None,
            client_certificate_header: None,
            oauth1: false,
            oauth1_access_token_ttl: Duration::ZERO,
            oauth1_timestamp_window: Duration::ZERO,
            oauth1_clock_skew: Duration::ZERO,
            sealing_key_file: None,
            log: String::new(),
            log_format: None,
        }
    }
}

#[cfg(test)]
mod tests;
