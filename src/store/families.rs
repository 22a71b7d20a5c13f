//! Grants with their codes and tokens, as an administrator looks at them.

use time::OffsetDateTime;

use super::applications::containing;
use super::{Db, Result, Tx};
use crate::model::family::{FamilyCode, FamilyRefreshToken, Fingerprint, ListedGrant, OwnToken, WholeGrant};
use crate::model::ids::{ApplicationId, GrantId};

/// A page of an application's live grants, newest first, of users whose name contains `search`.
pub async fn live(
    db: &Db,
    application: ApplicationId,
    search: &str,
    (limit, offset): (i64, i64),
    now: OffsetDateTime,
) -> Result<Vec<ListedGrant>> {
    db.query(
        "SELECT g.id, u.username, g.grant_type, g.scopes, g.created_at, g.last_used_at, g.expires_at,
                (SELECT count(*) FROM access_tokens t
                 WHERE t.grant_id = g.id AND t.revoked_at IS NULL AND t.expires_at > $2)
              + (SELECT count(*) FROM refresh_tokens r
                 WHERE r.grant_id = g.id AND r.used_at IS NULL AND r.expires_at > $2) AS live_tokens,
                count(*) OVER () AS total
         FROM grants g JOIN users u ON u.id = g.user_id AND u.epoch = g.user_epoch
             AND u.disabled_at IS NULL AND u.deleted_at IS NULL
         WHERE g.application_id = $1 AND g.revoked_at IS NULL AND g.expires_at > $2
           AND ($3 = '' OR lower(u.username) LIKE $4 ESCAPE '\\')
         ORDER BY g.created_at DESC, g.id DESC LIMIT $5 OFFSET $6",
    )
    .bind(application)
    .bind(now)
    .bind(search)
    .bind(containing(search))
    .bind(limit)
    .bind(offset)
    .all()
    .await
}

/// The newest of what an application has on its own behalf.
pub async fn own_tokens(
    db: &Db,
    application: ApplicationId,
    limit: i64,
    now: OffsetDateTime,
) -> Result<Vec<OwnToken>> {
    db.query(
        "SELECT hash, scopes, created_at, expires_at, count(*) OVER () AS total
         FROM access_tokens
         WHERE application_id = $1 AND grant_id IS NULL AND revoked_at IS NULL AND expires_at > $2
         ORDER BY created_at DESC, hash LIMIT $3",
    )
    .bind(application)
    .bind(now)
    .bind(limit)
    .all()
    .await
}

/// The number of tokens that were alive.
pub async fn revoke_own_token(
    tx: &mut Tx,
    application: ApplicationId,
    fingerprint: Fingerprint,
    now: OffsetDateTime,
) -> Result<u64> {
    tx.sql(
        "UPDATE access_tokens SET revoked_at = $3, reuse_key = NULL, reuse_sealed = NULL
         WHERE application_id = $1 AND grant_id IS NULL AND revoked_at IS NULL AND expires_at > $3
           AND substr(hash, 1, 4) = $2",
    )
    .bind(application)
    .bind(fingerprint.to_vec())
    .bind(now)
    .execute()
    .await
}

/// A grant of the application, live or dead.
pub async fn find(
    db: &Db,
    application: ApplicationId,
    id: GrantId,
    now: OffsetDateTime,
) -> Result<Option<WholeGrant>> {
    db.query(
        "SELECT g.id, g.user_id, u.username, g.grant_type, g.scopes, g.created_at, g.expires_at, g.last_used_at,
                g.revoked_at, g.revoked_reason,
                (g.user_epoch = u.epoch AND u.disabled_at IS NULL AND u.deleted_at IS NULL) AS user_live,
                (SELECT count(*) FROM access_tokens t WHERE t.grant_id = g.id) AS access_tokens,
                (SELECT count(*) FROM access_tokens t
                 WHERE t.grant_id = g.id AND t.revoked_at IS NULL AND t.expires_at > $3) AS live_access_tokens,
                (SELECT count(*) FROM refresh_tokens r WHERE r.grant_id = g.id) AS refresh_tokens,
                (SELECT count(*) FROM refresh_tokens r
                 WHERE r.grant_id = g.id AND r.used_at IS NULL AND r.expires_at > $3) AS live_refresh_tokens
         FROM grants g JOIN users u ON u.id = g.user_id
         WHERE g.id = $2 AND g.application_id = $1",
    )
    .bind(application)
    .bind(id)
    .bind(now)
    .optional()
    .await
}

pub async fn codes(db: &Db, grant: GrantId) -> Result<Vec<FamilyCode>> {
    db.query(
        "SELECT created_at, expires_at, used_at, failures FROM authorization_codes
         WHERE grant_id = $1 ORDER BY created_at LIMIT 10",
    )
    .bind(grant)
    .all()
    .await
}

/// A page of a family's refresh tokens, newest last.
pub async fn refresh_tokens(
    db: &Db,
    grant: GrantId,
    limit: i64,
    offset: i64,
) -> Result<Vec<FamilyRefreshToken>> {
    db.query(
        "SELECT hash, parent_hash, created_at, expires_at, used_at, retry_count FROM refresh_tokens
         WHERE grant_id = $1 ORDER BY created_at, coalesce(used_at, expires_at), hash LIMIT $2 OFFSET $3",
    )
    .bind(grant)
    .bind(limit)
    .bind(offset)
    .all()
    .await
}
