//! Authorization codes, access tokens and refresh tokens as they rest in the store: by hash alone.

use time::OffsetDateTime;

use super::certificate::Thumbprint;
use super::client_id::ClientId;
use super::grant::Family;
use super::ids::{ApplicationId, GrantId, UserId};
use super::resource::Resources;
use super::scope::Scopes;

/// An authorization code (RFC 6749 §4.1.2).
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AuthorizationCode {
    #[sqlx(flatten)]
    pub family: Family,
    pub redirect_uri: String,
    /// Whether the request named the redirect URI: then the token request must repeat it.
    pub redirect_uri_sent: bool,
    pub code_challenge: Option<String>,
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
    /// How often it came with a wrong verifier or redirect URI.
    pub failures: i64,
}

/// A refresh token (RFC 6749 §1.5). Used ones stay as tombstones, by which a replay is recognised.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RefreshToken {
    #[sqlx(flatten)]
    pub family: Family,
    /// The one it replaced.
    pub parent_hash: Option<Vec<u8>>,
    /// What its last access token carried.
    #[sqlx(json)]
    pub scopes: Scopes,
    /// The idle end.
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
    pub retry_sealed: Option<Vec<u8>>,
    /// How the client was authenticated when it was used.
    pub retry_client: Option<String>,
    pub retry_until: Option<OffsetDateTime>,
    pub retry_count: i64,
    /// The certificate that it is bound to, where its application was a public one (RFC 8705 §4).
    pub certificate: Option<Thumbprint>,
}

/// An access token with what a resource server wants to know of it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AccessToken {
    pub application_id: ApplicationId,
    #[sqlx(try_from = "String")]
    pub client_id: ClientId,
    /// Absent where no user was asked (`client_credentials`).
    pub grant_id: Option<GrantId>,
    pub user_id: Option<UserId>,
    pub username: Option<String>,
    /// Whether its user is an administrator.
    pub admin: bool,
    #[sqlx(json)]
    pub scopes: Scopes,
    /// Where it may be used (RFC 8707); empty: anywhere.
    #[sqlx(json)]
    pub resources: Resources,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    /// The certificate without which it opens nothing (RFC 8705 §3).
    pub certificate: Option<Thumbprint>,
    /// Neither it nor its grant is revoked, and its application and user are enabled.
    pub live: bool,
}

impl AccessToken {
    pub fn is_active(&self, now: OffsetDateTime) -> bool {
        self.live && now < self.expires_at
    }

    /// Whose data it opens: the user's, or the application's own.
    pub fn subject(&self) -> Subject {
        self.user_id
            .map_or(Subject::Application(self.application_id), Subject::User)
    }
}

/// The owner of what a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    User(UserId),
    Application(ApplicationId),
}
