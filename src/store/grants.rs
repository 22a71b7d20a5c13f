//! `grants` and `consents`.
//!
//! A family is revoked by one row: every read of a code or token joins its grant.

use sqlx::types::Json;
use time::OffsetDateTime;

use super::access::is_admitted;
use super::{Db, Result, Tx};
use crate::model::grant::{AuthorizedApplication, AuthorizedPlace, Consent, Family, RevokedReason};
use crate::model::grant_kind::GrantKind;
use crate::model::ids::{ApplicationId, GrantId, UserId};
use crate::model::resource::Resources;
use crate::model::scope::Scopes;

/// What a new grant is made of.
#[derive(Debug)]
pub struct NewGrant<'a> {
    pub id: GrantId,
    pub application_id: ApplicationId,
    pub user_id: UserId,
    /// The user's epoch when they were asked.
    pub user_epoch: i64,
    pub kind: GrantKind,
    pub scopes: &'a Scopes,
    /// The bound of its access tokens (RFC 8707); empty: none.
    pub resources: &'a Resources,
    /// The absolute end of the family.
    pub expires_at: OffsetDateTime,
}

/// False where the application is disabled or deleted, or the user may not use it.
pub async fn insert(tx: &mut Tx, grant: &NewGrant<'_>, now: OffsetDateTime) -> Result<bool> {
    tx.sql(concat!(
        "INSERT INTO grants (id, application_id, user_id, grant_type, scopes, created_at, expires_at, user_epoch,
             resources, access_epoch)
         SELECT $1, a.id, u.id, $4, $5, $6, $7, $8, $9, a.access_epoch + u.access_epoch
         FROM applications a JOIN users u ON u.id = $3
         WHERE a.id = $2 AND a.disabled_at IS NULL AND a.deleted_at IS NULL AND ",
        is_admitted!()
    ))
    .bind(grant.id)
    .bind(grant.application_id)
    .bind(grant.user_id)
    .bind(grant.kind.name())
    .bind(Json(grant.scopes))
    .bind(now)
    .bind(grant.expires_at)
    .bind(grant.user_epoch)
    .bind(Json(grant.resources))
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// What stands behind a grant, as it is now.
pub async fn family(tx: &mut Tx, id: GrantId) -> Result<Option<Family>> {
    tx.sql(
        "SELECT g.id AS grant_id, g.application_id, g.user_id, g.grant_type, g.scopes AS granted, g.resources,
                g.expires_at AS ends_at,
                (g.revoked_at IS NULL AND g.user_epoch = u.epoch
                 AND (a.id IS NULL OR g.access_epoch = a.access_epoch + u.access_epoch)
                 AND u.disabled_at IS NULL AND u.deleted_at IS NULL) AS live,
                a.version AS application_version
         FROM grants g JOIN users u ON u.id = g.user_id
             LEFT JOIN applications a ON a.id = g.application_id AND a.disabled_at IS NULL AND a.deleted_at IS NULL
         WHERE g.id = $1",
    )
    .bind(id)
    .optional()
    .await
}

/// Kills a family. Idempotent: the first time and reason stay. True for the one who killed it.
pub async fn revoke(tx: &mut Tx, id: GrantId, reason: RevokedReason, now: OffsetDateTime) -> Result<bool> {
    let revoked = tx
        .sql("UPDATE grants SET revoked_at = $2, revoked_reason = $3 WHERE id = $1 AND revoked_at IS NULL")
        .bind(id)
        .bind(now)
        .bind(reason.as_str())
        .execute()
        .await?;
    tx.sql("UPDATE refresh_tokens SET retry_sealed = NULL WHERE grant_id = $1 AND retry_sealed IS NOT NULL")
        .bind(id)
        .execute()
        .await?;
    tx.sql(
        "UPDATE access_tokens SET reuse_key = NULL, reuse_sealed = NULL
         WHERE grant_id = $1 AND reuse_sealed IS NOT NULL",
    )
    .bind(id)
    .execute()
    .await?;
    Ok(revoked == 1)
}

/// Whose families to kill.
#[derive(Clone, Copy, Debug)]
pub enum Families {
    OfUser(UserId),
    OfApplication(ApplicationId),
    OfUserAndApplication(UserId, ApplicationId),
}

impl Families {
    fn parts(self) -> (Option<UserId>, Option<ApplicationId>) {
        match self {
            Self::OfUser(user) => (Some(user), None),
            Self::OfApplication(application) => (None, Some(application)),
            Self::OfUserAndApplication(user, application) => (Some(user), Some(application)),
        }
    }
}

/// The number of families that were alive.
pub async fn revoke_all(
    tx: &mut Tx,
    families: Families,
    reason: RevokedReason,
    now: OffsetDateTime,
) -> Result<u64> {
    let (user, application) = families.parts();
    let revoked = tx
        .sql(
            "UPDATE grants SET revoked_at = $3, revoked_reason = $4
             WHERE revoked_at IS NULL AND ($1 IS NULL OR user_id = $1) AND ($2 IS NULL OR application_id = $2)",
        )
        .bind(user)
        .bind(application)
        .bind(now)
        .bind(reason.as_str())
        .execute()
        .await?;
    unseal(tx, families, now).await?;
    if let (None, Some(application)) = (user, application) {
        return Ok(revoked + revoke_own_tokens(tx, application, now).await?);
    }
    Ok(revoked)
}

/// Kills what `user` authorized `application` to before, but not `successor`. A family of which no token was
/// issued yet stays: its code is still on its way, and will end this one. The caller holds the user, so that
/// of two at once the later finds what the earlier issued.
pub async fn supersede(
    tx: &mut Tx,
    user: UserId,
    application: ApplicationId,
    successor: GrantId,
    now: OffsetDateTime,
) -> Result<u64> {
    let revoked = tx
        .sql(
            "UPDATE grants SET revoked_at = $4, revoked_reason = $5
             WHERE user_id = $1 AND application_id = $2 AND id <> $3 AND revoked_at IS NULL
               AND (EXISTS (SELECT 1 FROM access_tokens t WHERE t.grant_id = grants.id)
                 OR EXISTS (SELECT 1 FROM refresh_tokens r WHERE r.grant_id = grants.id)
                 OR EXISTS (SELECT 1 FROM oauth1_access_tokens o WHERE o.grant_id = grants.id))",
        )
        .bind(user)
        .bind(application)
        .bind(successor)
        .bind(now)
        .bind(RevokedReason::Superseded.as_str())
        .execute()
        .await?;
    unseal(tx, Families::OfUserAndApplication(user, application), now).await?;
    Ok(revoked)
}

/// Kills what was granted to an application by users who may no longer use it. The caller has taken somebody
/// out, or restricted it. The number of families that were alive.
pub async fn withdraw_of_application(tx: &mut Tx, id: ApplicationId, now: OffsetDateTime) -> Result<u64> {
    tx.sql("UPDATE applications SET access_epoch = access_epoch + 1 WHERE id = $1")
        .bind(id)
        .execute()
        .await?;
    withdraw(tx, Families::OfApplication(id), now).await
}

/// The same of one user, who was taken out of a group.
pub async fn withdraw_of_user(tx: &mut Tx, id: UserId, now: OffsetDateTime) -> Result<u64> {
    tx.sql("UPDATE users SET access_epoch = access_epoch + 1 WHERE id = $1")
        .bind(id)
        .execute()
        .await?;
    withdraw(tx, Families::OfUser(id), now).await
}

/// The caller has counted the epoch up, so that a grant is dead that is being made now by what was true
/// before: it is neither seen here nor taken along. Those that there are are taken along first and judged
/// second; the other way round, one that came in between would be taken along unjudged.
async fn withdraw(tx: &mut Tx, families: Families, now: OffsetDateTime) -> Result<u64> {
    let (user, application) = families.parts();
    tx.sql(
        "UPDATE grants SET access_epoch = access_epoch + 1
         WHERE revoked_at IS NULL AND ($1 IS NULL OR user_id = $1) AND ($2 IS NULL OR application_id = $2)",
    )
    .bind(user)
    .bind(application)
    .execute()
    .await?;
    let revoked = tx
        .sql(concat!(
            "UPDATE grants SET revoked_at = $3, revoked_reason = $4
             WHERE revoked_at IS NULL AND ($1 IS NULL OR user_id = $1) AND ($2 IS NULL OR application_id = $2)
               AND EXISTS (SELECT 1 FROM applications a JOIN users u ON u.id = grants.user_id
                           WHERE a.id = grants.application_id AND NOT ",
            is_admitted!(),
            ")"
        ))
        .bind(user)
        .bind(application)
        .bind(now)
        .bind(RevokedReason::AccessWithdrawn.as_str())
        .execute()
        .await?;
    tx.sql(concat!(
        "DELETE FROM consents WHERE ($1 IS NULL OR user_id = $1) AND ($2 IS NULL OR application_id = $2)
           AND EXISTS (SELECT 1 FROM applications a JOIN users u ON u.id = consents.user_id
                       WHERE a.id = consents.application_id AND NOT ",
        is_admitted!(),
        ")"
    ))
    .bind(user)
    .bind(application)
    .execute()
    .await?;
    unseal(tx, families, now).await?;
    Ok(revoked)
}

/// Erases what is sealed in the families that were revoked at `at`.
async fn unseal(tx: &mut Tx, families: Families, at: OffsetDateTime) -> Result<()> {
    let (user, application) = families.parts();
    tx.sql(
        "UPDATE refresh_tokens SET retry_sealed = NULL
         WHERE retry_sealed IS NOT NULL AND grant_id IN
            (SELECT id FROM grants WHERE revoked_at = $3
                AND ($1 IS NULL OR user_id = $1) AND ($2 IS NULL OR application_id = $2))",
    )
    .bind(user)
    .bind(application)
    .bind(at)
    .execute()
    .await?;
    tx.sql(
        "UPDATE access_tokens SET reuse_key = NULL, reuse_sealed = NULL
         WHERE reuse_sealed IS NOT NULL AND grant_id IN
            (SELECT id FROM grants WHERE revoked_at = $3
                AND ($1 IS NULL OR user_id = $1) AND ($2 IS NULL OR application_id = $2))",
    )
    .bind(user)
    .bind(application)
    .bind(at)
    .execute()
    .await
    .map(drop)
}

/// The tokens that an application has on its own behalf.
pub async fn revoke_own_tokens(tx: &mut Tx, application: ApplicationId, now: OffsetDateTime) -> Result<u64> {
    tx.sql(
        "UPDATE access_tokens SET revoked_at = $2, reuse_key = NULL, reuse_sealed = NULL
         WHERE application_id = $1 AND grant_id IS NULL AND revoked_at IS NULL",
    )
    .bind(application)
    .bind(now)
    .execute()
    .await
}

pub async fn remember_consent(
    tx: &mut Tx,
    user: UserId,
    application: ApplicationId,
    scopes: &Scopes,
    now: OffsetDateTime,
) -> Result<()> {
    tx.sql(
        "INSERT INTO consents (user_id, application_id, scopes, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $4)
         ON CONFLICT (user_id, application_id) DO UPDATE SET scopes = $3, updated_at = $4",
    )
    .bind(user)
    .bind(application)
    .bind(Json(scopes))
    .bind(now)
    .execute()
    .await
    .map(drop)
}

pub async fn consent(db: &Db, user: UserId, application: ApplicationId) -> Result<Option<Consent>> {
    db.query("SELECT scopes, created_at FROM consents WHERE user_id = $1 AND application_id = $2")
        .bind(user)
        .bind(application)
        .optional()
        .await
}

pub async fn consent_in(tx: &mut Tx, user: UserId, application: ApplicationId) -> Result<Option<Consent>> {
    tx.sql("SELECT scopes, created_at FROM consents WHERE user_id = $1 AND application_id = $2")
        .bind(user)
        .bind(application)
        .optional()
        .await
}

/// The consent, held until the transaction ends: whoever withdraws it meanwhile waits, and then finds what
/// came of it.
pub async fn hold_consent(tx: &mut Tx, user: UserId, application: ApplicationId) -> Result<Option<Consent>> {
    tx.sql(
        "UPDATE consents SET updated_at = updated_at WHERE user_id = $1 AND application_id = $2
         RETURNING scopes, created_at",
    )
    .bind(user)
    .bind(application)
    .optional()
    .await
}

pub async fn forget_consents(tx: &mut Tx, application: ApplicationId) -> Result<()> {
    tx.sql("DELETE FROM consents WHERE application_id = $1")
        .bind(application)
        .execute()
        .await
        .map(drop)
}

/// Ends what `user` granted `scope` in, and forgets the consents to it. The number of families that were alive.
pub async fn end_scope_of(
    tx: &mut Tx,
    user: UserId,
    scope: &str,
    reason: RevokedReason,
    now: OffsetDateTime,
) -> Result<u64> {
    tx.sql("DELETE FROM consents WHERE user_id = $1 AND CAST(scopes AS TEXT) LIKE '%\"' || $2 || '\"%'")
        .bind(user)
        .bind(scope)
        .execute()
        .await?;
    let revoked = tx
        .sql(
            "UPDATE grants SET revoked_at = $3, revoked_reason = $4
             WHERE user_id = $1 AND revoked_at IS NULL AND CAST(scopes AS TEXT) LIKE '%\"' || $2 || '\"%'",
        )
        .bind(user)
        .bind(scope)
        .bind(now)
        .bind(reason.as_str())
        .execute()
        .await?;
    unseal(tx, Families::OfUser(user), now).await?;
    Ok(revoked)
}

pub async fn forget_consent(tx: &mut Tx, user: UserId, application: ApplicationId) -> Result<u64> {
    tx.sql("DELETE FROM consents WHERE user_id = $1 AND application_id = $2")
        .bind(user)
        .bind(application)
        .execute()
        .await
}

/// A page of the applications that a user has allowed, newest first: a row for each and for each set of scopes
/// that was allowed to it, those of one application next to each other. Where a consent is remembered, it counts
/// and not the grants that came of it.
pub async fn authorized(
    db: &Db,
    user: UserId,
    after: Option<AuthorizedPlace>,
    limit: i64,
    now: OffsetDateTime,
) -> Result<Vec<AuthorizedApplication>> {
    let after = after.unwrap_or_else(AuthorizedPlace::before_all);
    db.query(concat!(
        "WITH allowed AS (
             SELECT c.application_id, c.scopes, c.created_at AS since
             FROM consents c JOIN applications a ON a.id = c.application_id JOIN users u ON u.id = c.user_id
             WHERE c.user_id = $1 AND ",
        is_admitted!(),
        "
             UNION ALL
             SELECT g.application_id, g.scopes, g.created_at AS since
             FROM grants g JOIN users u ON u.id = g.user_id AND u.epoch = g.user_epoch
                 JOIN applications a ON a.id = g.application_id AND g.access_epoch = a.access_epoch + u.access_epoch
             WHERE g.user_id = $1 AND g.revoked_at IS NULL AND g.expires_at > $2
               AND NOT EXISTS (SELECT 1 FROM consents c
                               WHERE c.user_id = $1 AND c.application_id = g.application_id)
               AND (EXISTS (SELECT 1 FROM refresh_tokens r
                            WHERE r.grant_id = g.id AND r.used_at IS NULL AND r.expires_at > $2)
                 OR EXISTS (SELECT 1 FROM access_tokens t WHERE t.grant_id = g.id AND t.expires_at > $2)
                 OR EXISTS (SELECT 1 FROM oauth1_access_tokens o WHERE o.grant_id = g.id AND o.expires_at > $2)
                 OR EXISTS (SELECT 1 FROM oauth1_request_tokens q
                            WHERE q.grant_id = g.id AND q.used_at IS NULL AND q.expires_at > $2)
                 OR EXISTS (SELECT 1 FROM authorization_codes k
                            WHERE k.grant_id = g.id AND k.used_at IS NULL AND k.expires_at > $2)
                 OR EXISTS (SELECT 1 FROM device_codes d
                            WHERE d.grant_id = g.id AND d.used_at IS NULL AND d.expires_at > $2))),
         page AS (
             SELECT l.application_id, min(l.since) AS since
             FROM allowed l JOIN applications a ON a.id = l.application_id AND a.deleted_at IS NULL
             GROUP BY l.application_id
             HAVING min(l.since) < $3 OR (min(l.since) = $3 AND l.application_id < $4)
             ORDER BY min(l.since) DESC, l.application_id DESC LIMIT $5)
         SELECT DISTINCT a.id, a.name, a.client_id, l.scopes, p.since,
                (SELECT max(g.last_used_at) FROM grants g WHERE g.user_id = $1 AND g.application_id = a.id)
                    AS last_used_at, a.disabled_at IS NULL AS enabled
         FROM page p JOIN allowed l ON l.application_id = p.application_id
             JOIN applications a ON a.id = p.application_id
         ORDER BY p.since DESC, a.id DESC"
    ))
    .bind(user)
    .bind(now)
    .bind(after.since)
    .bind(after.application)
    .bind(limit)
    .all()
    .await
}
