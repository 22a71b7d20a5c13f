//! The audit log: what happened, to whom, and what may be told of it.
//!
//! An event is put together from names, ids, numbers, times and scopes. There is no member for a text that somebody
//! sent, so a secret, or a password typed where the user name belongs, cannot get in.

use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::caller::{Actor, Caller};
use super::family::Fingerprint;
use super::grant::Family;
use super::ids::{ApplicationId, AuditEventId, GrantId, SecretId, UserId};
use super::scope::Scopes;

/// Whether what was wanted came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Success,
    Failure,
}

macro_rules! events {
    ($($name:ident $text:literal $outcome:ident $words:literal,)+) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum EventName { $($name),+ }

        impl EventName {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// As stored and exported.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }

            pub const fn outcome(self) -> Outcome {
                match self { $(Self::$name => Outcome::$outcome),+ }
            }

            /// For people.
            pub const fn words(self) -> &'static str {
                match self { $(Self::$name => $words),+ }
            }
        }
    };
}

events! {
    SignedIn "signed_in" Success "Signed in",
    SignInFailed "sign_in_failed" Failure "Sign-in failed",
    SignInThrottled "sign_in_throttled" Failure "Sign-in refused after too many attempts",
    SignedOut "signed_out" Success "Signed out",
    SessionsEnded "sessions_ended" Success "Signed out everywhere",
    PasswordChanged "password_changed" Success "Password changed by its user",
    PasswordReset "password_reset" Success "Password set anew",
    UserCreated "user_created" Success "User created",
    UserDisabled "user_disabled" Success "User disabled",
    UserEnabled "user_enabled" Success "User enabled",
    UserDeleted "user_deleted" Success "User deleted",
    GroupsChanged "groups_changed" Success "Groups of a user changed",
    AdministratorMade "administrator_made" Success "Made an administrator",
    AdministratorUnmade "administrator_unmade" Success "No administrator any more",
    SetupLinkUsed "setup_link_used" Success "First administrator created by the set-up link",
    ApplicationCreated "application_created" Success "Application registered",
    ApplicationChanged "application_changed" Success "Application changed",
    ApplicationDisabled "application_disabled" Success "Application disabled",
    ApplicationEnabled "application_enabled" Success "Application enabled",
    ApplicationDeleted "application_deleted" Success "Application deleted",
    SecretRotated "secret_rotated" Success "Client secret generated",
    SecretRetired "secret_retired" Success "Client secret retired",
    ConsumerSecretGenerated "consumer_secret_generated" Success "OAuth 1.0a consumer secret generated",
    OAuth1Enabled "oauth1_enabled" Success "OAuth 1.0a allowed to an application",
    OAuth1Disabled "oauth1_disabled" Success "OAuth 1.0a taken from an application",
    ClientAuthenticationFailed "client_authentication_failed" Failure "Client authentication failed",
    ConsentGiven "consent_given" Success "Application authorized",
    ConsentDenied "consent_denied" Success "Authorization denied",
    ConsentWithdrawn "consent_withdrawn" Success "Authorization withdrawn",
    GrantRevoked "grant_revoked" Success "Grant revoked",
    TokenRevoked "token_revoked" Success "Token revoked",
    CodeReplayed "code_replayed" Failure "Authorization code replayed: its grant is revoked",
    RequestTokenReplayed "request_token_replayed" Failure "OAuth 1.0a request token replayed: its grant is revoked",
    SealingKeyRotated "sealing_key_rotated" Success "Secrets sealed anew under a fresh key",
    SealingKeyForgotten "sealing_key_forgotten" Success "Sealing key given up",
    RefreshTokenReplayed "refresh_token_replayed" Failure "Refresh token replayed: its grant is revoked",
}

impl EventName {
    /// `None` for a name that this version does not know.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.as_str() == text)
    }
}

/// What is told of an event besides who and whom. Absent members are not written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// The settings that were changed, never their values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Scopes>,
    /// The name of a reason that this server knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Whether the user is an administrator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub administrator: Option<bool>,
    /// Names a client secret; opens nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_id: Option<SecretId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// How many sessions ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u64>,
    /// How many grants were revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<u64>,
    /// How often it happened, where it is counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    #[serde(
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub last_at: Option<OffsetDateTime>,
    /// The application whose token the actor's program used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<ApplicationId>,
}

/// Something that happened, before it is known who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub name: EventName,
    pub user: Option<UserId>,
    pub application: Option<ApplicationId>,
    pub grant: Option<GrantId>,
    pub detail: Detail,
}

impl Event {
    pub fn new(name: EventName) -> Self {
        Self {
            name,
            user: None,
            application: None,
            grant: None,
            detail: Detail::default(),
        }
    }

    /// Something that happened to a grant.
    pub fn of_family(name: EventName, family: &Family) -> Self {
        Self::new(name)
            .user(family.user_id)
            .application(family.application_id)
            .grant(family.grant_id)
    }

    #[must_use]
    pub fn user(self, user: impl Into<Option<UserId>>) -> Self {
        Self {
            user: user.into(),
            ..self
        }
    }

    #[must_use]
    pub fn application(self, application: impl Into<Option<ApplicationId>>) -> Self {
        Self {
            application: application.into(),
            ..self
        }
    }

    #[must_use]
    pub fn grant(self, grant: impl Into<Option<GrantId>>) -> Self {
        Self {
            grant: grant.into(),
            ..self
        }
    }

    #[must_use]
    pub fn detail(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }
}

/// An event as it is written down.
#[derive(Clone, Debug)]
pub struct NewAuditEvent {
    pub id: AuditEventId,
    pub at: OffsetDateTime,
    pub event: Event,
    pub actor: Actor,
    pub address: Option<String>,
    pub request_id: Option<String>,
}

impl NewAuditEvent {
    /// What `caller` did at `at`, of which `id` is made.
    pub fn new(id: AuditEventId, at: OffsetDateTime, caller: &Caller, mut event: Event) -> Self {
        event.detail.through = caller.through;
        Self {
            id,
            at,
            event,
            actor: caller.actor,
            address: caller.address.map(|address| address.to_canonical().to_string()),
            request_id: caller.request_id.clone(),
        }
    }
}

/// An event as it is read again, with the names that people know things by now.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AuditEvent {
    pub id: AuditEventId,
    pub at: OffsetDateTime,
    /// Perhaps one that a newer version knows.
    pub event: String,
    /// `user`, `application`, `operator`, `system` or `anonymous`.
    pub actor: String,
    pub actor_id: Option<Uuid>,
    /// The name of the user, or of the application, that acted.
    pub actor_name: Option<String>,
    pub user_id: Option<UserId>,
    pub username: Option<String>,
    pub application_id: Option<ApplicationId>,
    pub client_id: Option<String>,
    pub application_name: Option<String>,
    pub grant_id: Option<GrantId>,
    pub address: Option<String>,
    pub request_id: Option<String>,
    /// See [`Detail`].
    #[sqlx(json)]
    pub detail: Value,
}

impl AuditEvent {
    /// `None` for one that only a newer version knows.
    pub fn name(&self) -> Option<EventName> {
        EventName::parse(&self.event)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_told_apart_and_found_again() {
        let names: BTreeSet<_> = EventName::ALL.iter().map(|name| name.as_str()).collect();
        assert_eq!(names.len(), EventName::ALL.len());
        for name in EventName::ALL {
            assert_eq!(EventName::parse(name.as_str()), Some(*name));
            assert!(!name.words().is_empty());
        }
        assert_eq!(EventName::parse("nonsense"), None);
    }

    #[test]
    fn a_detail_that_tells_nothing_is_empty() {
        assert_eq!(serde_json::to_string(&Detail::default()).unwrap(), "{}");
    }
}
