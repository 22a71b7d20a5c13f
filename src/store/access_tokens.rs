//! `access_tokens`.

use sqlx::types::Json;
use time::OffsetDateTime;

use super::{Db, Result, Statement, Tx};
use crate::base::secret::SecretHash;
use crate::model::certificate::Thumbprint;
use crate::model::ids::{ApplicationId, GrantId};
use crate::model::resource::Resources;
use crate::model::scope::Scopes;
use crate::model::token::AccessToken;

/// What a new access token is made of.
#[derive(Debug)]
pub struct NewAccessToken<'a> {
    pub hash: SecretHash,
    pub application_id: ApplicationId,
    /// Absent where no user was asked.
    pub grant_id: Option<GrantId>,
    pub scopes: &'a Scopes,
    /// Where it may be used (RFC 8707); empty: anywhere.
    pub resources: &'a Resources,
    pub expires_at: OffsetDateTime,
    /// The certificate that it is bound to (RFC 8705 §3).
    pub certificate: Option<&'a Thumbprint>,
    /// Where it may be given again.
    pub sealed: Option<&'a Sealed>,
}

/// A token that only its application can open, and what it is found by.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub key: Vec<u8>,
    pub sealed: Vec<u8>,
}

/// A sealed token as it rests.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Found {
    pub sealed: Vec<u8>,
    pub created_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
}

const INSERT: &str = "INSERT INTO access_tokens
         (hash, application_id, grant_id, scopes, created_at, expires_at, resources, reuse_key, reuse_sealed,
          certificate)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

pub async fn insert(tx: &mut Tx, token: &NewAccessToken<'_>, now: OffsetDateTime) -> Result<()> {
    bind(tx.sql(INSERT), token, now).execute().await.map(drop)
}

/// In one round trip, where nothing else is to be written. False where the application is no longer at
/// `version`: then who asked for the token was authenticated by what is past.
pub async fn insert_alone(
    db: &Db,
    token: &NewAccessToken<'_>,
    version: i64,
    now: OffsetDateTime,
) -> Result<bool> {
    let statement = db.command(
        "INSERT INTO access_tokens
             (hash, application_id, grant_id, scopes, created_at, expires_at, resources, reuse_key, reuse_sealed,
              certificate)
         SELECT $1, a.id, $3, $4, $5, $6, $7, $8, $9, $10 FROM applications a
         WHERE a.id = $2 AND a.version = $11 AND a.disabled_at IS NULL AND a.deleted_at IS NULL",
    );
    bind(statement, token, now)
        .bind(version)
        .execute()
        .await
        .map(|rows| rows == 1)
}

fn bind<'s>(statement: Statement<'s>, token: &NewAccessToken<'_>, now: OffsetDateTime) -> Statement<'s> {
    statement
        .bind(token.hash.to_vec())
        .bind(token.application_id)
        .bind(token.grant_id)
        .bind(Json(token.scopes))
        .bind(now)
        .bind(token.expires_at)
        .bind(Json(token.resources))
        .bind(token.sealed.map(|sealed| sealed.key.clone()))
        .bind(token.sealed.map(|sealed| sealed.sealed.clone()))
        .bind(token.certificate.map(Thumbprint::to_vec))
}

/// The live token under `key` that lives longest, where its application is still at `version`.
pub async fn find_sealed(db: &Db, key: Vec<u8>, version: i64, now: OffsetDateTime) -> Result<Option<Found>> {
    db.query(
        "SELECT t.reuse_sealed AS sealed, t.created_at, t.expires_at
         FROM access_tokens t JOIN applications a ON a.id = t.application_id
         WHERE t.reuse_key = $1 AND t.reuse_sealed IS NOT NULL AND t.revoked_at IS NULL AND t.expires_at > $2
           AND a.version = $3 AND a.disabled_at IS NULL AND a.deleted_at IS NULL
         ORDER BY t.expires_at DESC LIMIT 1",
    )
    .bind(key)
    .bind(now)
    .bind(version)
    .optional()
    .await
}

macro_rules! found {
    () => {
        "t.application_id, a.client_id, t.grant_id, g.user_id, u.username,
         coalesce(u.admin, $2) AS admin, t.scopes, t.resources, t.created_at, t.expires_at, t.certificate,
         (t.revoked_at IS NULL AND a.disabled_at IS NULL AND a.deleted_at IS NULL
          AND (t.grant_id IS NULL
               OR (g.id IS NOT NULL AND g.revoked_at IS NULL
                   AND u.id IS NOT NULL AND g.user_epoch = u.epoch AND u.disabled_at IS NULL AND u.deleted_at IS NULL
                   AND g.access_epoch = a.access_epoch + u.access_epoch))) AS live"
    };
}

macro_rules! tables {
    () => {
        " FROM access_tokens t JOIN applications a ON a.id = t.application_id
             LEFT JOIN grants g ON g.id = t.grant_id LEFT JOIN users u ON u.id = g.user_id "
    };
}

/// A token with all that decides whether it is good, in one round trip.
pub async fn find(db: &Db, hash: SecretHash) -> Result<Option<AccessToken>> {
    db.query(concat!("SELECT ", found!(), tables!(), "WHERE t.hash = $1"))
        .bind(hash.to_vec())
        .bind(false)
        .optional()
        .await
}

/// A token, and what the application that asks about it is at this moment.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Asked {
    #[sqlx(flatten)]
    pub token: AccessToken,
    /// `None` where the asker is disabled or deleted.
    pub asker_version: Option<i64>,
}

/// As [`find`], in the same one round trip.
pub async fn find_for(db: &Db, hash: SecretHash, asker: ApplicationId) -> Result<Option<Asked>> {
    db.query(concat!(
        "SELECT ",
        found!(),
        ", k.version AS asker_version",
        tables!(),
        "LEFT JOIN applications k ON k.id = $3 AND k.disabled_at IS NULL AND k.deleted_at IS NULL
         WHERE t.hash = $1"
    ))
    .bind(hash.to_vec())
    .bind(false)
    .bind(asker)
    .optional()
    .await
}

/// For a token that is its own family. False where it was revoked before.
pub async fn revoke(tx: &mut Tx, hash: SecretHash, now: OffsetDateTime) -> Result<bool> {
    tx.sql(
        "UPDATE access_tokens SET revoked_at = $2, reuse_key = NULL, reuse_sealed = NULL
         WHERE hash = $1 AND revoked_at IS NULL",
    )
    .bind(hash.to_vec())
    .bind(now)
    .execute()
    .await
    .map(|rows| rows == 1)
}
