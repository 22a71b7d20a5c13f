//! Memos: the protected resource.

use time::OffsetDateTime;

use super::ids::MemoId;

#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Memo {
    pub id: MemoId,
    pub message: String,
    pub created_at: OffsetDateTime,
    pub updated_at: OffsetDateTime,
}
