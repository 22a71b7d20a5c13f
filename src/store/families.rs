//! Grants with their codes and tokens, as an administrator looks at them.

use time::OffsetDateTime;
use uuid::Uuid;

use super::applications::containing;
use super::{Db, Result, Tx};
use crate::base::secret::SecretHash;
use crate::model::family::{
    AnyToken, FamilyCode, FamilyDevice, FamilyRefreshToken, FamilyRequestToken, Fingerprint, ListedGrant,
    ListedToken, WholeGrant,
};
use crate::model::ids::{ApplicationId, GrantId, UserId};
use crate::model::user::username_key;

/// A page of a list, newest first.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The last of the page before.
    pub after: Option<GrantId>,
    /// Rows at most.
    pub limit: i64,
}

impl Page {
    /// An id that is after all there are, where the page is the first: so one comparison is enough, and it is an
    /// index's.
    fn after(self) -> GrantId {
        self.after.unwrap_or_else(|| GrantId::from(Uuid::max()))
    }
}

macro_rules! listed {
    () => {
        "SELECT g.id, a.client_id, u.username, g.grant_type, g.scopes, g.created_at, g.last_used_at, g.expires_at,
                (SELECT count(*) FROM access_tokens t
                 WHERE t.grant_id = g.id AND t.revoked_at IS NULL AND t.expires_at > $1)
              + (SELECT count(*) FROM refresh_tokens r
                 WHERE r.grant_id = g.id AND r.used_at IS NULL AND r.expires_at > $1)
              + (SELECT count(*) FROM oauth1_access_tokens o
                 WHERE o.grant_id = g.id AND o.expires_at > $1) AS live_tokens"
    };
}

/// Live grants, but that their application may be disabled.
macro_rules! live_grants {
    () => {
        " FROM grants g JOIN applications a ON a.id = g.application_id AND a.deleted_at IS NULL
             JOIN users u ON u.id = g.user_id AND u.epoch = g.user_epoch
             AND a.access_epoch + u.access_epoch = g.access_epoch
             AND u.disabled_at IS NULL AND u.deleted_at IS NULL
         WHERE g.revoked_at IS NULL AND g.expires_at > $1 "
    };
}

/// An application's live grants, of users whose name contains `search`.
pub async fn of_application(
    db: &Db,
    application: ApplicationId,
    search: &str,
    page: Page,
    now: OffsetDateTime,
) -> Result<Vec<ListedGrant>> {
    db.query(concat!(
        listed!(),
        live_grants!(),
        "AND g.application_id = $2 AND ($3 = '' OR u.username_key LIKE $4 ESCAPE '\\')
             AND g.id < $5
         ORDER BY g.id DESC LIMIT $6"
    ))
    .bind(now)
    .bind(application)
    .bind(search)
    .bind(containing(&username_key(search)))
    .bind(page.after())
    .bind(page.limit)
    .all()
    .await
}

/// How many there are in all, counted up to `most`.
pub async fn count_of_application(
    db: &Db,
    application: ApplicationId,
    search: &str,
    most: i64,
    now: OffsetDateTime,
) -> Result<i64> {
    let (count,): (i64,) = db
        .query(concat!(
            "SELECT count(*) FROM (SELECT g.id",
            live_grants!(),
            "AND g.application_id = $2 AND ($3 = '' OR u.username_key LIKE $4 ESCAPE '\\') LIMIT $5) counted"
        ))
        .bind(now)
        .bind(application)
        .bind(search)
        .bind(containing(&username_key(search)))
        .bind(most)
        .one()
        .await?;
    Ok(count)
}

/// A user's live grants, to `application` alone where that is given.
pub async fn of_user(
    db: &Db,
    user: UserId,
    application: Option<ApplicationId>,
    page: Page,
    now: OffsetDateTime,
) -> Result<Vec<ListedGrant>> {
    db.query(concat!(
        listed!(),
        live_grants!(),
        "AND g.user_id = $2 AND ($3 IS NULL OR g.application_id = $3) AND g.id < $4
         ORDER BY g.id DESC LIMIT $5"
    ))
    .bind(now)
    .bind(user)
    .bind(application)
    .bind(page.after())
    .bind(page.limit)
    .all()
    .await
}

macro_rules! own_token {
    () => {
        "SELECT 'access_token' AS kind, t.hash, a.client_id, NULL AS username, t.grant_id, t.scopes, t.resources,
                t.created_at, t.expires_at, t.certificate
         FROM access_tokens t JOIN applications a ON a.id = t.application_id AND a.deleted_at IS NULL
         WHERE t.application_id = $2 AND t.grant_id IS NULL AND t.revoked_at IS NULL AND t.expires_at > $1 "
    };
}

macro_rules! access_token {
    () => {
        "SELECT 'access_token' AS kind, t.hash, a.client_id, u.username, t.grant_id, t.scopes, t.resources,
                t.created_at, t.expires_at, t.certificate"
    };
}

macro_rules! refresh_token {
    () => {
        "SELECT 'refresh_token' AS kind, t.hash, a.client_id, u.username, t.grant_id, t.scopes, g.resources,
                t.created_at, t.expires_at, t.certificate"
    };
}

/// Of OAuth 1.0a: its scopes are its grant's.
macro_rules! oauth1_token {
    () => {
        "SELECT 'oauth1_token' AS kind, t.hash, a.client_id, u.username, t.grant_id, g.scopes, g.resources,
                t.created_at, t.expires_at, NULL AS certificate"
    };
}

/// Live tokens of live grants, as [`live_grants`].
macro_rules! tokens_of_grants {
    ($table:literal, $unspent:literal) => {
        concat!(
            " FROM ",
            $table,
            " t JOIN grants g ON g.id = t.grant_id AND g.revoked_at IS NULL
             JOIN applications a ON a.id = g.application_id AND a.deleted_at IS NULL
             JOIN users u ON u.id = g.user_id AND u.epoch = g.user_epoch
             AND a.access_epoch + u.access_epoch = g.access_epoch
             AND u.disabled_at IS NULL AND u.deleted_at IS NULL
         WHERE ",
            $unspent,
            " IS NULL AND t.expires_at > $1 "
        )
    };
}

/// The newest of what an application has on its own behalf.
pub async fn own_tokens(
    db: &Db,
    application: ApplicationId,
    limit: i64,
    now: OffsetDateTime,
) -> Result<Vec<ListedToken>> {
    db.query(concat!(
        own_token!(),
        "ORDER BY t.created_at DESC, t.hash LIMIT $3"
    ))
    .bind(now)
    .bind(application)
    .bind(limit)
    .all()
    .await
}

/// How many there are in all, counted up to `most`.
pub async fn count_own_tokens(
    db: &Db,
    application: ApplicationId,
    most: i64,
    now: OffsetDateTime,
) -> Result<i64> {
    let (count,): (i64,) = db
        .query(
            "SELECT count(*) FROM (SELECT 1 AS one FROM access_tokens
              WHERE application_id = $2 AND grant_id IS NULL AND revoked_at IS NULL AND expires_at > $1
              LIMIT $3) counted",
        )
        .bind(now)
        .bind(application)
        .bind(most)
        .one()
        .await?;
    Ok(count)
}

/// The newest live tokens of an application, by people's grants and on its own behalf.
pub async fn tokens_of_application(
    db: &Db,
    application: ApplicationId,
    limit: i64,
    now: OffsetDateTime,
) -> Result<Vec<ListedToken>> {
    db.query(concat!(
        access_token!(),
        tokens_of_grants!("access_tokens", "t.revoked_at"),
        "AND g.application_id = $2 UNION ALL ",
        refresh_token!(),
        tokens_of_grants!("refresh_tokens", "t.used_at"),
        "AND g.application_id = $2 UNION ALL ",
        oauth1_token!(),
        tokens_of_grants!("oauth1_access_tokens", "g.revoked_at"),
        "AND g.application_id = $2 UNION ALL ",
        own_token!(),
        "ORDER BY 8 DESC, 2 LIMIT $3"
    ))
    .bind(now)
    .bind(application)
    .bind(limit)
    .unhurried()
    .all()
    .await
}

/// The newest live tokens by a user's grants, to `application` alone where that is given.
pub async fn tokens_of_user(
    db: &Db,
    user: UserId,
    application: Option<ApplicationId>,
    limit: i64,
    now: OffsetDateTime,
) -> Result<Vec<ListedToken>> {
    db.query(concat!(
        access_token!(),
        tokens_of_grants!("access_tokens", "t.revoked_at"),
        "AND g.user_id = $2 AND ($3 IS NULL OR g.application_id = $3) UNION ALL ",
        refresh_token!(),
        tokens_of_grants!("refresh_tokens", "t.used_at"),
        "AND g.user_id = $2 AND ($3 IS NULL OR g.application_id = $3) UNION ALL ",
        oauth1_token!(),
        tokens_of_grants!("oauth1_access_tokens", "g.revoked_at"),
        "AND g.user_id = $2 AND ($3 IS NULL OR g.application_id = $3) ORDER BY 8 DESC, 2 LIMIT $4"
    ))
    .bind(now)
    .bind(user)
    .bind(application)
    .bind(limit)
    .unhurried()
    .all()
    .await
}

pub async fn access_token(db: &Db, hash: SecretHash) -> Result<Option<AnyToken>> {
    db.query(
        "SELECT a.client_id, (a.disabled_at IS NULL AND a.deleted_at IS NULL) AS application_live, t.grant_id,
                t.scopes, t.resources, t.created_at, t.expires_at, t.revoked_at, NULL AS used_at,
                t.certificate
         FROM access_tokens t JOIN applications a ON a.id = t.application_id
         WHERE t.hash = $1",
    )
    .bind(hash.to_vec())
    .optional()
    .await
}

pub async fn refresh_token(db: &Db, hash: SecretHash) -> Result<Option<AnyToken>> {
    db.query(
        "SELECT a.client_id, (a.disabled_at IS NULL AND a.deleted_at IS NULL) AS application_live, r.grant_id,
                r.scopes, g.resources, r.created_at, r.expires_at, NULL AS revoked_at, r.used_at,
                r.certificate
         FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id JOIN applications a ON a.id = g.application_id
         WHERE r.hash = $1",
    )
    .bind(hash.to_vec())
    .optional()
    .await
}

/// An access token of OAuth 1.0a.
pub async fn oauth1_token(db: &Db, hash: SecretHash) -> Result<Option<AnyToken>> {
    db.query(
        "SELECT a.client_id,
                (a.disabled_at IS NULL AND a.deleted_at IS NULL AND c.application_id IS NOT NULL) AS application_live,
                t.grant_id, g.scopes, g.resources, t.created_at, t.expires_at, NULL AS revoked_at, NULL AS used_at,
                NULL AS certificate
         FROM oauth1_access_tokens t JOIN grants g ON g.id = t.grant_id JOIN applications a ON a.id = g.application_id
             LEFT JOIN oauth1_consumers c ON c.application_id = a.id
         WHERE t.hash = $1",
    )
    .bind(hash.to_vec())
    .optional()
    .await
}

/// The request token that a grant of OAuth 1.0a was given for.
pub async fn request_token(db: &Db, grant: GrantId) -> Result<Option<FamilyRequestToken>> {
    db.query(
        "SELECT callback, created_at, decided_at, expires_at, used_at FROM oauth1_request_tokens WHERE grant_id = $1
         ORDER BY created_at LIMIT 1",
    )
    .bind(grant)
    .optional()
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

/// A grant, live or dead.
pub async fn find(db: &Db, id: GrantId, now: OffsetDateTime) -> Result<Option<WholeGrant>> {
    db.query(
        "SELECT g.id, g.application_id, a.client_id, g.user_id, u.username, g.grant_type, g.scopes, g.resources,
                g.created_at, g.expires_at, g.last_used_at, g.revoked_at, g.revoked_reason,
                a.disabled_at IS NOT NULL AS application_disabled, a.deleted_at IS NOT NULL AS application_deleted,
                u.disabled_at IS NOT NULL AS user_disabled, u.deleted_at IS NOT NULL AS user_deleted,
                (g.user_epoch <> u.epoch OR g.access_epoch <> a.access_epoch + u.access_epoch) AS outdated,
                (SELECT count(*) FROM access_tokens t
                 WHERE t.grant_id = g.id AND t.revoked_at IS NULL AND t.expires_at > $2)
              + (SELECT count(*) FROM oauth1_access_tokens o
                 WHERE o.grant_id = g.id AND o.expires_at > $2) AS live_access_tokens,
                (SELECT count(*) FROM refresh_tokens r WHERE r.grant_id = g.id) AS refresh_tokens,
                (SELECT count(*) FROM refresh_tokens r
                 WHERE r.grant_id = g.id AND r.used_at IS NULL AND r.expires_at > $2) AS live_refresh_tokens,
                (SELECT t.certificate FROM access_tokens t
                 WHERE t.grant_id = g.id AND t.revoked_at IS NULL AND t.expires_at > $2
                 ORDER BY t.created_at DESC, t.hash LIMIT 1) AS certificate
         FROM grants g JOIN users u ON u.id = g.user_id JOIN applications a ON a.id = g.application_id
         WHERE g.id = $1",
    )
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

/// Forgotten a while after it has ended.
pub async fn device(db: &Db, grant: GrantId) -> Result<Option<FamilyDevice>> {
    db.query(
        "SELECT requested_from, created_at, expires_at, used_at FROM device_codes WHERE grant_id = $1
         ORDER BY created_at LIMIT 1",
    )
    .bind(grant)
    .optional()
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
        "SELECT r.hash, r.parent_hash, r.created_at, r.expires_at, r.used_at, coalesce(p.retry_count, 0) AS retries
         FROM refresh_tokens r LEFT JOIN refresh_tokens p ON p.hash = r.parent_hash
         WHERE r.grant_id = $1
         ORDER BY r.created_at, coalesce(r.used_at, r.expires_at), r.hash LIMIT $2 OFFSET $3",
    )
    .bind(grant)
    .bind(limit)
    .bind(offset)
    .all()
    .await
}
