//! `oauth1_access_tokens`.

use time::OffsetDateTime;

use crate::base::secret::SecretHash;
use crate::model::grant::RevokedReason;
use crate::model::ids::{ApplicationId, GrantId};
use crate::model::token::AccessToken;
use crate::store::{Db, Result, Tx};

/// A token with all that decides whether it is good, and what its signatures are checked by.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Found {
    #[sqlx(flatten)]
    pub token: AccessToken,
    pub secret_sealed: Vec<u8>,
    pub consumer_secret_sealed: Vec<u8>,
    /// `SubjectPublicKeyInfo` in DER.
    pub rsa_public_key: Option<Vec<u8>>,
}

/// In one round trip; of the consumer that says it has it alone.
pub async fn find(db: &Db, hash: SecretHash, client_id: &str) -> Result<Option<Found>> {
    db.query(
        "SELECT g.application_id, a.client_id, t.grant_id, g.user_id, u.username, u.admin, g.scopes, g.resources,
                t.created_at, t.expires_at, t.secret_sealed, c.secret_sealed AS consumer_secret_sealed,
                c.rsa_public_key, NULL AS certificate,
                (a.disabled_at IS NULL AND a.deleted_at IS NULL AND g.revoked_at IS NULL
                 AND g.user_epoch = u.epoch AND u.disabled_at IS NULL AND u.deleted_at IS NULL
                 AND g.access_epoch = a.access_epoch + u.access_epoch) AS live
         FROM oauth1_access_tokens t JOIN grants g ON g.id = t.grant_id
             JOIN applications a ON a.id = g.application_id JOIN users u ON u.id = g.user_id
             JOIN oauth1_consumers c ON c.application_id = g.application_id
         WHERE t.hash = $1 AND a.client_id = $2",
    )
    .bind(hash.to_vec())
    .bind(client_id)
    .optional()
    .await
}

/// What a new access token is made of.
#[derive(Debug)]
pub struct NewAccessToken<'a> {
    pub hash: SecretHash,
    pub grant_id: GrantId,
    pub secret_sealed: &'a [u8],
    /// The end of its grant too.
    pub expires_at: OffsetDateTime,
}

/// False where the grant is no longer good, or its application may no longer speak OAuth 1.0a.
pub async fn insert(tx: &mut Tx, token: &NewAccessToken<'_>, now: OffsetDateTime) -> Result<bool> {
    let good = tx
        .sql(
            "INSERT INTO oauth1_access_tokens (hash, grant_id, secret_sealed, created_at, expires_at)
             SELECT $1, g.id, $3, $4, $5
             FROM grants g JOIN applications a ON a.id = g.application_id JOIN users u ON u.id = g.user_id
                 JOIN oauth1_consumers c ON c.application_id = g.application_id
             WHERE g.id = $2 AND g.revoked_at IS NULL AND g.expires_at > $4
               AND g.user_epoch = u.epoch AND u.disabled_at IS NULL AND u.deleted_at IS NULL
               AND g.access_epoch = a.access_epoch + u.access_epoch
               AND a.disabled_at IS NULL AND a.deleted_at IS NULL",
        )
        .bind(token.hash.to_vec())
        .bind(token.grant_id)
        .bind(token.secret_sealed)
        .bind(now)
        .bind(token.expires_at)
        .execute()
        .await?;
    tx.sql("UPDATE grants SET expires_at = $2 WHERE id = $1 AND revoked_at IS NULL")
        .bind(token.grant_id)
        .bind(token.expires_at)
        .execute()
        .await?;
    Ok(good == 1)
}

/// Ends what users authorized an application to by OAuth 1.0a. The number of grants that were alive.
pub async fn revoke_all(
    tx: &mut Tx,
    application: ApplicationId,
    reason: RevokedReason,
    now: OffsetDateTime,
) -> Result<u64> {
    tx.sql(
        "UPDATE grants SET revoked_at = $2, revoked_reason = $3
         WHERE application_id = $1 AND grant_type = 'oauth1' AND revoked_at IS NULL",
    )
    .bind(application)
    .bind(now)
    .bind(reason.as_str())
    .execute()
    .await
}
