//! `oauth1_request_tokens`: from what a consumer asks to what a person decides (RFC 5849 §2.1 to §2.3).

use sqlx::types::Json;
use time::OffsetDateTime;

use crate::base::secret::SecretHash;
use crate::model::ids::{ApplicationId, GrantId, UserId};
use crate::model::scope::Scopes;
use crate::store::{Db, Result, Tx};

/// A request token as it rests.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct StoredRequestToken {
    pub application_id: ApplicationId,
    pub secret_sealed: Vec<u8>,
    /// `oob`, or a redirect URI.
    pub callback: String,
    #[sqlx(json)]
    pub scopes: Scopes,
    pub user_id: Option<UserId>,
    /// `None` until it is authorized.
    pub grant_id: Option<GrantId>,
    pub verifier_hash: Option<Vec<u8>>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    pub decided_at: Option<OffsetDateTime>,
    pub used_at: Option<OffsetDateTime>,
}

/// What a new request token is made of.
#[derive(Debug)]
pub struct NewRequestToken<'a> {
    pub hash: SecretHash,
    pub application_id: ApplicationId,
    pub secret_sealed: &'a [u8],
    pub callback: &'a str,
    pub scopes: &'a Scopes,
    pub expires_at: OffsetDateTime,
}

/// False where the application speaks no OAuth 1.0a any more, or has `most` that are live and undecided; of many at
/// once a few may be too many.
pub async fn insert(db: &Db, new: &NewRequestToken<'_>, most: i64, now: OffsetDateTime) -> Result<bool> {
    db.command(
        "INSERT INTO oauth1_request_tokens
             (hash, application_id, secret_sealed, callback, scopes, created_at, expires_at)
         SELECT $1, c.application_id, $3, $4, $5, $6, $7 FROM oauth1_consumers c
         WHERE c.application_id = $2
           AND (SELECT count(*) FROM oauth1_request_tokens r
                WHERE r.application_id = $2 AND r.expires_at > $6 AND r.decided_at IS NULL) < $8",
    )
    .bind(new.hash.to_vec())
    .bind(new.application_id)
    .bind(new.secret_sealed)
    .bind(new.callback)
    .bind(Json(new.scopes))
    .bind(now)
    .bind(new.expires_at)
    .bind(most)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// Live or not; `None` where it is unknown, or its application speaks no OAuth 1.0a any more.
pub async fn find(db: &Db, hash: SecretHash) -> Result<Option<StoredRequestToken>> {
    db.query(
        "SELECT r.application_id, r.secret_sealed, r.callback, r.scopes, r.user_id, r.grant_id, r.verifier_hash,
                r.created_at, r.expires_at, r.decided_at, r.used_at
         FROM oauth1_request_tokens r JOIN oauth1_consumers c ON c.application_id = r.application_id
         WHERE r.hash = $1",
    )
    .bind(hash.to_vec())
    .optional()
    .await
}

/// Binds it to the user who is shown it. False where it was shown to another, decided, or expired.
pub async fn claim(db: &Db, hash: SecretHash, user: UserId, now: OffsetDateTime) -> Result<bool> {
    db.command(
        "UPDATE oauth1_request_tokens SET user_id = $2
         WHERE hash = $1 AND decided_at IS NULL AND expires_at > $3 AND (user_id IS NULL OR user_id = $2)",
    )
    .bind(hash.to_vec())
    .bind(user)
    .bind(now)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// Nobody's again, if it was `user`'s.
pub async fn release(db: &Db, hash: SecretHash, user: UserId) -> Result<()> {
    db.command(
        "UPDATE oauth1_request_tokens SET user_id = NULL WHERE hash = $1 AND user_id = $2 AND decided_at IS NULL",
    )
    .bind(hash.to_vec())
    .bind(user)
    .execute()
    .await
    .map(drop)
}

/// What the user authorized.
#[derive(Debug)]
pub struct Authorized {
    pub user: UserId,
    pub grant: GrantId,
    pub verifier: SecretHash,
}

/// True for the one decision that counts: a form sent twice decides once. Whose page it was shown on before is not
/// asked: who was never shown one has `user_id` set here.
pub async fn authorize(
    tx: &mut Tx,
    hash: SecretHash,
    authorized: &Authorized,
    now: OffsetDateTime,
) -> Result<bool> {
    tx.sql(
        "UPDATE oauth1_request_tokens
         SET decided_at = $2, user_id = $3, grant_id = $4, verifier_hash = $5
         WHERE hash = $1 AND decided_at IS NULL AND expires_at > $2 AND (user_id IS NULL OR user_id = $3)",
    )
    .bind(hash.to_vec())
    .bind(now)
    .bind(authorized.user)
    .bind(authorized.grant)
    .bind(authorized.verifier.to_vec())
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// Gives what `user` authorized, and nobody has exchanged yet, another verifier. False where there is no such thing, or
/// it was revoked meanwhile.
pub async fn renew(
    tx: &mut Tx,
    hash: SecretHash,
    user: UserId,
    verifier: SecretHash,
    now: OffsetDateTime,
) -> Result<bool> {
    tx.sql(
        "UPDATE oauth1_request_tokens SET verifier_hash = $3
         WHERE hash = $1 AND user_id = $2 AND used_at IS NULL AND expires_at > $4
           AND grant_id IN (SELECT id FROM grants WHERE revoked_at IS NULL)",
    )
    .bind(hash.to_vec())
    .bind(user)
    .bind(verifier.to_vec())
    .bind(now)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// As [`authorize`].
pub async fn deny(tx: &mut Tx, hash: SecretHash, user: UserId, now: OffsetDateTime) -> Result<bool> {
    tx.sql(
        "UPDATE oauth1_request_tokens SET decided_at = $2
         WHERE hash = $1 AND decided_at IS NULL AND expires_at > $2 AND user_id = $3",
    )
    .bind(hash.to_vec())
    .bind(now)
    .bind(user)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// True for the one request that exchanges it (RFC 5849 §2.3), however many come at the same moment. The verifier that it
/// came with is the one from now on: another that was given meanwhile is void.
pub async fn consume(
    tx: &mut Tx,
    hash: SecretHash,
    verifier: SecretHash,
    now: OffsetDateTime,
) -> Result<bool> {
    tx.sql(
        "UPDATE oauth1_request_tokens SET used_at = $2, verifier_hash = $3
         WHERE hash = $1 AND used_at IS NULL AND grant_id IS NOT NULL AND expires_at > $2",
    )
    .bind(hash.to_vec())
    .bind(now)
    .bind(verifier.to_vec())
    .execute()
    .await
    .map(|rows| rows == 1)
}
