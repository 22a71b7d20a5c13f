//! `refresh_tokens`.

use sqlx::types::Json;
use time::OffsetDateTime;

use super::{Db, Result, Tx};
use crate::base::secret::SecretHash;
use crate::model::certificate::Thumbprint;
use crate::model::client_id::ClientId;
use crate::model::ids::{ApplicationId, GrantId};
use crate::model::scope::Scopes;
use crate::model::token::RefreshToken;

/// What a new refresh token is made of.
#[derive(Debug)]
pub struct NewRefreshToken<'a> {
    pub hash: SecretHash,
    pub grant_id: GrantId,
    /// The one it replaces.
    pub parent: Option<SecretHash>,
    pub scopes: &'a Scopes,
    /// The idle end.
    pub expires_at: OffsetDateTime,
    /// The certificate that it is bound to (RFC 8705 §4).
    pub certificate: Option<&'a Thumbprint>,
}

pub async fn insert(tx: &mut Tx, token: &NewRefreshToken<'_>, now: OffsetDateTime) -> Result<()> {
    tx.sql(
        "INSERT INTO refresh_tokens (hash, grant_id, parent_hash, scopes, created_at, expires_at, retry_count,
             certificate)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
    )
    .bind(token.hash.to_vec())
    .bind(token.grant_id)
    .bind(token.parent.map(SecretHash::to_vec))
    .bind(Json(token.scopes))
    .bind(now)
    .bind(token.expires_at)
    .bind(token.certificate.map(Thumbprint::to_vec))
    .execute()
    .await
    .map(drop)
}

pub async fn find(db: &Db, hash: SecretHash) -> Result<Option<RefreshToken>> {
    db.query(
        "SELECT r.grant_id, g.application_id, g.user_id, g.grant_type, g.scopes AS granted, g.resources,
                g.expires_at AS ends_at,
                (g.revoked_at IS NULL AND g.user_epoch = u.epoch
                 AND (a.id IS NULL OR g.access_epoch = a.access_epoch + u.access_epoch)
                 AND u.disabled_at IS NULL AND u.deleted_at IS NULL) AS live,
                a.version AS application_version,
                r.parent_hash, r.scopes, r.expires_at, r.used_at,
                r.retry_sealed, r.retry_client, r.retry_until, r.retry_count, r.certificate
         FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id JOIN users u ON u.id = g.user_id
             LEFT JOIN applications a ON a.id = g.application_id AND a.disabled_at IS NULL AND a.deleted_at IS NULL
         WHERE r.hash = $1",
    )
    .bind(hash.to_vec())
    .optional()
    .await
}

/// A refresh token with what introspection tells of it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Described {
    #[sqlx(flatten)]
    pub token: RefreshToken,
    pub created_at: OffsetDateTime,
    #[sqlx(try_from = "String")]
    pub client_id: ClientId,
    pub username: String,
    pub application_live: bool,
    /// At which version the application is that asks; `None` where it is disabled or deleted.
    pub asker_version: Option<i64>,
}

pub async fn find_described(db: &Db, hash: SecretHash, asker: ApplicationId) -> Result<Option<Described>> {
    db.query(
        "SELECT r.grant_id, g.application_id, g.user_id, g.grant_type, g.scopes AS granted, g.resources,
                g.expires_at AS ends_at,
                (g.revoked_at IS NULL AND g.user_epoch = u.epoch
                 AND (a.id IS NULL OR g.access_epoch = a.access_epoch + u.access_epoch)
                 AND u.disabled_at IS NULL AND u.deleted_at IS NULL) AS live,
                a.version AS application_version,
                r.parent_hash, r.scopes, r.expires_at, r.used_at,
                r.retry_sealed, r.retry_client, r.retry_until, r.retry_count, r.certificate,
                r.created_at, a.client_id, u.username,
                (a.disabled_at IS NULL AND a.deleted_at IS NULL) AS application_live, k.version AS asker_version
         FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id JOIN users u ON u.id = g.user_id
             JOIN applications a ON a.id = g.application_id
             LEFT JOIN applications k ON k.id = $2 AND k.disabled_at IS NULL AND k.deleted_at IS NULL
         WHERE r.hash = $1",
    )
    .bind(hash.to_vec())
    .bind(asker)
    .optional()
    .await
}

/// The answer that is kept, sealed, for a client that may not have received it.
#[derive(Debug)]
pub struct Retry<'a> {
    pub sealed: &'a [u8],
    /// How the client was authenticated: only the same way gets the answer again.
    pub client: &'a str,
    pub until: OffsetDateTime,
}

/// True for the one request that rotates the token, however many come at the same moment.
pub async fn consume(
    tx: &mut Tx,
    hash: SecretHash,
    retry: Option<&Retry<'_>>,
    now: OffsetDateTime,
) -> Result<bool> {
    tx.sql(
        "UPDATE refresh_tokens SET used_at = $2, retry_sealed = $3, retry_client = $4, retry_until = $5
         WHERE hash = $1 AND used_at IS NULL",
    )
    .bind(hash.to_vec())
    .bind(now)
    .bind(retry.map(|retry| retry.sealed))
    .bind(retry.map(|retry| retry.client))
    .bind(retry.map(|retry| retry.until))
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// Lets the token of an application that proves itself with every refresh live until then: it may have a new
/// certificate by then. False where it was rotated meanwhile.
pub async fn prolong(tx: &mut Tx, hash: SecretHash, until: OffsetDateTime) -> Result<bool> {
    tx.sql(
        "UPDATE refresh_tokens SET expires_at = $2, certificate = NULL WHERE hash = $1 AND used_at IS NULL",
    )
    .bind(hash.to_vec())
    .bind(until)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// Takes one of the times that the sealed answer may be given again, and tells how many are taken now.
/// `None` where none is left, the window is over, or the answer was erased.
pub async fn take_retry(db: &Db, hash: SecretHash, most: i64, now: OffsetDateTime) -> Result<Option<i64>> {
    let taken: Option<(i64,)> = db
        .command(
            "UPDATE refresh_tokens SET retry_count = retry_count + 1
         WHERE hash = $1 AND retry_sealed IS NOT NULL AND retry_until > $2 AND retry_count < $3
         RETURNING retry_count",
        )
        .bind(hash.to_vec())
        .bind(now)
        .bind(most)
        .optional()
        .await?;
    Ok(taken.map(|(count,)| count))
}

/// Erases the sealed answer of a token whose successor was used: the client has it.
pub async fn erase_retry(tx: &mut Tx, hash: &[u8]) -> Result<()> {
    tx.sql("UPDATE refresh_tokens SET retry_sealed = NULL WHERE hash = $1 AND retry_sealed IS NOT NULL")
        .bind(hash)
        .execute()
        .await
        .map(drop)
}
