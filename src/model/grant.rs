//! One act of authorization and all that came of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::client_id::ClientId;
use super::grant_type::GrantType;
use super::ids::{ApplicationId, GrantId, UserId};
use super::resource::Resources;
use super::scope::Scopes;

/// What a code or refresh token says of the grant that it belongs to.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Family {
    pub grant_id: GrantId,
    pub application_id: ApplicationId,
    pub user_id: UserId,
    /// How it began: what is refreshed keeps to the rules of that grant.
    #[sqlx(try_from = "String")]
    pub grant_type: GrantType,
    #[sqlx(json)]
    pub granted: Scopes,
    /// Where its tokens may be used at most; empty: anywhere.
    #[sqlx(json)]
    pub resources: Resources,
    /// The absolute end of the family (RFC 9700 §4.14.2).
    pub ends_at: OffsetDateTime,
    /// The grant is not revoked, and its user may still sign in and use the application.
    pub live: bool,
    /// At which version its application is now; `None` where that is disabled or deleted.
    pub application_version: Option<i64>,
}

/// Why a grant was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedReason {
    /// The client asked (RFC 7009).
    Client,
    /// The user withdrew it.
    Withdrawn,
    /// A used authorization code came again (RFC 6749 §4.1.2).
    CodeReplayed,
    /// A used request token of OAuth 1.0a came again with its verifier.
    RequestTokenReplayed,
    /// The application may no longer speak OAuth 1.0a.
    #[serde(rename = "oauth1_disabled")]
    OAuth1Disabled,
    /// A rotated refresh token came again (RFC 9700 §4.14.2).
    RefreshTokenReplayed,
    PasswordChanged,
    UserDisabled,
    ApplicationDisabled,
    ApplicationDeleted,
    Operator,
    /// The user authorized the application anew, and it keeps one authorization a user.
    Superseded,
    /// The user is no longer among those who may use the application.
    AccessWithdrawn,
}

impl RevokedReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Withdrawn => "withdrawn",
            Self::CodeReplayed => "code_replayed",
            Self::RequestTokenReplayed => "request_token_replayed",
            Self::OAuth1Disabled => "oauth1_disabled",
            Self::RefreshTokenReplayed => "refresh_token_replayed",
            Self::PasswordChanged => "password_changed",
            Self::UserDisabled => "user_disabled",
            Self::ApplicationDisabled => "application_disabled",
            Self::ApplicationDeleted => "application_deleted",
            Self::Operator => "operator",
            Self::Superseded => "superseded",
            Self::AccessWithdrawn => "access_withdrawn",
        }
    }
}

impl fmt::Display for RevokedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a user has remembered as allowed to an application.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Consent {
    #[sqlx(json)]
    pub scopes: Scopes,
    pub created_at: OffsetDateTime,
}

/// The end of the year 9999.
const LAST_SECOND: i64 = 253_402_300_799;

/// A place in a user's list of what they allowed, newest first; written as `SECONDS.ID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthorizedPlace {
    pub since: OffsetDateTime,
    pub application: ApplicationId,
}

impl AuthorizedPlace {
    /// Where the list begins.
    pub fn before_all() -> Self {
        Self {
            since: OffsetDateTime::from_unix_timestamp(LAST_SECOND).unwrap_or(OffsetDateTime::UNIX_EPOCH),
            application: Uuid::max().into(),
        }
    }

    /// `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (seconds, id) = text.split_once('.')?;
        // None before the epoch: Postgres reaches less far back than the type.
        let seconds = i64::try_from(seconds.parse::<u64>().ok()?).ok()?;
        Some(Self {
            since: OffsetDateTime::from_unix_timestamp(seconds).ok()?,
            application: id.parse().ok()?,
        })
    }
}

impl fmt::Display for AuthorizedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.since.unix_timestamp(), self.application)
    }
}

/// One application on a user's page of what they allowed.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AuthorizedApplication {
    pub id: ApplicationId,
    pub name: String,
    #[sqlx(try_from = "String")]
    pub client_id: ClientId,
    #[sqlx(json)]
    pub scopes: Scopes,
    pub since: OffsetDateTime,
    pub last_used_at: Option<OffsetDateTime>,
    /// Where it is not, nothing that was granted to it works.
    pub enabled: bool,
}
