//! `sessions`: keyed by a hash of the cookie, so that a copy of the table opens no session.

use time::OffsetDateTime;

use super::{Db, Result, Tx};
use crate::base::secret::SecretHash;
use crate::model::ids::UserId;
use crate::model::session::SessionRow;

/// A session to be kept.
#[derive(Debug)]
pub struct SessionRecord<'a> {
    pub hash: SecretHash,
    pub user_id: Option<UserId>,
    pub data: &'a str,
    pub expires_at: OffsetDateTime,
}

/// False where the id is taken.
pub async fn insert(db: &Db, session: &SessionRecord<'_>, now: OffsetDateTime) -> Result<bool> {
    db.command(
        "INSERT INTO sessions (hash, user_id, data, created_at, seen_at, expires_at)
         VALUES ($1, $2, $3, $4, $4, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(session.hash.to_vec())
    .bind(session.user_id)
    .bind(session.data)
    .bind(now)
    .bind(session.expires_at)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// Keeps a change to a session that is still there. A session that was ended meanwhile stays ended.
/// The absolute end counts from the session's start: `max_age` seconds in `not_after` terms are the
/// caller's, here it is only never exceeded.
pub async fn update(db: &Db, session: &SessionRecord<'_>, now: OffsetDateTime) -> Result<bool> {
    db.command("UPDATE sessions SET user_id = $2, data = $3, seen_at = $4, expires_at = $5 WHERE hash = $1")
        .bind(session.hash.to_vec())
        .bind(session.user_id)
        .bind(session.data)
        .bind(now)
        .bind(session.expires_at)
        .execute()
        .await
        .map(|rows| rows == 1)
}

pub async fn find(db: &Db, hash: SecretHash, now: OffsetDateTime) -> Result<Option<SessionRow>> {
    db.query("SELECT hash, data, created_at, seen_at FROM sessions WHERE hash = $1 AND expires_at > $2")
        .bind(hash.to_vec())
        .bind(now)
        .optional()
        .await
}

pub async fn list_of_user(db: &Db, user: UserId, now: OffsetDateTime) -> Result<Vec<SessionRow>> {
    db.query(
        "SELECT hash, data, created_at, seen_at FROM sessions
         WHERE user_id = $1 AND expires_at > $2 ORDER BY seen_at DESC LIMIT 100",
    )
    .bind(user)
    .bind(now)
    .all()
    .await
}

pub async fn delete(db: &Db, hash: SecretHash) -> Result<()> {
    db.command("DELETE FROM sessions WHERE hash = $1")
        .bind(hash.to_vec())
        .execute()
        .await
        .map(drop)
}

/// True for the one who ended a session in which `user` is signed in.
pub async fn delete_in(tx: &mut Tx, hash: SecretHash, user: UserId) -> Result<bool> {
    tx.sql("DELETE FROM sessions WHERE hash = $1 AND user_id = $2")
        .bind(hash.to_vec())
        .bind(user)
        .execute()
        .await
        .map(|rows| rows == 1)
}

/// Ends every session of a user, save `except`.
pub async fn delete_of_user(tx: &mut Tx, user: UserId, except: Option<SecretHash>) -> Result<u64> {
    tx.sql("DELETE FROM sessions WHERE user_id = $1 AND ($2 IS NULL OR hash <> $2)")
        .bind(user)
        .bind(except.map(SecretHash::to_vec))
        .execute()
        .await
}
