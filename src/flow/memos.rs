//! The protected resource's deeds.

use super::App;
use super::error::Refusal;
use crate::model::ids::MemoId;
use crate::model::memo::Memo;
use crate::model::token::Subject;
use crate::protocol::error::OAuthError;
use crate::store;

/// Most characters of a message.
pub const MAX_MESSAGE: usize = 10_000;
/// Memos a page, unless asked otherwise, and at most.
pub const PAGE: i64 = 50;
pub const MAX_PAGE: i64 = 100;

/// One page, and the id to go on after when there is more.
#[derive(Debug)]
pub struct Page {
    pub memos: Vec<Memo>,
    pub next: Option<MemoId>,
}

/// A message that may be kept: 1 to [`MAX_MESSAGE`] characters, none of them NUL.
#[derive(Debug)]
pub struct Message(String);

impl Message {
    /// # Errors
    /// A sentence that says what is allowed.
    pub fn parse(text: String) -> Result<Self, String> {
        let characters = text.chars().count();
        if characters == 0 || characters > MAX_MESSAGE {
            return Err(format!(
                "message has {characters} characters; 1 to {MAX_MESSAGE} are allowed"
            ));
        }
        if text.contains('\0') {
            return Err("message holds a NUL character, which cannot be kept".into());
        }
        Ok(Self(text))
    }
}

/// # Errors
/// That the store did not do it.
pub async fn list(app: &App, owner: Subject, after: Option<MemoId>, limit: i64) -> Result<Page, Refusal> {
    if let Some(after) = after
        && store::memos::find(&app.db, owner, after).await?.is_none()
    {
        return Err(
            OAuthError::invalid_request("after names no memo of yours; start again without it").into(),
        );
    }
    let mut memos = store::memos::list(&app.db, owner, after, limit + 1).await?;
    let more = memos.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        memos.pop();
    }
    let next = memos.last().map(|memo| memo.id).filter(|_| more);
    Ok(Page { memos, next })
}

/// # Errors
/// That the store did not do it.
pub async fn create(app: &App, owner: Subject, message: Message) -> Result<Memo, Refusal> {
    let now = app.now();
    let memo = Memo {
        id: app.entropy.id(now).into(),
        message: message.0,
        created_at: now,
        updated_at: now,
    };
    store::memos::insert(&app.db, owner, &memo).await?;
    Ok(memo)
}

/// # Errors
/// That the store did not do it.
pub async fn find(app: &App, owner: Subject, id: MemoId) -> Result<Option<Memo>, Refusal> {
    Ok(store::memos::find(&app.db, owner, id).await?)
}

/// # Errors
/// That the store did not do it.
pub async fn change(
    app: &App,
    owner: Subject,
    id: MemoId,
    message: Message,
) -> Result<Option<Memo>, Refusal> {
    Ok(store::memos::update(&app.db, owner, id, &message.0, app.now()).await?)
}

/// False where there is none of `owner`'s.
///
/// # Errors
/// That the store did not do it.
pub async fn delete(app: &App, owner: Subject, id: MemoId) -> Result<bool, Refusal> {
    Ok(store::memos::delete(&app.db, owner, id).await?)
}
