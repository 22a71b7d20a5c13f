//! `authorization_codes`.

use time::OffsetDateTime;

use super::{Db, Result, Tx};
use crate::base::secret::SecretHash;
use crate::model::ids::{GrantId, UserId};
use crate::model::token::AuthorizationCode;

/// What a new code is made of.
#[derive(Debug)]
pub struct NewCode<'a> {
    pub hash: SecretHash,
    pub grant_id: GrantId,
    pub redirect_uri: &'a str,
    pub redirect_uri_sent: bool,
    pub code_challenge: Option<&'a str>,
    pub expires_at: OffsetDateTime,
}

pub async fn insert(tx: &mut Tx, code: &NewCode<'_>, now: OffsetDateTime) -> Result<()> {
    tx.sql(
        "INSERT INTO authorization_codes
             (hash, grant_id, redirect_uri, redirect_uri_sent, code_challenge, created_at, expires_at, failures)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
    )
    .bind(code.hash.to_vec())
    .bind(code.grant_id)
    .bind(code.redirect_uri)
    .bind(code.redirect_uri_sent)
    .bind(code.code_challenge)
    .bind(now)
    .bind(code.expires_at)
    .execute()
    .await
    .map(drop)
}

pub async fn find(db: &Db, hash: SecretHash) -> Result<Option<AuthorizationCode>> {
    db.query(
        "SELECT k.grant_id, g.application_id, g.user_id, g.grant_type, g.scopes AS granted, g.resources,
                g.expires_at AS ends_at,
                (g.revoked_at IS NULL AND g.user_epoch = u.epoch
                 AND (a.id IS NULL OR g.access_epoch = a.access_epoch + u.access_epoch)
                 AND u.disabled_at IS NULL AND u.deleted_at IS NULL) AS live,
                a.version AS application_version, k.redirect_uri, k.redirect_uri_sent, k.code_challenge, k.expires_at, k.used_at, k.failures
         FROM authorization_codes k JOIN grants g ON g.id = k.grant_id JOIN users u ON u.id = g.user_id
             LEFT JOIN applications a ON a.id = g.application_id AND a.disabled_at IS NULL AND a.deleted_at IS NULL
         WHERE k.hash = $1",
    )
    .bind(hash.to_vec())
    .optional()
    .await
}

/// True for the one request that redeems the code (RFC 6749 §4.1.2: a code is used once), however many
/// come at the same moment.
pub async fn consume(tx: &mut Tx, hash: SecretHash, now: OffsetDateTime) -> Result<bool> {
    tx.sql("UPDATE authorization_codes SET used_at = $2 WHERE hash = $1 AND used_at IS NULL")
        .bind(hash.to_vec())
        .bind(now)
        .execute()
        .await
        .map(|rows| rows == 1)
}

/// Counts a wrong verifier or redirect URI.
pub async fn count_failure(db: &Db, hash: SecretHash) -> Result<()> {
    db.command("UPDATE authorization_codes SET failures = failures + 1 WHERE hash = $1")
        .bind(hash.to_vec())
        .execute()
        .await
        .map(drop)
}

/// The application's name, where the code is live and the signed-in user's own.
pub async fn application_of_live(
    db: &Db,
    hash: SecretHash,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Option<String>> {
    let found: Option<(String,)> = db
        .query(
            "SELECT a.name FROM authorization_codes k JOIN grants g ON g.id = k.grant_id
                JOIN applications a ON a.id = g.application_id
                JOIN users u ON u.id = g.user_id AND u.epoch = g.user_epoch
                    AND g.access_epoch = a.access_epoch + u.access_epoch
             WHERE k.hash = $1 AND g.user_id = $2 AND k.used_at IS NULL AND k.expires_at > $3
               AND g.revoked_at IS NULL AND a.deleted_at IS NULL AND a.disabled_at IS NULL",
        )
        .bind(hash.to_vec())
        .bind(user)
        .bind(now)
        .optional()
        .await?;
    Ok(found.map(|(name,)| name))
}
