//! `users` and `setup_links`.

use time::OffsetDateTime;

use super::access::groups_column;
use super::applications::containing;
use super::{Db, Result, Tx};
use crate::base::secret::SecretHash;
use crate::model::access::Names;
use crate::model::ids::UserId;
use crate::model::user::{User, Username, username_key};

/// A user with the argon2id PHC string of the password.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Credentials {
    #[sqlx(flatten)]
    pub user: User,
    pub password_hash: String,
}

/// What a new user is made of.
#[derive(Debug)]
pub struct NewUser<'a> {
    pub id: UserId,
    pub username: &'a Username,
    pub email: Option<&'a str>,
    pub password_hash: &'a str,
    pub admin: bool,
}

/// False where the name is taken.
pub async fn insert(tx: &mut Tx, user: &NewUser<'_>, now: OffsetDateTime) -> Result<bool> {
    tx.sql(
        "INSERT INTO users (id, username, username_key, email, password_hash, admin, epoch, created_at, password_changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $7)
         ON CONFLICT DO NOTHING",
    )
    .bind(user.id)
    .bind(user.username.as_str())
    .bind(user.username.key())
    .bind(user.email)
    .bind(user.password_hash)
    .bind(user.admin)
    .bind(now)
    .execute()
    .await
    .map(|rows| rows == 1)
}

pub async fn find(db: &Db, id: UserId) -> Result<Option<User>> {
    db.query(
        "SELECT id, username, email, admin, epoch, created_at, signed_in_at, disabled_at
         FROM users WHERE id = $1 AND deleted_at IS NULL",
    )
    .bind(id)
    .optional()
    .await
}

/// By [`crate::model::user::username_key`].
pub async fn find_by_key(db: &Db, key: &str) -> Result<Option<Credentials>> {
    // No name holds a NUL, and Postgres takes none.
    if key.contains('\0') {
        return Ok(None);
    }
    db.query(
        "SELECT id, username, email, admin, epoch, created_at, signed_in_at, disabled_at, password_hash
         FROM users WHERE username_key = $1 AND deleted_at IS NULL",
    )
    .bind(key)
    .optional()
    .await
}

/// A user with their groups.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Grouped {
    #[sqlx(flatten)]
    pub user: User,
    #[sqlx(rename = "group_names", try_from = "String")]
    pub groups: Names,
}

pub async fn list(db: &Db) -> Result<Vec<Grouped>> {
    db.query(concat!(
        "SELECT id, username, email, admin, epoch, created_at, signed_in_at, disabled_at, ",
        groups_column!(),
        " FROM users u WHERE deleted_at IS NULL ORDER BY username_key"
    ))
    .all()
    .await
}

/// A row of the list.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Listed {
    #[sqlx(flatten)]
    pub user: User,
    /// How many match in all.
    pub total: i64,
}

/// A page of users by name whose name, in any spelling, or email address contains `search`.
pub async fn page(db: &Db, search: &str, limit: i64, offset: i64) -> Result<Vec<Listed>> {
    db.query(
        "SELECT id, username, email, admin, epoch, created_at, signed_in_at, disabled_at,
                count(*) OVER () AS total
         FROM users
         WHERE deleted_at IS NULL
           AND ($1 = '' OR username_key LIKE $2 ESCAPE '\\' OR lower(email) LIKE $3 ESCAPE '\\')
         ORDER BY username_key, id LIMIT $4 OFFSET $5",
    )
    .bind(search)
    .bind(containing(&username_key(search)))
    .bind(containing(search))
    .bind(limit)
    .bind(offset)
    .all()
    .await
}

/// Until the transaction ends nobody else takes an administrator away: of two who would, each the other, the
/// later sees what the earlier did.
pub async fn hold_administrators(tx: &mut Tx) -> Result<()> {
    tx.sql("UPDATE locks SET held = held + 1 WHERE name = 'administrators'")
        .execute()
        .await
        .map(drop)
}

macro_rules! but_the_last_administrator {
    () => {
        " WHERE id = $1 AND deleted_at IS NULL
            AND (NOT admin OR disabled_at IS NOT NULL
              OR EXISTS (SELECT 1 FROM users o
                         WHERE o.id <> $1 AND o.admin AND o.disabled_at IS NULL AND o.deleted_at IS NULL))"
    };
}

/// As [`disable`]. False where it is the last enabled administrator, or disabled already. The caller holds the administrators.
pub async fn disable_but_the_last(tx: &mut Tx, id: UserId, now: OffsetDateTime) -> Result<bool> {
    tx.sql(concat!(
        "UPDATE users SET disabled_at = $2, epoch = epoch + 1",
        but_the_last_administrator!(),
        " AND disabled_at IS NULL"
    ))
    .bind(id)
    .bind(now)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// As [`delete`]. False where it is the last enabled administrator. The caller holds the administrators.
pub async fn delete_but_the_last(tx: &mut Tx, id: UserId, now: OffsetDateTime) -> Result<bool> {
    tx.sql(concat!(
        "UPDATE users SET deleted_at = $2, epoch = epoch + 1, email = NULL, password_hash = ''",
        but_the_last_administrator!()
    ))
    .bind(id)
    .bind(now)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// False where it is the last enabled administrator, or none. The caller holds the administrators.
pub async fn demote_but_the_last(tx: &mut Tx, id: UserId) -> Result<bool> {
    tx.sql(concat!(
        "UPDATE users SET admin = FALSE",
        but_the_last_administrator!(),
        " AND admin"
    ))
    .bind(id)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// False where the user is gone, or an administrator already.
pub async fn promote(tx: &mut Tx, id: UserId) -> Result<bool> {
    tx.sql("UPDATE users SET admin = TRUE WHERE id = $1 AND deleted_at IS NULL AND NOT admin")
        .bind(id)
        .execute()
        .await
        .map(|rows| rows == 1)
}

/// Whether there is any user at all, deleted ones included: the set-up link is for a new store alone.
pub async fn any(db: &Db) -> Result<bool> {
    Ok(db
        .query("SELECT 1 FROM users LIMIT 1")
        .optional::<(i32,)>()
        .await?
        .is_some())
}

pub async fn any_in(tx: &mut Tx) -> Result<bool> {
    Ok(tx
        .sql("SELECT 1 FROM users LIMIT 1")
        .optional::<(i32,)>()
        .await?
        .is_some())
}

/// False where the user is gone, or where `epoch` is given and something ended that epoch meanwhile: a
/// change that was allowed by an old password must not undo a reset.
pub async fn set_password(
    tx: &mut Tx,
    id: UserId,
    epoch: Option<i64>,
    password_hash: &str,
    now: OffsetDateTime,
) -> Result<bool> {
    tx.sql(
        "UPDATE users SET password_hash = $2, password_changed_at = $3, epoch = epoch + 1
         WHERE id = $1 AND deleted_at IS NULL AND ($4 IS NULL OR epoch = $4)",
    )
    .bind(id)
    .bind(password_hash)
    .bind(now)
    .bind(epoch)
    .execute()
    .await
    .map(|rows| rows == 1)
}

/// False where the user is so already.
pub async fn disable(tx: &mut Tx, id: UserId, now: OffsetDateTime) -> Result<bool> {
    tx.sql("UPDATE users SET disabled_at = $2, epoch = epoch + 1 WHERE id = $1 AND disabled_at IS NULL")
        .bind(id)
        .bind(now)
        .execute()
        .await
        .map(|rows| rows == 1)
}

/// False where the user is so already.
pub async fn enable(tx: &mut Tx, id: UserId) -> Result<bool> {
    tx.sql("UPDATE users SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL")
        .bind(id)
        .execute()
        .await
        .map(|rows| rows == 1)
}

/// Frees the name; the row stays until nothing refers to it. False where that was done before.
pub async fn delete(tx: &mut Tx, id: UserId, now: OffsetDateTime) -> Result<bool> {
    tx.sql("UPDATE users SET deleted_at = $2, epoch = epoch + 1, email = NULL, password_hash = '' WHERE id = $1 AND deleted_at IS NULL")
        .bind(id)
        .bind(now)
        .execute()
        .await
        .map(|rows| rows == 1)
}

pub async fn record_sign_in(tx: &mut Tx, id: UserId, now: OffsetDateTime) -> Result<()> {
    tx.sql("UPDATE users SET signed_in_at = $2 WHERE id = $1")
        .bind(id)
        .bind(now)
        .execute()
        .await
        .map(drop)
}

/// Replaces every earlier set-up link.
pub async fn insert_setup_link(
    tx: &mut Tx,
    hash: SecretHash,
    now: OffsetDateTime,
    expires_at: OffsetDateTime,
) -> Result<()> {
    tx.sql("DELETE FROM setup_links").execute().await?;
    tx.sql("INSERT INTO setup_links (hash, created_at, expires_at) VALUES ($1, $2, $3)")
        .bind(hash.to_vec())
        .bind(now)
        .bind(expires_at)
        .execute()
        .await
        .map(drop)
}

pub async fn setup_link_is_live(db: &Db, hash: SecretHash, now: OffsetDateTime) -> Result<bool> {
    Ok(db
        .query(
            "SELECT 1 FROM setup_links
             WHERE hash = $1 AND expires_at > $2 AND NOT EXISTS (SELECT 1 FROM users)",
        )
        .bind(hash.to_vec())
        .bind(now)
        .optional::<(i32,)>()
        .await?
        .is_some())
}

/// True for the one caller whose link this was.
pub async fn consume_setup_link(tx: &mut Tx, hash: SecretHash, now: OffsetDateTime) -> Result<bool> {
    tx.sql("DELETE FROM setup_links WHERE hash = $1 AND expires_at > $2")
        .bind(hash.to_vec())
        .bind(now)
        .execute()
        .await
        .map(|rows| rows == 1)
}

/// As [`hold`]. False where the user is deleted.
pub async fn hold_live(tx: &mut Tx, id: UserId) -> Result<bool> {
    tx.sql("UPDATE users SET epoch = epoch WHERE id = $1 AND deleted_at IS NULL")
        .bind(id)
        .execute()
        .await
        .map(|rows| rows == 1)
}

/// Until the transaction ends nobody else holds the user, changes their password, or disables them.
pub async fn hold(tx: &mut Tx, id: UserId) -> Result<()> {
    tx.sql("UPDATE users SET epoch = epoch WHERE id = $1")
        .bind(id)
        .execute()
        .await
        .map(drop)
}
