//! Grants and their tokens as an administrator sees them: by fingerprint, since only hashes are kept.

use std::fmt;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;

use super::certificate::Thumbprint;
use super::client_id::ClientId;
use super::grant_kind::GrantKind;
use super::ids::{ApplicationId, GrantId, UserId};
use super::resource::Resources;
use super::scope::Scopes;

/// The first four bytes of a token's SHA-256, as eight hexadecimal digits: tells tokens apart for people, and
/// opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint([u8; 4]);

impl Fingerprint {
    /// Of a hash as stored; `None` where that is too short.
    pub fn of_hash(hash: &[u8]) -> Option<Self> {
        hash.first_chunk().copied().map(Self)
    }

    /// Reads eight hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.then(|| u32::from_str_radix(text, 16).ok())??;
        Some(Self(number.to_be_bytes()))
    }

    /// The digits for a hash as stored; empty where that is too short.
    pub fn text(hash: &[u8]) -> String {
        Self::of_hash(hash).map_or_else(String::new, |found| found.to_string())
    }

    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A hash is told as the fingerprint that it begins with, and in no other way.
fn fingerprint<S: Serializer>(hash: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&Fingerprint::text(hash))
}

/// A live grant in a list.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct ListedGrant {
    pub id: GrantId,
    /// Its application's.
    #[sqlx(try_from = "String")]
    #[serde(rename = "application")]
    pub client_id: ClientId,
    #[serde(rename = "user")]
    pub username: String,
    #[sqlx(try_from = "String")]
    pub grant_type: GrantKind,
    #[sqlx(json)]
    pub scopes: Scopes,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_used_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// Access tokens and refresh tokens.
    pub live_tokens: i64,
}

/// A live token in a list.
#[derive(Clone, Debug, Serialize, sqlx::FromRow)]
pub struct ListedToken {
    #[serde(rename = "fingerprint", serialize_with = "fingerprint")]
    pub hash: Vec<u8>,
    /// `access_token`, `refresh_token`, or `oauth1_token`.
    pub kind: String,
    /// Its application's.
    #[sqlx(try_from = "String")]
    #[serde(rename = "application")]
    pub client_id: ClientId,
    /// `None` where the application has it on its own behalf; so is `grant_id`.
    #[serde(rename = "user")]
    pub username: Option<String>,
    #[serde(rename = "grant")]
    pub grant_id: Option<GrantId>,
    #[sqlx(json)]
    pub scopes: Scopes,
    /// Where it may be used (RFC 8707); empty: anywhere.
    #[sqlx(json)]
    pub resources: Resources,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// `x5t#S256` of the certificate that it is bound to (RFC 8705 §3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Thumbprint>,
}

/// A token, live or dead, before anybody looks at its grant.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AnyToken {
    #[sqlx(try_from = "String")]
    pub client_id: ClientId,
    /// The application is neither disabled nor deleted.
    pub application_live: bool,
    pub grant_id: Option<GrantId>,
    #[sqlx(json)]
    pub scopes: Scopes,
    #[sqlx(json)]
    pub resources: Resources,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    /// When it was revoked by itself, as a token that an application has on its own behalf can be.
    pub revoked_at: Option<OffsetDateTime>,
    /// When a refresh token was used.
    pub used_at: Option<OffsetDateTime>,
    /// The certificate that it is bound to.
    pub certificate: Option<Thumbprint>,
}

/// A grant, live or dead, with what is counted of its family.
#[derive(Clone, Debug, sqlx::FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "each a way in which it can be dead")]
pub struct WholeGrant {
    pub id: GrantId,
    pub application_id: ApplicationId,
    #[sqlx(try_from = "String")]
    pub client_id: ClientId,
    pub user_id: UserId,
    pub username: String,
    #[sqlx(try_from = "String")]
    pub grant_type: GrantKind,
    #[sqlx(json)]
    pub scopes: Scopes,
    #[sqlx(json)]
    pub resources: Resources,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub last_used_at: Option<OffsetDateTime>,
    pub revoked_at: Option<OffsetDateTime>,
    pub revoked_reason: Option<String>,
    pub application_disabled: bool,
    pub application_deleted: bool,
    pub user_disabled: bool,
    pub user_deleted: bool,
    /// Everything of its user ended at once since the user was asked.
    pub outdated: bool,
    /// Not expired, which is not to say that the grant is live.
    pub live_access_tokens: i64,
    pub refresh_tokens: i64,
    /// Neither expired nor used; as above.
    pub live_refresh_tokens: i64,
    /// The certificate that the newest of its access tokens is bound to.
    pub certificate: Option<Thumbprint>,
}

impl WholeGrant {
    /// Whether it can still be used, or could be again were its application enabled.
    pub fn is_revocable(&self, now: OffsetDateTime) -> bool {
        let user_live = !self.user_disabled && !self.user_deleted && !self.outdated;
        user_live && !self.application_deleted && self.revoked_at.is_none() && now < self.expires_at
    }

    pub fn is_live(&self, now: OffsetDateTime) -> bool {
        self.is_revocable(now) && !self.application_disabled
    }
}

/// An authorization code of a grant.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct FamilyCode {
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
    pub failures: i64,
}

/// The device code that a grant was given for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct FamilyDevice {
    /// The address of the device.
    pub requested_from: String,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
}

/// The request token that a grant of OAuth 1.0a was given for.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct FamilyRequestToken {
    /// `oob`, or a redirect URI.
    pub callback: String,
    pub created_at: OffsetDateTime,
    pub decided_at: Option<OffsetDateTime>,
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
}

/// A refresh token of a grant.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct FamilyRefreshToken {
    pub hash: Vec<u8>,
    pub parent_hash: Option<Vec<u8>>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
    /// How often the answer that brought it was given again.
    pub retries: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_eight_digits_and_is_read_back() {
        let fingerprint = Fingerprint::of_hash(&[0x00, 0xab, 0x1f, 0x02, 0xff]).unwrap();
        assert_eq!(fingerprint.to_string(), "00ab1f02");
        assert_eq!(Fingerprint::parse("00AB1F02"), Some(fingerprint));
        assert_eq!(fingerprint.to_vec(), [0x00, 0xab, 0x1f, 0x02]);
        assert_eq!(Fingerprint::of_hash(&[1, 2, 3]), None);
        for text in ["", "00ab1f0", "00ab1f021", "+0ab1f02", "00ab1fg2", "äää"] {
            assert_eq!(Fingerprint::parse(text), None, "{text:?}");
        }
    }
}
