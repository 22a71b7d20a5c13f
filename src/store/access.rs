//! `user_groups`, `application_users`, `application_groups`: who may use an application that is restricted.

use std::fmt::Write;

use uuid::Uuid;

use super::{Db, Result, Tx};
use crate::model::access::{Allowed, GroupName, Names};
use crate::model::ids::{ApplicationId, UserId};

/// Whether the user `u` may use the application `a`: the one text of the rule.
macro_rules! is_admitted {
    () => {
        "(NOT a.restricted
          OR EXISTS (SELECT 1 FROM application_users n WHERE n.application_id = a.id AND n.user_id = u.id)
          OR EXISTS (SELECT 1 FROM application_groups n JOIN user_groups b ON b.name = n.name
                     WHERE n.application_id = a.id AND b.user_id = u.id))"
    };
}
pub(super) use is_admitted;

/// Of the application `a`, the columns of an [`Allowed`].
macro_rules! allowed_columns {
    () => {
        "coalesce((SELECT string_agg(n.username, '\n' ORDER BY n.username_key)
                   FROM application_users m JOIN users n ON n.id = m.user_id AND n.deleted_at IS NULL
                   WHERE m.application_id = a.id), '') AS allowed_users,
         coalesce((SELECT string_agg(m.name, '\n' ORDER BY m.name)
                   FROM application_groups m WHERE m.application_id = a.id), '') AS allowed_groups"
    };
}
pub(super) use allowed_columns;

/// Of the user `u`, the groups, one a line.
macro_rules! groups_column {
    () => {
        "coalesce((SELECT string_agg(b.name, '\n' ORDER BY b.name) FROM user_groups b WHERE b.user_id = u.id), '')
            AS group_names"
    };
}
pub(super) use groups_column;

/// The names of the [`Bound`] list as the rows of `named`: `$2` its text, `$3` its width, `$4` its length.
macro_rules! with_named {
    () => {
        "WITH RECURSIVE place (i) AS (SELECT 1 WHERE $4 > 0 UNION ALL SELECT i + 1 FROM place WHERE i < $4),
             named (name) AS (SELECT rtrim(substr($2, 1 + (i - 1) * $3, $3)) FROM place) "
    };
}

/// A list of names for one statement. The databases have no function in common that takes a list apart, so
/// every name is made as wide as the widest. No name ends in a space.
struct Bound {
    text: String,
    width: i32,
    length: i32,
}

impl Bound {
    fn of<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Self {
        let width = names.clone().map(|name| name.chars().count()).max().unwrap_or(0);
        let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
        let mut text = String::new();
        for name in names.clone() {
            let _ = write!(text, "{name:width$}");
        }
        Self {
            text,
            width: count(width),
            length: count(names.count()),
        }
    }

    fn of_groups(groups: &[GroupName]) -> Self {
        Self::of(groups.iter().map(GroupName::as_str))
    }

    fn of_keys(keys: &[String]) -> Self {
        Self::of(keys.iter().map(String::as_str))
    }
}

/// `None` where the application is disabled or deleted, or the user deleted.
pub async fn may_use(db: &Db, application: ApplicationId, user: UserId) -> Result<Option<bool>> {
    let found: Option<(bool,)> = db
        .query(concat!(
            "SELECT ",
            is_admitted!(),
            " FROM applications a JOIN users u ON u.id = $2 AND u.deleted_at IS NULL
              WHERE a.id = $1 AND a.disabled_at IS NULL AND a.deleted_at IS NULL"
        ))
        .bind(application)
        .bind(user)
        .optional()
        .await?;
    Ok(found.map(|(may,)| may))
}

/// Who is named for an application.
pub async fn allowed(db: &Db, application: ApplicationId) -> Result<Allowed> {
    let found = db
        .query(concat!(
            "SELECT ",
            allowed_columns!(),
            " FROM applications a WHERE a.id = $1"
        ))
        .bind(application)
        .optional()
        .await?;
    Ok(found.unwrap_or_default())
}

/// The groups of a user.
pub async fn groups(db: &Db, user: UserId) -> Result<Names> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(try_from = "String")]
        group_names: Names,
    }
    let found: Option<Row> = db
        .query(concat!(
            "SELECT ",
            groups_column!(),
            " FROM users u WHERE u.id = $1"
        ))
        .bind(user)
        .optional()
        .await?;
    Ok(found.map(|row| row.group_names).unwrap_or_default())
}

/// Those of `keys` (see [`crate::model::user::username_key`]) that are users'.
pub async fn known(db: &Db, keys: &[String]) -> Result<Vec<String>> {
    let names = Bound::of_keys(keys);
    let found: Vec<(String,)> = db
        .query(concat!(
            with_named!(),
            "SELECT u.username_key FROM users u JOIN named ON named.name = u.username_key
             WHERE u.deleted_at IS NULL AND $1"
        ))
        .bind(true)
        .bind(names.text)
        .bind(names.width)
        .bind(names.length)
        .all()
        .await?;
    Ok(found.into_iter().map(|(key,)| key).collect())
}

/// Until the transaction ends nobody else changes who may use what.
pub async fn hold(tx: &mut Tx) -> Result<()> {
    tx.sql("UPDATE locks SET held = held + 1 WHERE name = 'access'")
        .execute()
        .await
        .map(drop)
}

/// True where the application was open to everybody and no longer is.
pub async fn set_restricted(tx: &mut Tx, id: ApplicationId, restricted: bool) -> Result<bool> {
    let changed = tx
        .sql("UPDATE applications SET restricted = $2 WHERE id = $1 AND restricted <> $2")
        .bind(id)
        .bind(restricted)
        .execute()
        .await?;
    Ok(restricted && changed == 1)
}

/// What became of a list that was replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Somebody was named who no longer is.
    pub removed: bool,
    pub added: bool,
}

impl Change {
    pub fn is_any(self) -> bool {
        self.removed || self.added
    }
}

/// Replaces a list of `owner` by `names`: `delete` takes away those that are no longer named, `insert` adds the
/// rest.
async fn replace(
    tx: &mut Tx,
    owner: Uuid,
    names: &Bound,
    delete: &'static str,
    insert: &'static str,
) -> Result<Change> {
    let mut changed = [0; 2];
    for (text, rows) in [delete, insert].into_iter().zip(&mut changed) {
        *rows = tx
            .sql(text)
            .bind(owner)
            .bind(names.text.clone())
            .bind(names.width)
            .bind(names.length)
            .execute()
            .await?;
    }
    let [removed, added] = changed.map(|rows| rows > 0);
    Ok(Change { removed, added })
}

/// Replaces the users who are named for an application; see [`crate::model::user::username_key`].
pub async fn replace_users(tx: &mut Tx, application: ApplicationId, keys: &[String]) -> Result<Change> {
    replace(
        tx,
        application.into(),
        &Bound::of_keys(keys),
        concat!(
            with_named!(),
            "DELETE FROM application_users WHERE application_id = $1 AND user_id NOT IN
                (SELECT u.id FROM users u JOIN named ON named.name = u.username_key WHERE u.deleted_at IS NULL)"
        ),
        concat!(
            with_named!(),
            "INSERT INTO application_users (application_id, user_id)
             SELECT $1, u.id FROM users u JOIN named ON named.name = u.username_key WHERE u.deleted_at IS NULL
             ON CONFLICT DO NOTHING"
        ),
    )
    .await
}

/// Replaces the groups that are named for an application.
pub async fn replace_application_groups(
    tx: &mut Tx,
    application: ApplicationId,
    groups: &[GroupName],
) -> Result<Change> {
    replace(
        tx,
        application.into(),
        &Bound::of_groups(groups),
        concat!(
            with_named!(),
            "DELETE FROM application_groups WHERE application_id = $1 AND name NOT IN (SELECT name FROM named)"
        ),
        concat!(
            with_named!(),
            "INSERT INTO application_groups (application_id, name) SELECT $1, name FROM named WHERE 1 = 1
             ON CONFLICT DO NOTHING"
        ),
    )
    .await
}

/// Replaces a user's groups.
pub async fn replace_groups(tx: &mut Tx, user: UserId, groups: &[GroupName]) -> Result<Change> {
    replace(
        tx,
        user.into(),
        &Bound::of_groups(groups),
        concat!(
            with_named!(),
            "DELETE FROM user_groups WHERE user_id = $1 AND name NOT IN (SELECT name FROM named)"
        ),
        concat!(
            with_named!(),
            "INSERT INTO user_groups (user_id, name) SELECT $1, name FROM named WHERE 1 = 1 ON CONFLICT DO NOTHING"
        ),
    )
    .await
}

/// A deleted user is named nowhere.
pub async fn forget_user(tx: &mut Tx, user: UserId) -> Result<()> {
    tx.sql("DELETE FROM application_users WHERE user_id = $1")
        .bind(user)
        .execute()
        .await?;
    tx.sql("DELETE FROM user_groups WHERE user_id = $1")
        .bind(user)
        .execute()
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_as_wide_as_the_widest_in_characters() {
        let bound = Bound::of(["a", "ふじさん", "bc"].into_iter());
        assert_eq!(
            (&*bound.text, bound.width, bound.length),
            ("a   ふじさんbc  ", 4, 3)
        );
        let none = Bound::of(std::iter::empty());
        assert_eq!((&*none.text, none.width, none.length), ("", 0, 0));
    }
}
