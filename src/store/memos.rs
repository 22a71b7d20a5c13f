//! `memos`.

use time::OffsetDateTime;

use super::{Db, Result};
use crate::model::ids::{ApplicationId, MemoId, UserId};
use crate::model::memo::Memo;
use crate::model::token::Subject;

fn parts(owner: Subject) -> (Option<UserId>, Option<ApplicationId>) {
    match owner {
        Subject::User(user) => (Some(user), None),
        Subject::Application(application) => (None, Some(application)),
    }
}

pub async fn insert(db: &Db, owner: Subject, memo: &Memo) -> Result<()> {
    let (user, application) = parts(owner);
    db.command(
        "INSERT INTO memos (id, user_id, application_id, message, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(memo.id)
    .bind(user)
    .bind(application)
    .bind(&memo.message)
    .bind(memo.created_at)
    .bind(memo.updated_at)
    .execute()
    .await
    .map(drop)
}

/// Newest first, those older than `after`.
pub async fn list(db: &Db, owner: Subject, after: Option<MemoId>, limit: i64) -> Result<Vec<Memo>> {
    match owner {
        Subject::User(user) => {
            db.query(
                "SELECT id, message, created_at, updated_at FROM memos
                 WHERE user_id = $1
                   AND ($2 IS NULL OR (created_at, id) < (SELECT m.created_at, m.id FROM memos m
                                                          WHERE m.id = $2 AND m.user_id = $1))
                 ORDER BY created_at DESC, id DESC LIMIT $3",
            )
            .bind(user)
            .bind(after)
            .bind(limit)
            .all()
            .await
        }
        Subject::Application(application) => {
            db.query(
                "SELECT id, message, created_at, updated_at FROM memos
                 WHERE application_id = $1
                   AND ($2 IS NULL OR (created_at, id) < (SELECT m.created_at, m.id FROM memos m
                                                          WHERE m.id = $2 AND m.application_id = $1))
                 ORDER BY created_at DESC, id DESC LIMIT $3",
            )
            .bind(application)
            .bind(after)
            .bind(limit)
            .all()
            .await
        }
    }
}

pub async fn find(db: &Db, owner: Subject, id: MemoId) -> Result<Option<Memo>> {
    let (user, application) = parts(owner);
    db.query(
        "SELECT id, message, created_at, updated_at FROM memos
         WHERE id = $1 AND (user_id = $2 OR application_id = $3)",
    )
    .bind(id)
    .bind(user)
    .bind(application)
    .optional()
    .await
}

pub async fn update(
    db: &Db,
    owner: Subject,
    id: MemoId,
    message: &str,
    now: OffsetDateTime,
) -> Result<Option<Memo>> {
    let (user, application) = parts(owner);
    db.command(
        "UPDATE memos SET message = $4, updated_at = $5
         WHERE id = $1 AND (user_id = $2 OR application_id = $3)
         RETURNING id, message, created_at, updated_at",
    )
    .bind(id)
    .bind(user)
    .bind(application)
    .bind(message)
    .bind(now)
    .optional()
    .await
}

pub async fn delete(db: &Db, owner: Subject, id: MemoId) -> Result<bool> {
    let (user, application) = parts(owner);
    db.command("DELETE FROM memos WHERE id = $1 AND (user_id = $2 OR application_id = $3)")
        .bind(id)
        .bind(user)
        .bind(application)
        .execute()
        .await
        .map(|rows| rows == 1)
}
