//! `authorization_requests`: what a person was asked, from the request to the decision.

use time::OffsetDateTime;

use super::{Db, Result, Tx};
use crate::base::secret::SecretHash;
use crate::model::ids::{ApplicationId, UserId};

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Pending {
    pub application_id: ApplicationId,
    /// Whose consent page it was shown on; nobody else may decide it.
    pub user_id: Option<UserId>,
    /// What was asked, as JSON.
    pub request: String,
    pub created_at: OffsetDateTime,
}

pub async fn insert(
    db: &Db,
    hash: SecretHash,
    application: ApplicationId,
    request: &str,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<()> {
    db.command(
        "INSERT INTO authorization_requests (hash, application_id, request, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(hash.to_vec())
    .bind(application)
    .bind(request)
    .bind(now)
    .bind(expires_at)
    .execute()
    .await
    .map(drop)
}

/// One that is undecided and has not expired.
pub async fn find(db: &Db, hash: SecretHash, now: OffsetDateTime) -> Result<Option<Pending>> {
    db.query(
        "SELECT application_id, user_id, request, created_at FROM authorization_requests
         WHERE hash = $1 AND decided_at IS NULL AND expires_at > $2",
    )
    .bind(hash.to_vec())
    .bind(now)
    .optional()
    .await
}

/// Binds it to the user who is shown it. False where it was shown to another, decided, or expired.
pub async fn claim(db: &Db, hash: SecretHash, user: UserId, now: OffsetDateTime) -> Result<bool> {
    db.command(
        "UPDATE authorization_requests SET user_id = $2
         WHERE hash = $1 AND decided_at IS NULL AND expires_at > $3 AND (user_id IS NULL OR user_id = $2)",
    )
    .bind(hash.to_vec())
    .bind(user)
    .bind(now)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// True for the one decision that counts: a form sent twice decides once.
pub async fn decide(tx: &mut Tx, hash: SecretHash, user: UserId, now: OffsetDateTime) -> Result<bool> {
    tx.sql(
        "UPDATE authorization_requests SET decided_at = $3
         WHERE hash = $1 AND user_id = $2 AND decided_at IS NULL AND expires_at > $3",
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
    db.command("UPDATE authorization_requests SET user_id = NULL WHERE hash = $1 AND user_id = $2 AND decided_at IS NULL")
        .bind(hash.to_vec())
        .bind(user)
        .execute()
        .await
        .map(drop)
}

/// Replaces what was asked by what is known of it now.
pub async fn replace(db: &Db, hash: SecretHash, request: &str) -> Result<()> {
    db.command("UPDATE authorization_requests SET request = $2 WHERE hash = $1 AND decided_at IS NULL")
        .bind(hash.to_vec())
        .bind(request)
        .execute()
        .await
        .map(drop)
}
