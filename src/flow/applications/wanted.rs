//! What is wanted of an application, as typed, and whether it can be had.

mod authentication;
pub(super) mod reserved;

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization;

pub use self::authentication::WantedAuthentication;
use super::Manager;
use crate::base::config::seconds;
use crate::base::secret::Secret;
use crate::flow::App;
use crate::model::access::Allowed;
use crate::model::application::ApplicationSettings;
use crate::model::client_id::ClientId;
use crate::model::grant_type::GrantType;
use crate::model::ids::ApplicationId;
use crate::model::origin::Origin;
use crate::model::redirect_uri::RedirectUri;
use crate::model::scope::{Scope, Scopes};
use crate::protocol::scope::APPLICATIONS;

/// Most characters of a name, most redirect URIs.
const LONGEST_NAME: usize = 100;
pub const MOST_REDIRECT_URIS: usize = 100;
const MOST_ORIGINS: usize = 20;
/// Characters of a secret that a person chooses.
const CHOSEN_SECRET: std::ops::RangeInclusive<usize> = 32..=1024;
/// What can be wrong, in the order of the form.
const FIELDS: [&str; 34] = [
    "client_id",
    "client_secret",
    "name",
    "redirect_uris",
    "scopes",
    "default_scopes",
    "optional_scopes",
    "grants",
    "access_token_ttl",
    "refresh_token_ttl",
    "refresh_token_max_ttl",
    "access_token_ttls",
    "reuse_access_token",
    "reuse_refresh_token",
    "revoke_previous_tokens",
    "allowed_origins",
    "oauth1",
    "oauth1_rsa_public_key",
    "send_iss",
    "introspect",
    "trusted",
    "token_endpoint_auth_method",
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
    "certificates",
    "jwks",
    "tls_client_certificate_bound_access_tokens",
    "owner",
    "restricted",
    "users",
    "groups",
];
/// Ten years, in seconds.
const LONGEST_TTL: i64 = 10 * 365 * 86_400;

/// The fields as they were typed, sent or given on the command line.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one a switch of the application")]
pub struct Wanted {
    pub name: String,
    pub redirect_uris: Vec<String>,
    pub confidential: bool,
    /// `None`: whatever is configured, now and later.
    pub scopes: Option<Vec<String>>,
    /// `None`: `authorization_code` and `refresh_token`, and `client_credentials` where it is confidential.
    pub grants: Option<Vec<String>>,
    pub trusted: bool,
    pub require_pkce: bool,
    pub introspect: bool,
    /// `None`: yes.
    pub send_iss: Option<bool>,
    /// `None`: for public applications.
    pub localhost_any_port: Option<bool>,
    /// Empty: the server's.
    pub access_token_ttl: String,
    pub refresh_token_ttl: String,
    pub refresh_token_max_ttl: String,
    /// None named: the server's.
    pub default_scopes: Vec<String>,
    pub optional_scopes: Vec<String>,
    /// By the name of the grant; empty: as `access_token_ttl` says.
    pub access_token_ttls: BTreeMap<String, String>,
    pub reuse_access_token: bool,
    pub reuse_refresh_token: bool,
    pub revoke_previous_tokens: bool,
    pub allowed_origins: Vec<String>,
    /// Speaks OAuth 1.0a too; `None`: as it is, and a new one does not.
    pub oauth1: Option<bool>,
    /// A PEM text; empty: none. `None`: as it is.
    pub oauth1_rsa_public_key: Option<String>,
    /// The user name of whose it is to be; empty: the administrators'. `None`: as it is, and a new one of whoever
    /// registers it, unless that is an administrator.
    pub owner: Option<String>,
    /// For `users` and `groups` alone; otherwise none are named.
    pub restricted: bool,
    /// User names, in any spelling of them.
    pub users: Vec<String>,
    pub groups: Vec<String>,
    /// `None`: as it is, and a new one by its secret.
    pub authentication: Option<Box<WantedAuthentication>>,
    /// For a new application alone: of several with one id, the first is registered. `None`: generated.
    pub id: Option<ApplicationId>,
    /// For a new application alone. Empty: generated.
    pub client_id: String,
    pub client_secret: Option<Secret>,
}

/// What is wrong, by field: several sentences a field, in the order of the form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults(Vec<(&'static str, String)>);

impl Faults {
    pub(super) fn of(field: &'static str, message: String) -> Self {
        Self(vec![(field, message)])
    }

    pub(in crate::flow) fn add(&mut self, field: &'static str, message: impl Into<String>) {
        self.0.push((field, message.into()));
    }

    /// Nothing, or all that is wrong, in the order of the form.
    fn into_result(mut self) -> Result<(), Self> {
        let place = |field: &str| FIELDS.iter().position(|known| *known == field);
        self.0.sort_by_key(|(field, _)| place(field));
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    pub(in crate::flow) fn has(&self, field: &str) -> bool {
        self.0.iter().any(|(faulty, _)| *faulty == field)
    }

    /// Field and sentence.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(field, message)| (*field, message.as_str()))
    }
}

impl Wanted {
    /// What is registered already, to be changed in part.
    pub fn of(settings: &ApplicationSettings, allowed: &Allowed) -> Self {
        let ttl = |seconds: Option<i64>| seconds.map(|seconds| seconds.to_string()).unwrap_or_default();
        Self {
            name: settings.name.clone(),
            redirect_uris: settings
                .redirect_uris
                .iter()
                .map(|uri| uri.as_str().to_owned())
                .collect(),
            confidential: settings.confidential,
            scopes: settings
                .scopes
                .as_ref()
                .map(|scopes| scopes.iter().map(Scope::to_string).collect()),
            grants: Some(
                settings
                    .grants
                    .iter()
                    .map(|grant| grant.name().to_owned())
                    .collect(),
            ),
            trusted: settings.trusted,
            require_pkce: settings.require_pkce,
            introspect: settings.introspect,
            send_iss: Some(settings.send_iss),
            localhost_any_port: Some(settings.localhost_any_port),
            access_token_ttl: ttl(settings.access_token_ttl),
            refresh_token_ttl: ttl(settings.refresh_token_ttl),
            refresh_token_max_ttl: ttl(settings.refresh_token_max_ttl),
            default_scopes: names(settings.default_scopes.as_ref()),
            optional_scopes: names(settings.optional_scopes.as_ref()),
            access_token_ttls: settings
                .access_token_ttls
                .iter()
                .map(|(grant, seconds)| (grant.name().to_owned(), seconds.to_string()))
                .collect(),
            reuse_access_token: settings.reuse_access_token,
            reuse_refresh_token: settings.reuse_refresh_token,
            revoke_previous_tokens: settings.revoke_previous_tokens,
            allowed_origins: settings.allowed_origins.iter().map(Origin::to_string).collect(),
            oauth1: None,
            oauth1_rsa_public_key: None,
            owner: None,
            restricted: settings.restricted,
            users: allowed.users.as_slice().to_vec(),
            groups: allowed.groups.as_slice().to_vec(),
            authentication: Some(Box::new(WantedAuthentication::of(&settings.authentication))),
            id: None,
            client_id: String::new(),
            client_secret: None,
        }
    }

    /// Who may use it stays as it is.
    pub fn keep_access(&mut self, settings: &ApplicationSettings, allowed: &Allowed) {
        self.restricted = settings.restricted;
        self.users = allowed.users.as_slice().to_vec();
        self.groups = allowed.groups.as_slice().to_vec();
    }

    /// `faults`: what was found already.
    pub(super) fn check(
        &self,
        app: &App,
        by: Manager,
        before: &ApplicationSettings,
        mut faults: Faults,
    ) -> Result<ApplicationSettings, Faults> {
        let settings = self.settings(app, Some(before), &mut faults);
        reserved::check(app, by, Some(before), &settings, &mut faults);
        authentication::is_offered(app, Some(before), &settings, &mut faults);
        faults.into_result().map(|()| settings)
    }

    pub(super) fn check_new(
        &self,
        app: &App,
        by: Manager,
        mut faults: Faults,
    ) -> Result<(ApplicationSettings, Option<ClientId>), Faults> {
        let settings = self.settings(app, None, &mut faults);
        reserved::check(app, by, None, &settings, &mut faults);
        authentication::is_offered(app, None, &settings, &mut faults);
        let client_id = self.chosen_client_id(&mut faults);
        self.check_secret(app, &settings, &mut faults);
        faults.into_result().map(|()| (settings, client_id))
    }

    fn settings(
        &self,
        app: &App,
        before: Option<&ApplicationSettings>,
        faults: &mut Faults,
    ) -> ApplicationSettings {
        let name = name(&self.name, faults);
        let redirect_uris = self.registered_uris(faults);
        let scopes = self.restricted_scopes(app, faults);
        let grants = self.allowed_grants(app, faults);
        let settings = ApplicationSettings {
            name,
            confidential: self.confidential,
            trusted: self.trusted,
            require_pkce: self.require_pkce,
            introspect: self.introspect,
            send_iss: self.send_iss.unwrap_or(true),
            localhost_any_port: self.localhost_any_port.unwrap_or(!self.confidential),
            redirect_uris,
            scopes,
            grants,
            access_token_ttl: ttl("access_token_ttl", &self.access_token_ttl, faults),
            refresh_token_ttl: ttl("refresh_token_ttl", &self.refresh_token_ttl, faults),
            refresh_token_max_ttl: ttl("refresh_token_max_ttl", &self.refresh_token_max_ttl, faults),
            default_scopes: known_scopes(app, "default_scopes", &self.default_scopes, faults),
            optional_scopes: known_scopes(app, "optional_scopes", &self.optional_scopes, faults),
            access_token_ttls: self.lifetimes_by_grant(faults),
            reuse_access_token: self.reuse_access_token,
            reuse_refresh_token: self.reuse_refresh_token,
            revoke_previous_tokens: self.revoke_previous_tokens,
            allowed_origins: self.origins(faults),
            restricted: self.restricted,
            authentication: match &self.authentication {
                Some(wanted) => Box::new(wanted.read(faults)),
                None => before
                    .map(|before| before.authentication.clone())
                    .unwrap_or_default(),
            },
        };
        authentication::fits(&settings, faults);
        belongs_together(app, &settings, self.redirect_uris.is_empty(), faults);
        settings
    }

    fn registered_uris(&self, faults: &mut Faults) -> Vec<RedirectUri> {
        if self.redirect_uris.len() > MOST_REDIRECT_URIS {
            faults.add(
                "redirect_uris",
                format!("At most {MOST_REDIRECT_URIS} redirect URIs are allowed."),
            );
            return Vec::new();
        }
        let mut uris: Vec<RedirectUri> = Vec::new();
        for text in &self.redirect_uris {
            match RedirectUri::register(text) {
                Ok(uri) if uris.contains(&uri) => {}
                Ok(uri) => uris.push(uri),
                Err(error) => faults.add("redirect_uris", format!("{error}.")),
            }
        }
        uris
    }

    fn lifetimes_by_grant(&self, faults: &mut Faults) -> BTreeMap<GrantType, i64> {
        let mut lifetimes = BTreeMap::new();
        for (name, text) in &self.access_token_ttls {
            let Ok(grant) = GrantType::parse(name) else {
                faults.add("access_token_ttls", format!("`{name}` is no grant."));
                continue;
            };
            if let Some(seconds) = ttl("access_token_ttls", text, faults) {
                lifetimes.insert(grant, seconds);
            }
        }
        lifetimes
    }

    fn origins(&self, faults: &mut Faults) -> Vec<Origin> {
        if self.allowed_origins.len() > MOST_ORIGINS {
            faults.add(
                "allowed_origins",
                format!("At most {MOST_ORIGINS} origins are allowed."),
            );
            return Vec::new();
        }
        let mut origins = BTreeSet::new();
        for text in &self.allowed_origins {
            match Origin::register(text) {
                Ok(origin) => drop(origins.insert(origin)),
                Err(error) => faults.add("allowed_origins", error.to_string()),
            }
        }
        origins.into_iter().collect()
    }

    fn restricted_scopes(&self, app: &App, faults: &mut Faults) -> Option<Scopes> {
        let named = self.scopes.as_ref()?;
        let scopes = known_scopes(app, "scopes", named, faults);
        // Taken for no restriction, a list that was emptied would open everything.
        if scopes.is_none() && !faults.has("scopes") {
            faults.add(
                "scopes",
                "Name at least one scope, or none at all for whatever is configured.",
            );
        }
        Some(scopes.unwrap_or_default())
    }

    fn allowed_grants(&self, app: &App, faults: &mut Faults) -> BTreeSet<GrantType> {
        let Some(names) = &self.grants else {
            return default_grants(app, self.confidential);
        };
        let mut grants = BTreeSet::new();
        for name in names
            .iter()
            .flat_map(|list| list.split([' ', ',']))
            .filter(|name| !name.is_empty())
        {
            match GrantType::parse(name) {
                Ok(grant) if app.offers(grant) => drop(grants.insert(grant)),
                _ => faults.add(
                    "grants",
                    format!(
                        "This server does not offer `{name}`; it offers: {}.",
                        offered(app)
                    ),
                ),
            }
        }
        if grants.is_empty() && !faults.has("grants") {
            faults.add("grants", "Choose at least one grant.");
        }
        grants
    }

    fn chosen_client_id(&self, faults: &mut Faults) -> Option<ClientId> {
        if self.client_id.is_empty() {
            return None;
        }
        if uuid::Uuid::parse_str(&self.client_id).is_ok() {
            faults.add(
                "client_id",
                "A client_id is no UUID: it could be a user's, and a resource server would take one for the other.",
            );
            return None;
        }
        ClientId::parse(&self.client_id)
            .map_err(|_| {
                faults.add(
                    "client_id",
                    "A client_id has 1 to 128 characters: letters, digits and the signs - _ . only.",
                );
            })
            .ok()
    }

    fn check_secret(&self, app: &App, settings: &ApplicationSettings, faults: &mut Faults) {
        let Some(secret) = &self.client_secret else { return };
        if !self.confidential {
            faults.add(
                "client_secret",
                "A public application has no secret: leave it out, or make it confidential.",
            );
        }
        if settings.authentication.is_by_certificate() {
            faults.add(
                "client_secret",
                "An application that authenticates by a certificate has no secret: leave it out.",
            );
        }
        let characters = secret.expose().chars().count();
        // A sandbox protects nobody, and takes the secret that a test has always had.
        let fewest = if app.is_sandbox { 1 } else { *CHOSEN_SECRET.start() };
        let most = *CHOSEN_SECRET.end();
        let fits = (fewest..=most).contains(&characters);
        if !fits || secret.expose().chars().any(char::is_control) {
            faults.add(
                "client_secret",
                format!(
                    "A chosen secret has {fewest} to {most} visible characters; this one has {characters}."
                ),
            );
        }
    }
}

fn name(text: &str, faults: &mut Faults) -> String {
    // One spelling of what looks the same: people compare the names by eye.
    let name: String = text.trim().nfc().collect();
    let length = name.chars().count();
    if length == 0 {
        faults.add(
            "name",
            "Enter a name: people read it when they are asked to allow the application.",
        );
    } else if length > LONGEST_NAME {
        faults.add(
            "name",
            format!("A name has at most {LONGEST_NAME} characters; this one has {length}."),
        );
    } else if name.chars().any(is_deceptive) {
        faults.add(
            "name",
            "The name holds invisible or direction-changing characters, by which it could pass for another: \
             use visible ones.",
        );
    }
    name
}

fn names(scopes: Option<&Scopes>) -> Vec<String> {
    scopes
        .into_iter()
        .flat_map(Scopes::iter)
        .map(Scope::to_string)
        .collect()
}

/// `None` where none is named.
fn known_scopes(app: &App, field: &'static str, lists: &[String], faults: &mut Faults) -> Option<Scopes> {
    let mut scopes = Vec::new();
    for name in lists.iter().flat_map(|list| list.split_whitespace()) {
        match Scope::parse(name) {
            Ok(scope) if app.catalog.knows(name) => scopes.push(scope),
            _ => faults.add(
                field,
                format!("`{name}` is not configured; there are: {}.", known(app)),
            ),
        }
    }
    (!scopes.is_empty()).then(|| scopes.into_iter().collect())
}

/// Control, zero-width, bidirectional and other characters that show nothing.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn ttl(field: &'static str, text: &str, faults: &mut Faults) -> Option<i64> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let seconds = seconds(text).filter(|seconds| (1..=LONGEST_TTL).contains(seconds));
    if seconds.is_none() {
        faults.add(
            field,
            format!("`{text}` is no duration: write `60s`, `15m`, `1h`, `30d` or a number of seconds."),
        );
    }
    seconds
}

fn known(app: &App) -> String {
    app.catalog
        .known()
        .into_iter()
        .map(|(name, _)| name)
        .collect::<Vec<_>>()
        .join(", ")
}

fn offered(app: &App) -> String {
    app.offered_grants()
        .into_iter()
        .map(GrantType::name)
        .collect::<Vec<_>>()
        .join(", ")
}

/// What an application may use where nobody says what it is for.
pub fn default_grants(app: &App, confidential: bool) -> BTreeSet<GrantType> {
    let mut usual = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
    if confidential {
        usual.push(GrantType::ClientCredentials);
    }
    usual.into_iter().filter(|grant| app.offers(*grant)).collect()
}

fn belongs_together(app: &App, settings: &ApplicationSettings, no_uri_typed: bool, faults: &mut Faults) {
    let leads_there = [GrantType::AuthorizationCode, GrantType::Implicit]
        .into_iter()
        .find(|grant| settings.allows(*grant));
    if let Some(grant) = leads_there.filter(|_| no_uri_typed) {
        faults.add(
            "redirect_uris",
            format!("Enter at least one redirect URI: the {grant} grant leads there."),
        );
    }
    if !settings.confidential && settings.allows(GrantType::ClientCredentials) {
        faults.add(
            "grants",
            "A public application cannot use client_credentials: it has nothing to prove itself by.",
        );
    }
    if !settings.confidential && settings.trusted {
        faults.add(
            "trusted",
            "Only a confidential application can be trusted: anybody can pass for a public one.",
        );
    }
    if !settings.confidential && settings.introspect {
        faults.add(
            "introspect",
            "Only a confidential application can introspect: a public one has no secret.",
        );
    }
    default_scopes_can_be_granted(settings, faults);
    scopes_fit(
        "default_scopes",
        settings.default_scopes.as_ref(),
        settings,
        faults,
    );
    scopes_fit(
        "optional_scopes",
        settings.optional_scopes.as_ref(),
        settings,
        faults,
    );
    if settings.reuse_access_token && !settings.has_secret() {
        faults.add(
            "reuse_access_token",
            "Only an application with a secret can be given a token again: it is sealed under the secret.",
        );
    }
    if settings.reuse_refresh_token && !settings.confidential {
        faults.add(
            "reuse_refresh_token",
            "A public application gets a new refresh token each time: that is how a stolen one is noticed.",
        );
    }
    if settings.reuse_access_token && settings.revoke_previous_tokens {
        faults.add(
            "revoke_previous_tokens",
            "Choose one of the two: earlier tokens are either given again or revoked.",
        );
    }
    let idle = settings
        .refresh_token_ttl
        .unwrap_or(app.config.refresh_token_ttl.whole_seconds());
    let absolute = settings
        .refresh_token_max_ttl
        .unwrap_or(app.config.refresh_token_max_ttl.whole_seconds());
    if idle > absolute {
        faults.add(
            "refresh_token_max_ttl",
            "The absolute end comes before the idle one: make it at least as long.",
        );
    }
}

fn default_scopes_can_be_granted(settings: &ApplicationSettings, faults: &mut Faults) {
    for scope in settings.default_scopes.iter().flat_map(Scopes::iter) {
        if scope.is_pattern() {
            faults.add(
                "default_scopes",
                format!("{scope} stands for many scopes: name the one that is meant."),
            );
        } else if scope.as_str() == APPLICATIONS {
            faults.add(
                "default_scopes",
                format!("{APPLICATIONS} is only granted where it is asked for by name."),
            );
        }
    }
}

/// A scope that is granted by default or may be unticked is one that may be asked for.
fn scopes_fit(
    field: &'static str,
    named: Option<&Scopes>,
    settings: &ApplicationSettings,
    faults: &mut Faults,
) {
    let (Some(named), Some(allowed)) = (named, &settings.scopes) else {
        return;
    };
    let beyond = named.beyond(allowed);
    if !beyond.is_empty() {
        faults.add(
            field,
            format!("The application may not ask for {beyond}: tick it among its scopes first."),
        );
    }
}
