//! `throttles` and `known_browsers`: what slows down guessing, kept over a restart and shared by nodes.

use time::OffsetDateTime;

use super::{Db, Result};
use crate::base::secret::SecretHash;
use crate::model::ids::UserId;

/// How many attempts a key has: `burst` at once, then one every `interval` seconds.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    pub burst: i64,
    pub interval: i64,
}

/// Takes one attempt from `key`'s bucket, or gives the seconds to wait. Atomic: of a hundred attempts
/// sent together no more get through than the bucket holds.
pub async fn reserve(
    db: &Db,
    key: SecretHash,
    allowance: Allowance,
    now: OffsetDateTime,
) -> Result<std::result::Result<(), i64>> {
    let unix = now.unix_timestamp();
    let taken = db
        .command(
            "INSERT INTO throttles (key, full_until) VALUES ($1, $2 + $3)
             ON CONFLICT (key) DO UPDATE SET full_until =
                 CASE WHEN throttles.full_until > $2 THEN throttles.full_until ELSE $2 END + $3
             WHERE throttles.full_until <= $2 + $4",
        )
        .bind(key.to_vec())
        .bind(unix)
        .bind(allowance.interval)
        .bind(allowance.interval * (allowance.burst - 1))
        .execute()
        .await?;
    if taken == 1 {
        return Ok(Ok(()));
    }
    let full_until: Option<(i64,)> = db
        .query("SELECT full_until FROM throttles WHERE key = $1")
        .bind(key.to_vec())
        .optional()
        .await?;
    let wait = full_until.map_or(1, |(end,)| {
        end - unix - allowance.interval * (allowance.burst - 1)
    });
    Ok(Err(wait.max(1)))
}

/// Gives an attempt back: it was no failure.
pub async fn refund(db: &Db, key: SecretHash, allowance: Allowance) -> Result<()> {
    db.command("UPDATE throttles SET full_until = full_until - $2 WHERE key = $1")
        .bind(key.to_vec())
        .bind(allowance.interval)
        .execute()
        .await
        .map(drop)
}

pub async fn remember_browser(
    db: &Db,
    hash: SecretHash,
    user: UserId,
    expires_at: OffsetDateTime,
) -> Result<()> {
    db.command(
        "INSERT INTO known_browsers (hash, user_id, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (hash) DO UPDATE SET user_id = $2, expires_at = $3",
    )
    .bind(hash.to_vec())
    .bind(user)
    .bind(expires_at)
    .execute()
    .await
    .map(drop)
}

pub async fn knows_browser(db: &Db, hash: SecretHash, user: UserId, now: OffsetDateTime) -> Result<bool> {
    Ok(db
        .query("SELECT 1 FROM known_browsers WHERE hash = $1 AND user_id = $2 AND expires_at > $3")
        .bind(hash.to_vec())
        .bind(user)
        .bind(now)
        .optional::<(i32,)>()
        .await?
        .is_some())
}
