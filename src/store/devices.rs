//! `device_codes`.

use sqlx::types::Json;
use time::OffsetDateTime;

use super::{Db, Result, Tx};
use crate::base::secret::SecretHash;
use crate::model::device::{DeviceCode, DeviceRequest};
use crate::model::ids::{ApplicationId, GrantId, UserId};
use crate::model::resource::Resources;
use crate::model::scope::Scopes;

/// What a new device code is made of.
#[derive(Debug)]
pub struct NewDeviceCode<'a> {
    pub hash: SecretHash,
    pub user_code_hash: SecretHash,
    pub application_id: ApplicationId,
    /// At which version its application was authenticated.
    pub application_version: i64,
    pub scopes: &'a Scopes,
    pub resources: &'a Resources,
    /// The address of the device.
    pub requested_from: String,
    pub expires_at: OffsetDateTime,
    pub forget_at: OffsetDateTime,
    /// Seconds.
    pub poll_interval: i64,
}

/// False where one of the codes is taken, where the application already has `most` that wait, or where it
/// is no longer at its version; [`standing`] tells which. Requests in parallel may go over `most` by as many
/// as are written at once.
pub async fn insert(db: &Db, new: &NewDeviceCode<'_>, most: i64, now: OffsetDateTime) -> Result<bool> {
    db.command(
        "INSERT INTO device_codes (hash, user_code_hash, application_id, scopes, requested_from, created_at,
                                   expires_at, forget_at, poll_interval, next_poll_at, resources)
         SELECT $1, $2, a.id, $5, $6, $7, $8, $9, $10, $11, $13 FROM applications a
         WHERE a.id = $3 AND a.version = $4 AND a.disabled_at IS NULL AND a.deleted_at IS NULL
           AND (SELECT count(*) FROM device_codes d
                WHERE d.application_id = $3 AND d.decided_at IS NULL AND d.expires_at > $7) < $12
         ON CONFLICT DO NOTHING",
    )
    .bind(new.hash.to_vec())
    .bind(new.user_code_hash.to_vec())
    .bind(new.application_id)
    .bind(new.application_version)
    .bind(Json(new.scopes))
    .bind(new.requested_from.clone())
    .bind(now)
    .bind(new.expires_at)
    .bind(new.forget_at)
    .bind(new.poll_interval)
    .bind(now.unix_timestamp())
    .bind(most)
    .bind(Json(new.resources))
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// Where an application stands that wants a device code.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct Standing {
    /// `None` where it is disabled or deleted.
    pub version: Option<i64>,
    /// Codes that wait for a person.
    pub waiting: i64,
}

pub async fn standing(db: &Db, application: ApplicationId, now: OffsetDateTime) -> Result<Standing> {
    db.query(
        "SELECT (SELECT version FROM applications
                 WHERE id = $1 AND disabled_at IS NULL AND deleted_at IS NULL) AS version,
                (SELECT count(*) FROM device_codes
                 WHERE application_id = $1 AND decided_at IS NULL AND expires_at > $2) AS waiting",
    )
    .bind(application)
    .bind(now)
    .one()
    .await
}

pub async fn find(db: &Db, hash: SecretHash) -> Result<Option<DeviceCode>> {
    db.query(
        "SELECT d.application_id, a.version AS application_version, d.expires_at, d.decided_at, d.grant_id, d.used_at
         FROM device_codes d
             LEFT JOIN applications a ON a.id = d.application_id AND a.disabled_at IS NULL AND a.deleted_at IS NULL
         WHERE d.hash = $1",
    )
    .bind(hash.to_vec())
    .optional()
    .await
}

/// True where the poll keeps its distance from the one before; the next is then welcome an interval later.
/// Of polls sent together, whichever node they come to, one does.
pub async fn poll(db: &Db, hash: SecretHash, now: OffsetDateTime) -> Result<bool> {
    db.command(
        "UPDATE device_codes SET next_poll_at = $2 + poll_interval
         WHERE hash = $1 AND next_poll_at <= $2",
    )
    .bind(hash.to_vec())
    .bind(now.unix_timestamp())
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// Makes the interval longer by `seconds`, for this and all polls to come (RFC 8628 §3.5).
pub async fn slow_down(db: &Db, hash: SecretHash, seconds: i64, now: OffsetDateTime) -> Result<()> {
    db.command(
        "UPDATE device_codes SET poll_interval = poll_interval + $2, next_poll_at = $3 + poll_interval + $2
         WHERE hash = $1",
    )
    .bind(hash.to_vec())
    .bind(seconds)
    .bind(now.unix_timestamp())
    .execute()
    .await
    .map(drop)
}

/// Binds an undecided code to the user who typed it, and to the page that is shown for it. `None` where
/// there is no such code, or another user typed it first.
pub async fn claim(
    db: &Db,
    user_code: SecretHash,
    user: UserId,
    confirmation: SecretHash,
    now: OffsetDateTime,
) -> Result<Option<DeviceRequest>> {
    db.command(
        "UPDATE device_codes SET user_id = $2, confirmation_hash = $3
         WHERE user_code_hash = $1 AND decided_at IS NULL AND expires_at > $4 AND (user_id IS NULL OR user_id = $2)
         RETURNING application_id, scopes, resources, requested_from, created_at, expires_at",
    )
    .bind(user_code.to_vec())
    .bind(user)
    .bind(confirmation.to_vec())
    .bind(now)
    .optional()
    .await
}

/// A device code that nobody has decided on.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub user_code_hash: SecretHash,
    /// Of the application that asked for it.
    pub client_id: String,
}

/// `None` where it is unknown, decided or expired.
pub async fn waiting(db: &Db, hash: SecretHash, now: OffsetDateTime) -> Result<Option<Waiting>> {
    let found: Option<(Vec<u8>, String)> = db
        .query(
            "SELECT d.user_code_hash, a.client_id FROM device_codes d JOIN applications a ON a.id = d.application_id
             WHERE d.hash = $1 AND d.decided_at IS NULL AND d.expires_at > $2",
        )
        .bind(hash.to_vec())
        .bind(now)
        .optional()
        .await?;
    Ok(found.and_then(|(user_code, client_id)| {
        Some(Waiting {
            user_code_hash: SecretHash::from_stored(&user_code)?,
            client_id,
        })
    }))
}

/// A poll before `next` comes too early, and none from then on, however long ago the last one was.
pub async fn expect_poll(db: &Db, user_code: SecretHash, next: OffsetDateTime) -> Result<()> {
    db.command("UPDATE device_codes SET next_poll_at = $2 WHERE user_code_hash = $1 AND decided_at IS NULL")
        .bind(user_code.to_vec())
        .bind(next.unix_timestamp())
        .execute()
        .await
        .map(drop)
}

/// What the page `confirmation` asks is no more than `scopes`.
pub async fn narrow(db: &Db, confirmation: SecretHash, scopes: &Scopes) -> Result<()> {
    db.command("UPDATE device_codes SET scopes = $2 WHERE confirmation_hash = $1 AND decided_at IS NULL")
        .bind(confirmation.to_vec())
        .bind(Json(scopes))
        .execute()
        .await
        .map(drop)
}

/// Nobody's again, if `user` had typed it and not decided.
pub async fn release(db: &Db, confirmation: SecretHash, user: UserId) -> Result<()> {
    db.command(
        "UPDATE device_codes SET user_id = NULL, confirmation_hash = NULL
         WHERE confirmation_hash = $1 AND user_id = $2 AND decided_at IS NULL",
    )
    .bind(confirmation.to_vec())
    .bind(user)
    .execute()
    .await
    .map(drop)
}

/// What the page `confirmation`, shown to `user`, asks; while it can be decided.
pub async fn asked(
    db: &Db,
    confirmation: SecretHash,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Option<DeviceRequest>> {
    db.query(
        "SELECT application_id, scopes, resources, requested_from, created_at, expires_at FROM device_codes
         WHERE confirmation_hash = $1 AND user_id = $2 AND decided_at IS NULL AND expires_at > $3",
    )
    .bind(confirmation.to_vec())
    .bind(user)
    .bind(now)
    .optional()
    .await
}

/// True for the one decision that counts. Without a `grant` the device is denied.
pub async fn decide(
    tx: &mut Tx,
    confirmation: SecretHash,
    user: UserId,
    grant: Option<GrantId>,
    now: OffsetDateTime,
) -> Result<bool> {
    tx.sql(
        "UPDATE device_codes SET decided_at = $3, grant_id = $4
         WHERE confirmation_hash = $1 AND user_id = $2 AND decided_at IS NULL AND expires_at > $3",
    )
    .bind(confirmation.to_vec())
    .bind(user)
    .bind(now)
    .bind(grant)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// True for the one poll that redeems the code, however many come at the same moment.
pub async fn consume(tx: &mut Tx, hash: SecretHash, now: OffsetDateTime) -> Result<bool> {
    tx.sql(
        "UPDATE device_codes SET used_at = $2
         WHERE hash = $1 AND used_at IS NULL AND grant_id IS NOT NULL AND expires_at > $2",
    )
    .bind(hash.to_vec())
    .bind(now)
    .execute()
    .await
    .map(|rows| rows == 1)
}
