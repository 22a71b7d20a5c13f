//! Grants and their tokens as an administrator sees them: by fingerprint, since only hashes are kept.

use std::fmt;

use time::OffsetDateTime;

use super::grant_type::GrantType;
use super::ids::{GrantId, UserId};
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

    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// A live grant in an application's list.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ListedGrant {
    pub id: GrantId,
    pub username: String,
    #[sqlx(try_from = "String")]
    pub grant_type: GrantType,
    #[sqlx(json)]
    pub scopes: Scopes,
    pub created_at: OffsetDateTime,
    pub last_used_at: Option<OffsetDateTime>,
    pub expires_at: OffsetDateTime,
    /// Access tokens and refresh tokens.
    pub live_tokens: i64,
    /// How many grants match in all.
    pub total: i64,
}

/// A live access token that an application has on its own behalf.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct OwnToken {
    pub hash: Vec<u8>,
    #[sqlx(json)]
    pub scopes: Scopes,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    /// How many there are in all.
    pub total: i64,
}

/// A grant, live or dead, with what is counted of its family.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct WholeGrant {
    pub id: GrantId,
    pub user_id: UserId,
    pub username: String,
    #[sqlx(try_from = "String")]
    pub grant_type: GrantType,
    #[sqlx(json)]
    pub scopes: Scopes,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub last_used_at: Option<OffsetDateTime>,
    pub revoked_at: Option<OffsetDateTime>,
    pub revoked_reason: Option<String>,
    /// Its user may still sign in, and everything was not ended at once since.
    pub user_live: bool,
    pub access_tokens: i64,
    pub live_access_tokens: i64,
    pub refresh_tokens: i64,
    pub live_refresh_tokens: i64,
}

impl WholeGrant {
    pub fn is_live(&self, now: OffsetDateTime) -> bool {
        self.user_live && self.revoked_at.is_none() && now < self.expires_at
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

/// A refresh token of a grant.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct FamilyRefreshToken {
    pub hash: Vec<u8>,
    pub parent_hash: Option<Vec<u8>>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub used_at: Option<OffsetDateTime>,
    /// How often the answer that used it up was given again.
    pub retry_count: i64,
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
