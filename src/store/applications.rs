//! `applications` and `application_secrets`.

use sqlx::types::Json;
use time::OffsetDateTime;

use super::access::allowed_columns;
use super::{Db, Result, Tx};
use crate::base::secret::SecretHash;
use crate::model::access::Allowed;
use crate::model::application::{Application, ApplicationSecret, ApplicationSettings, Client, SecretDigest};
use crate::model::client_authentication::ClientAuthentication;
use crate::model::client_id::ClientId;
use crate::model::ids::{ApplicationId, SecretId, UserId};
use crate::model::origin::Origin;

macro_rules! columns {
    () => {
        "a.id, a.client_id, a.name, a.confidential, a.trusted, a.require_pkce, a.introspect, a.send_iss,
         a.localhost_any_port, a.redirect_uris, a.scopes, a.grants, a.access_token_ttl, a.refresh_token_ttl,
         a.refresh_token_max_ttl, a.default_scopes, a.optional_scopes, a.access_token_ttls, a.reuse_access_token,
         a.reuse_refresh_token, a.revoke_previous_tokens, a.allowed_origins, a.restricted, a.authentication, a.version, a.created_at, a.updated_at,
         a.last_used_at, a.disabled_at, a.owner_id,
         EXISTS (SELECT 1 FROM oauth1_consumers x WHERE x.application_id = a.id) AS oauth1,
         (SELECT x.rsa_public_key FROM oauth1_consumers x WHERE x.application_id = a.id) AS oauth1_rsa_public_key,
         (SELECT o.username FROM users o WHERE o.id = a.owner_id AND o.deleted_at IS NULL) AS owner"
    };
}

pub(super) use columns;

macro_rules! secret_columns {
    () => {
        "s.id AS secret_id, s.hash AS secret_hash, s.password_hash AS secret_password_hash,
         s.created_at AS secret_created_at, s.last_used_at AS secret_last_used_at,
         s.expires_at AS secret_expires_at"
    };
}

#[derive(sqlx::FromRow)]
#[expect(clippy::struct_field_names, reason = "the columns of a join")]
struct SecretRow {
    secret_id: Option<SecretId>,
    secret_hash: Option<Vec<u8>>,
    secret_password_hash: Option<String>,
    secret_created_at: Option<OffsetDateTime>,
    secret_last_used_at: Option<OffsetDateTime>,
    secret_expires_at: Option<OffsetDateTime>,
}

impl SecretRow {
    fn into_secret(self) -> Option<ApplicationSecret> {
        let digest = match (self.secret_hash, self.secret_password_hash) {
            (Some(hash), _) => SecretDigest::Generated(SecretHash::from_stored(&hash)?),
            (None, Some(phc)) => SecretDigest::Chosen(phc),
            (None, None) => return None,
        };
        Some(ApplicationSecret {
            id: self.secret_id?,
            digest,
            created_at: self.secret_created_at?,
            last_used_at: self.secret_last_used_at,
            expires_at: self.secret_expires_at,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ClientRow {
    #[sqlx(flatten)]
    application: Application,
    #[sqlx(flatten)]
    secret: SecretRow,
}

fn client(rows: Vec<ClientRow>) -> Option<Client> {
    let mut rows = rows.into_iter();
    let first = rows.next()?;
    let secrets = std::iter::once(first.secret)
        .chain(rows.map(|row| row.secret))
        .filter_map(SecretRow::into_secret)
        .collect();
    Some(Client {
        application: first.application,
        secrets,
    })
}

/// Applications with their secrets, a row each: under a condition, in an order.
macro_rules! clients {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ", ",
            secret_columns!(),
            " FROM applications a LEFT JOIN application_secrets s ON s.application_id = a.id WHERE ",
            $rest
        )
    };
}

/// An application and its secrets, by what it calls itself on the wire.
pub async fn find_by_client_id(db: &Db, client_id: &str) -> Result<Option<Client>> {
    let rows = db
        .query(clients!(
            "a.client_id = $1 AND a.deleted_at IS NULL ORDER BY s.created_at, s.id"
        ))
        .bind(client_id)
        .all::<ClientRow>()
        .await?;
    Ok(client(rows))
}

pub async fn find(db: &Db, id: ApplicationId) -> Result<Option<Client>> {
    let rows = db
        .query(clients!(
            "a.id = $1 AND a.deleted_at IS NULL ORDER BY s.created_at, s.id"
        ))
        .bind(id)
        .all::<ClientRow>()
        .await?;
    Ok(client(rows))
}

/// All of them with their secrets, by `client_id`.
pub async fn all_clients(db: &Db) -> Result<Vec<Client>> {
    let rows = db
        .query(clients!(
            "a.deleted_at IS NULL ORDER BY a.client_id, s.created_at, s.id"
        ))
        .all::<ClientRow>()
        .await?;
    let mut clients: Vec<Client> = Vec::new();
    for row in rows {
        let secret = row.secret.into_secret();
        match clients.last_mut() {
            Some(last) if last.application.id == row.application.id => last.secrets.extend(secret),
            _ => clients.push(Client {
                application: row.application,
                secrets: secret.into_iter().collect(),
            }),
        }
    }
    Ok(clients)
}

/// What a new application is made of.
#[derive(Debug)]
pub struct NewApplication<'a> {
    pub id: ApplicationId,
    pub client_id: &'a ClientId,
    pub settings: &'a ApplicationSettings,
}

/// Open to everybody: see [`super::access::set_restricted`]. False where the `client_id` is or was taken.
pub async fn insert(tx: &mut Tx, new: &NewApplication<'_>, now: OffsetDateTime) -> Result<bool> {
    let settings = new.settings;
    tx.sql(
        "INSERT INTO applications (id, client_id, name, confidential, trusted, require_pkce, introspect, send_iss,
             localhost_any_port, redirect_uris, scopes, grants, access_token_ttl, refresh_token_ttl,
             refresh_token_max_ttl, default_scopes, optional_scopes, access_token_ttls, reuse_access_token,
             reuse_refresh_token, revoke_previous_tokens, allowed_origins, authentication, version, created_at,
             updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
             $22, $23, 1, $24, $24)
         ON CONFLICT DO NOTHING",
    )
    .bind(new.id)
    .bind(new.client_id.as_str())
    .bind(&settings.name)
    .bind(settings.confidential)
    .bind(settings.trusted)
    .bind(settings.require_pkce)
    .bind(settings.introspect)
    .bind(settings.send_iss)
    .bind(settings.localhost_any_port)
    .bind(Json(&settings.redirect_uris))
    .bind(settings.scopes.as_ref().map(Json))
    .bind(Json(&settings.grants))
    .bind(settings.access_token_ttl)
    .bind(settings.refresh_token_ttl)
    .bind(settings.refresh_token_max_ttl)
    .bind(settings.default_scopes.as_ref().map(Json))
    .bind(settings.optional_scopes.as_ref().map(Json))
    .bind(Json(&settings.access_token_ttls))
    .bind(settings.reuse_access_token)
    .bind(settings.reuse_refresh_token)
    .bind(settings.revoke_previous_tokens)
    .bind(Json(&settings.allowed_origins))
    .bind(Json(&settings.authentication))
    .bind(now)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// All but who may use it. False where somebody saved it since `version` was read.
pub async fn update(
    tx: &mut Tx,
    id: ApplicationId,
    settings: &ApplicationSettings,
    version: i64,
    now: OffsetDateTime,
) -> Result<bool> {
    tx.sql(
        "UPDATE applications SET name = $2, confidential = $3, trusted = $4, require_pkce = $5, introspect = $6,
             send_iss = $7, localhost_any_port = $8, redirect_uris = $9, scopes = $10, grants = $11,
             access_token_ttl = $12, refresh_token_ttl = $13, refresh_token_max_ttl = $14,
             default_scopes = $15, optional_scopes = $16, access_token_ttls = $17, reuse_access_token = $18,
             reuse_refresh_token = $19, revoke_previous_tokens = $20, allowed_origins = $21, authentication = $22,
             version = version + 1, updated_at = $23
         WHERE id = $1 AND version = $24 AND deleted_at IS NULL",
    )
    .bind(id)
    .bind(&settings.name)
    .bind(settings.confidential)
    .bind(settings.trusted)
    .bind(settings.require_pkce)
    .bind(settings.introspect)
    .bind(settings.send_iss)
    .bind(settings.localhost_any_port)
    .bind(Json(&settings.redirect_uris))
    .bind(settings.scopes.as_ref().map(Json))
    .bind(Json(&settings.grants))
    .bind(settings.access_token_ttl)
    .bind(settings.refresh_token_ttl)
    .bind(settings.refresh_token_max_ttl)
    .bind(settings.default_scopes.as_ref().map(Json))
    .bind(settings.optional_scopes.as_ref().map(Json))
    .bind(Json(&settings.access_token_ttls))
    .bind(settings.reuse_access_token)
    .bind(settings.reuse_refresh_token)
    .bind(settings.revoke_previous_tokens)
    .bind(Json(&settings.allowed_origins))
    .bind(Json(&settings.authentication))
    .bind(now)
    .bind(version)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// The row stays, so that nobody gets its `client_id` again; everything that reads skips it.
pub async fn delete(tx: &mut Tx, id: ApplicationId, now: OffsetDateTime) -> Result<bool> {
    tx.sql("DELETE FROM application_secrets WHERE application_id = $1")
        .bind(id)
        .execute()
        .await?;
    tx.sql("DELETE FROM consents WHERE application_id = $1")
        .bind(id)
        .execute()
        .await?;
    tx.sql("DELETE FROM application_users WHERE application_id = $1")
        .bind(id)
        .execute()
        .await?;
    tx.sql("DELETE FROM application_groups WHERE application_id = $1")
        .bind(id)
        .execute()
        .await?;
    tx.sql("DELETE FROM oauth1_consumers WHERE application_id = $1")
        .bind(id)
        .execute()
        .await?;
    tx.sql("DELETE FROM oauth1_request_tokens WHERE application_id = $1")
        .bind(id)
        .execute()
        .await?;
    tx.sql("DELETE FROM failed_requests WHERE application_id = $1")
        .bind(id)
        .execute()
        .await?;
    tx.sql("UPDATE applications SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL")
        .bind(id)
        .bind(now)
        .execute()
        .await
        .map(|rows| rows == 1)
}

/// Disables at `disabled_at`, or enables. A new version, so that no node goes on with what it was. False where
/// it is gone, or so already.
pub async fn set_disabled(
    tx: &mut Tx,
    id: ApplicationId,
    disabled_at: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<bool> {
    tx.sql(
        "UPDATE applications SET disabled_at = $2, version = version + 1, updated_at = $3
         WHERE id = $1 AND deleted_at IS NULL AND (disabled_at IS NULL) = $4",
    )
    .bind(id)
    .bind(disabled_at)
    .bind(now)
    .bind(disabled_at.is_some())
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// A row of the list, with what an administrator wants to see at a glance.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Listed {
    #[sqlx(flatten)]
    pub application: Application,
    #[sqlx(flatten)]
    pub allowed: Allowed,
    pub live_grants: i64,
    /// How many match in all.
    pub total: i64,
}

/// A page of applications by name, of one owner or of all, whose name or `client_id` contains `search`.
pub async fn page(
    db: &Db,
    owner: Option<UserId>,
    search: &str,
    limit: i64,
    offset: i64,
    now: OffsetDateTime,
) -> Result<Vec<Listed>> {
    db.query(concat!(
        "SELECT ",
        columns!(),
        ", ",
        allowed_columns!(),
        ", (SELECT count(*) FROM grants g
            WHERE g.application_id = a.id AND g.revoked_at IS NULL AND g.expires_at > $1) AS live_grants,
           count(*) OVER () AS total
         FROM applications a
         WHERE a.deleted_at IS NULL
           AND ($2 = '' OR lower(a.name) LIKE $3 ESCAPE '\\' OR lower(a.client_id) LIKE $3 ESCAPE '\\')
           AND ($6 IS NULL OR a.owner_id = $6)
         ORDER BY lower(a.name), a.id LIMIT $4 OFFSET $5"
    ))
    .bind(now)
    .bind(search)
    .bind(containing(search))
    .bind(limit)
    .bind(offset)
    .bind(owner)
    .all()
    .await
}

/// A pattern for `LIKE … ESCAPE '\'`.
pub(super) fn containing(search: &str) -> String {
    let mut pattern = String::from("%");
    for c in search.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// What stops working when the application goes: users with a live grant, live access tokens.
pub async fn count_live(db: &Db, id: ApplicationId, now: OffsetDateTime) -> Result<(i64, i64)> {
    db.query(
        "SELECT
            (SELECT count(DISTINCT g.user_id) FROM grants g
             WHERE g.application_id = $1 AND g.revoked_at IS NULL AND g.expires_at > $2),
            (SELECT count(*) FROM grants g JOIN access_tokens t ON t.grant_id = g.id
             WHERE g.application_id = $1 AND g.revoked_at IS NULL AND t.revoked_at IS NULL AND t.expires_at > $2)
          + (SELECT count(*) FROM access_tokens t
             WHERE t.application_id = $1 AND t.grant_id IS NULL AND t.revoked_at IS NULL AND t.expires_at > $2)
          + (SELECT count(*) FROM grants g JOIN oauth1_access_tokens t ON t.grant_id = g.id
             WHERE g.application_id = $1 AND g.revoked_at IS NULL AND t.expires_at > $2)",
    )
    .bind(id)
    .bind(now)
    .one()
    .await
}

pub async fn all_send_iss(db: &Db) -> Result<bool> {
    let quiet: Option<(i32,)> = db
        .query("SELECT 1 FROM applications WHERE send_iss = $1 AND deleted_at IS NULL LIMIT 1")
        .bind(false)
        .optional()
        .await?;
    Ok(quiet.is_none())
}

/// From where browsers may call, one list an application that is enabled and has any.
pub async fn allowed_origins(db: &Db) -> Result<Vec<Vec<Origin>>> {
    let rows: Vec<(Json<Vec<Origin>>,)> = db
        .query(
            "SELECT allowed_origins FROM applications
             WHERE allowed_origins <> '[]' AND disabled_at IS NULL AND deleted_at IS NULL",
        )
        .all()
        .await?;
    Ok(rows.into_iter().map(|(Json(origins),)| origins).collect())
}

pub async fn insert_secret(
    tx: &mut Tx,
    application: ApplicationId,
    id: SecretId,
    digest: &SecretDigest,
    now: OffsetDateTime,
) -> Result<()> {
    let (hash, phc) = match digest {
        SecretDigest::Generated(hash) => (Some(hash.to_vec()), None),
        SecretDigest::Chosen(phc) => (None, Some(phc.as_str())),
    };
    tx.sql(
        "INSERT INTO application_secrets (id, application_id, hash, password_hash, created_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(application)
    .bind(hash)
    .bind(phc)
    .bind(now)
    .execute()
    .await
    .map(drop)
}

/// When the youngest of an application's secrets was made.
pub async fn last_secret_at(tx: &mut Tx, application: ApplicationId) -> Result<Option<OffsetDateTime>> {
    let found: Option<(OffsetDateTime,)> = tx
        .sql("SELECT created_at FROM application_secrets WHERE application_id = $1 ORDER BY created_at DESC LIMIT 1")
        .bind(application)
        .optional()
        .await?;
    Ok(found.map(|(at,)| at))
}

pub async fn count_secrets(tx: &mut Tx, application: ApplicationId) -> Result<i64> {
    let (count,): (i64,) = tx
        .sql("SELECT count(*) FROM application_secrets WHERE application_id = $1")
        .bind(application)
        .one()
        .await?;
    Ok(count)
}

pub async fn delete_oldest_secret(tx: &mut Tx, application: ApplicationId) -> Result<Option<SecretId>> {
    let deleted: Option<(SecretId,)> = tx
        .sql(
            "DELETE FROM application_secrets WHERE id =
                (SELECT id FROM application_secrets WHERE application_id = $1 ORDER BY created_at, id LIMIT 1)
             RETURNING id",
        )
        .bind(application)
        .optional()
        .await?;
    Ok(deleted.map(|(id,)| id))
}

/// Whether a secret is what proves it.
pub async fn has_secret(tx: &mut Tx, id: ApplicationId) -> Result<bool> {
    let found: Option<(bool, Json<ClientAuthentication>)> = tx
        .sql("SELECT confidential, authentication FROM applications WHERE id = $1")
        .bind(id)
        .optional()
        .await?;
    Ok(found.is_some_and(|(confidential, Json(registered))| confidential && !registered.is_by_certificate()))
}

/// Takes the application's row for the rest of the transaction, so that two rotations at once do not
/// both see one secret and leave three. A new version, so that no node goes on with the old secrets. False
/// where it is gone, or not of the `owner` that is given.
pub async fn hold(tx: &mut Tx, id: ApplicationId, owner: Option<UserId>) -> Result<bool> {
    tx.sql(
        "UPDATE applications SET version = version + 1
         WHERE id = $1 AND deleted_at IS NULL AND ($2 IS NULL OR owner_id = $2)",
    )
    .bind(id)
    .bind(owner)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// The caller holds the application, or has just made or updated it.
pub async fn set_owner(tx: &mut Tx, id: ApplicationId, owner: Option<UserId>) -> Result<()> {
    tx.sql("UPDATE applications SET owner_id = $2 WHERE id = $1")
        .bind(id)
        .bind(owner)
        .execute()
        .await
        .map(drop)
}

pub async fn count_owned(tx: &mut Tx, owner: UserId) -> Result<i64> {
    let (count,): (i64,) = tx
        .sql("SELECT count(*) FROM applications WHERE owner_id = $1 AND deleted_at IS NULL")
        .bind(owner)
        .one()
        .await?;
    Ok(count)
}

/// The same for who changes nothing about it. False where it is no longer at `version`.
pub async fn hold_at(tx: &mut Tx, id: ApplicationId, version: i64) -> Result<bool> {
    tx.sql(
        "UPDATE applications SET version = version
         WHERE id = $1 AND version = $2 AND disabled_at IS NULL AND deleted_at IS NULL",
    )
    .bind(id)
    .bind(version)
    .execute()
    .await
    .map(|rows| rows == 1)
}

pub async fn delete_secret(tx: &mut Tx, application: ApplicationId, id: SecretId) -> Result<bool> {
    tx.sql("DELETE FROM application_secrets WHERE application_id = $1 AND id = $2")
        .bind(application)
        .bind(id)
        .execute()
        .await
        .map(|rows| rows == 1)
}

pub async fn delete_secrets(tx: &mut Tx, application: ApplicationId) -> Result<()> {
    tx.sql("DELETE FROM application_secrets WHERE application_id = $1")
        .bind(application)
        .execute()
        .await
        .map(drop)
}
