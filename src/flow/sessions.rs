//! Browser sessions on our own store, for `tower-sessions`.
//!
//! The cookie's id never rests anywhere: the row is keyed by its hash. Idle and absolute end are ours,
//! counted by our clock; the library's own are not looked at.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

use super::App;
use super::audit::{self, Detail, EventName};
use super::error::Refusal;
use crate::base::secret::SecretHash;
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::ids::UserId;
use crate::store::sessions::{self as rows, SessionRecord};
use crate::store::{self};

/// A session in which nobody is signed in: it only carries the token that guards the sign-in form.
const ANONYMOUS_TTL: Duration = Duration::hours(1);
/// Most bytes of a session's data.
const MOST: usize = 16 * 1024;

/// The name under which [`SignedIn`] lies in a session.
pub const SIGNED_IN: &str = "signed_in";

/// Who signed in, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignedIn {
    pub user: UserId,
    /// The user's epoch then: at any other the session is over.
    pub epoch: i64,
    /// Unix seconds.
    pub at: i64,
    /// Unix seconds; moved on now and then, which keeps the session alive.
    pub seen: i64,
    /// Random: names this sign-in.
    pub id: String,
    /// The browser, as it calls itself.
    pub agent: String,
}

/// The store that `tower-sessions` is given.
#[derive(Clone, Debug)]
pub struct Sessions(pub App);

/// The hash under which the session of a cookie's id rests.
pub fn hash(id: Id) -> SecretHash {
    SecretHash::of(&id.to_string())
}

impl Sessions {
    async fn keep(&self, record: &Record, new: bool) -> Result<bool> {
        let now = self.0.now();
        let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
        if data.len() > MOST {
            return Err(Error::Encode("the session has grown too large".into()));
        }
        let signed_in = record
            .data
            .get(SIGNED_IN)
            .and_then(|value| serde_json::from_value::<SignedIn>(value.clone()).ok());
        let session = SessionRecord {
            hash: hash(record.id),
            user_id: signed_in.as_ref().map(|signed_in| signed_in.user),
            data: &data,
            expires_at: end(&self.0, signed_in.as_ref(), now),
        };
        let kept = if new {
            rows::insert(&self.0.db, &session, now).await
        } else {
            rows::update(&self.0.db, &session, now).await
        };
        kept.map_err(|error| Error::Backend(error.to_string()))
    }
}

fn end(app: &App, signed_in: Option<&SignedIn>, now: OffsetDateTime) -> OffsetDateTime {
    let Some(signed_in) = signed_in else {
        return now + ANONYMOUS_TTL;
    };
    let started = OffsetDateTime::from_unix_timestamp(signed_in.at).unwrap_or(now);
    (now + app.config.session_ttl).min(started + app.config.session_max_ttl)
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        while !self.keep(record, true).await? {
            record.id = Id::default();
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        // A session that was ended meanwhile stays ended.
        self.keep(record, false).await.map(drop)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let found = rows::find(&self.0.db, hash(*id), self.0.now())
            .await
            .map_err(|error| Error::Backend(error.to_string()))?;
        let Some(row) = found else { return Ok(None) };
        // What cannot be read any more is no session.
        let Ok(data) = serde_json::from_str(&row.data) else {
            return Ok(None);
        };
        Ok(Some(Record {
            id: *id,
            data,
            expiry_date: self.0.now() + self.0.config.session_ttl,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        rows::delete(&self.0.db, hash(*id))
            .await
            .map_err(|error| Error::Backend(error.to_string()))
    }
}

/// A session on a user's account page.
#[derive(Debug)]
pub struct Listed {
    pub started: OffsetDateTime,
    pub seen: OffsetDateTime,
    pub agent: String,
    pub current: bool,
}

/// # Errors
/// That the store did not do it.
pub async fn list(app: &App, user: UserId, current: SecretHash) -> std::result::Result<Vec<Listed>, Refusal> {
    let rows = rows::list_of_user(&app.db, user, app.now()).await?;
    Ok(rows
        .into_iter()
        .map(|row| Listed {
            current: row.is(current),
            agent: agent(&row.data),
            started: row.created_at,
            seen: row.seen_at,
        })
        .collect())
}

fn agent(data: &str) -> String {
    serde_json::from_str::<serde_json::Value>(data)
        .ok()
        .and_then(|data| data.get(SIGNED_IN)?.get("agent")?.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// Signs a user out everywhere, save in the session `except`.
///
/// # Errors
/// That the store did not do it.
pub async fn end_all(
    app: &App,
    caller: &Caller,
    user: UserId,
    except: Option<SecretHash>,
) -> std::result::Result<u64, Refusal> {
    let mut tx = app.db.write().await?;
    let ended = store::sessions::delete_of_user(&mut tx, user, except).await?;
    if ended > 0 {
        let detail = Detail {
            sessions: Some(ended),
            ..Detail::default()
        };
        let event = Event::new(EventName::SessionsEnded).user(user).detail(detail);
        audit::record(app, &mut tx, caller, event).await?;
    }
    tx.commit().await?;
    Ok(ended)
}

/// Ends the session under `hash`, in which `user` is signed in.
///
/// # Errors
/// That the store did not do it.
pub async fn sign_out(
    app: &App,
    caller: &Caller,
    user: UserId,
    hash: SecretHash,
) -> std::result::Result<(), Refusal> {
    let mut tx = app.db.write().await?;
    if store::sessions::delete_in(&mut tx, hash, user).await? {
        let event = Event::new(EventName::SignedOut).user(user);
        audit::record(app, &mut tx, caller, event).await?;
    }
    Ok(tx.commit().await?)
}
