//! The keys that secrets are sealed under: found at the start, and put in place of one another.
//!
//! The store knows which keys seal something in it, by their ids. A node that lacks one of them does not start: it
//! would refuse what the other nodes, or an earlier start, sealed.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

use super::audit::{self, EventName};
use super::error::Refusal;
use super::{App, OpenError};
use crate::base::clock::Clock;
use crate::base::config::{Config, Database};
use crate::base::entropy::Entropy;
use crate::base::sealing::{KeyFileError, KeyId, SealingError, SealingKeys};
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::oauth1::{bound_to_consumer, bound_to_token};
use crate::store::oauth1::sealed::{self as rows, Kind, Place, Sealed};
use crate::store::{self, Db, StoreError, Tx};

/// The name of the key file beside the SQLite file.
const FILE: &str = "sealing.key";
/// Rows that are sealed anew in one transaction.
const BATCH: i64 = 100;
/// How long a key is known at least: a node that wrote it down may not have stored yet what it sealed.
const KEPT: Duration = Duration::hours(1);

/// The key that this process wrote down last.
#[derive(Debug, Default)]
pub(super) struct WrittenDown(Mutex<Option<KeyId>>);

impl WrittenDown {
    fn is(&self, key: KeyId) -> bool {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) == Some(key)
    }

    fn set(&self, key: KeyId) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
    }
}

/// Seals `plain` for the one place that `bound_to` names, under a key that the store knows of.
///
/// # Errors
/// That nothing is sealed here; the store's.
pub(super) async fn seal(app: &App, bound_to: &str, plain: &[u8]) -> Result<Vec<u8>, Refusal> {
    let (sealed, key) = sealed(app, bound_to, plain)?;
    if !app.written_down.is(key) {
        rows::add_key_alone(&app.db, &key.to_string(), app.now()).await?;
        app.written_down.set(key);
    }
    Ok(sealed)
}

/// The same within a transaction, which may come to nothing: so it is written down each time.
///
/// # Errors
/// As [`seal`].
pub(super) async fn seal_in(
    app: &App,
    tx: &mut Tx,
    bound_to: &str,
    plain: &[u8],
) -> Result<Vec<u8>, Refusal> {
    let (sealed, key) = sealed(app, bound_to, plain)?;
    rows::add_key(tx, &key.to_string(), app.now()).await?;
    Ok(sealed)
}

fn sealed(app: &App, bound_to: &str, plain: &[u8]) -> Result<(Vec<u8>, KeyId), Refusal> {
    let refused = |why: String| Refusal::Unavailable(why);
    let off = || refused("OAuth 1.0a is off: there is no key to seal secrets under".to_owned());
    let keys = app.sealing.as_ref().ok_or_else(off)?;
    let failed = |error: SealingError| refused(error.to_string());
    let sealed = keys.seal(&app.entropy, bound_to, plain).map_err(failed)?;
    let key = KeyId::of_sealed(&sealed).ok_or_else(|| failed(SealingError::Damaged))?;
    Ok((sealed, key))
}

/// Reads the keys that the settings name; makes the first.
pub(super) async fn open(
    config: &Config,
    db: &Db,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<SealingKeys, OpenError> {
    let file = match (&config.sealing_key_file, config.database_url.database()) {
        (Some(file), _) => file.clone(),
        (None, Database::SqliteFile(database)) => beside(database),
        (None, Database::SqliteMemory) => return Ok(SealingKeys::in_memory(entropy)),
        (None, Database::Postgres(_)) => {
            return Err(unusable(
                "oauth1 needs sealing_key_file = PATH, the same keys on every node",
            ));
        }
    };
    let keys = match SealingKeys::read(&file) {
        Err(KeyFileError::Missing) => {
            let known = rows::known_keys(db).await.map_err(|error| unreachable(&error))?;
            if let Some(id) = known.first() {
                return Err(lacking(&file, id));
            }
            SealingKeys::make(&file, entropy).map_err(|error| {
                unusable(&format!(
                    "the sealing key file {} cannot be made: {error}",
                    file.display()
                ))
            })?;
            SealingKeys::read(&file)
        }
        read => read,
    };
    let keys = keys.map_err(|error| unusable(&error.to_string()))?;
    register(db, &file, &keys, clock.now()).await?;
    Ok(keys)
}

fn beside(database: &Path) -> PathBuf {
    database.with_file_name(FILE)
}

fn unusable(why: &str) -> OpenError {
    OpenError::SealingKeys(why.to_owned())
}

fn unreachable(error: &store::StoreError) -> OpenError {
    OpenError::Store(error.to_string())
}

fn lacking(file: &Path, id: &str) -> OpenError {
    let file = file.display();
    unusable(&format!(
        "the sealing key file {file} has no key {id}, which seals secrets in the database: copy {file} from the node \
         that has it, or from a backup; where it is lost, run `tegata sealing-key forget {id}`"
    ))
}

/// Writes down the key that seals, where all that were written down before are there. Of two nodes that start at once,
/// each with a key of its own, the later is refused.
async fn register(db: &Db, file: &Path, keys: &SealingKeys, now: OffsetDateTime) -> Result<(), OpenError> {
    let own: Vec<String> = keys.ids().iter().map(|(id, _)| id.to_string()).collect();
    let mut tx = db.write().await.map_err(|error| unreachable(&error))?;
    rows::hold(&mut tx).await.map_err(|error| unreachable(&error))?;
    let known = rows::known_keys_in(&mut tx)
        .await
        .map_err(|error| unreachable(&error))?;
    if let Some(id) = known.iter().find(|id| !own.contains(id)) {
        return Err(lacking(file, id));
    }
    let Some(first) = own.first().filter(|first| !known.contains(first)) else {
        return Ok(());
    };
    rows::add_key(&mut tx, first, now)
        .await
        .map_err(|error| unreachable(&error))?;
    tx.commit().await.map_err(|error| unreachable(&error))
}

/// What came of sealing everything anew.
#[derive(Clone, Debug)]
pub struct Resealed {
    /// Under which everything rests now.
    pub key: KeyId,
    pub file: Option<PathBuf>,
    /// How many values were sealed anew.
    pub values: u64,
    /// How many could not be opened, and rest as they were.
    pub unreadable: u64,
    /// Keys in the file that nothing rests under, with their lines.
    pub unused: Vec<(KeyId, usize)>,
}

/// Why nothing was sealed anew.
#[derive(Debug)]
pub enum NotResealed {
    /// OAuth 1.0a is off, so nothing is sealed.
    Off,
    /// The keys are in memory.
    NoFile,
    Keys(String),
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for NotResealed {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// Puts a fresh key first in the file and seals everything anew under it. A server that runs on the same file goes on.
///
/// # Errors
/// See [`NotResealed`].
pub async fn rotate(app: &App, caller: &Caller) -> Result<Resealed, NotResealed> {
    let keys = app.sealing.as_ref().ok_or(NotResealed::Off)?;
    let file = keys.file().ok_or(NotResealed::NoFile)?;
    SealingKeys::put_fresh_key_first(file, &app.entropy)
        .map_err(|error| NotResealed::Keys(error.to_string()))?;
    reseal(app, caller).await
}

/// Seals everything anew under the first key of the file, as after a fresh key was brought to several nodes by hand.
///
/// # Errors
/// See [`NotResealed`].
pub async fn reseal(app: &App, caller: &Caller) -> Result<Resealed, NotResealed> {
    let keys = app.sealing.as_ref().ok_or(NotResealed::Off)?;
    let (key, _) = *keys.ids().first().ok_or(NotResealed::Off)?;
    let mut tx = app.db.write().await?;
    rows::hold(&mut tx).await?;
    rows::add_key(&mut tx, &key.to_string(), app.now()).await?;
    tx.commit().await?;

    let (mut values, mut unreadable) = (0, 0);
    for kind in Kind::ALL {
        let mut after = None;
        loop {
            let done = reseal_batch(app, keys, kind, key, after.as_ref()).await?;
            values += done.values;
            unreadable += done.unreadable;
            after = done.last;
            if after.is_none() {
                break;
            }
        }
    }
    let unused = forget_unused(app, caller, keys).await?;
    tracing::info!(event = "secrets_resealed", %key, values, unreadable);
    Ok(Resealed {
        key,
        file: keys.file().map(Path::to_owned),
        values,
        unreadable,
        unused,
    })
}

/// What was done of one batch; `last` is where the next begins, if there is one.
struct Batch {
    values: u64,
    unreadable: u64,
    last: Option<Sealed>,
}

async fn reseal_batch(
    app: &App,
    keys: &SealingKeys,
    kind: Kind,
    key: KeyId,
    after: Option<&Sealed>,
) -> Result<Batch, Refusal> {
    let mut tx = app.db.write().await?;
    let rows = rows::under_others(&mut tx, kind, &key.to_vec(), after, BATCH).await?;
    let (mut values, mut unreadable) = (0, 0);
    for row in &rows {
        match resealed(app, keys, row) {
            Ok(fresh) => values += u64::from(rows::replace(&mut tx, row, &fresh).await?),
            Err(error) => {
                unreadable += 1;
                tracing::warn!(event = "sealed_value_unreadable", place = ?kind, %error);
            }
        }
    }
    tx.commit().await?;
    Ok(Batch {
        values,
        unreadable,
        last: rows.into_iter().last(),
    })
}

fn resealed(app: &App, keys: &SealingKeys, row: &Sealed) -> Result<Vec<u8>, SealingError> {
    let bound_to = match row.place {
        Place::Consumer(application) => bound_to_consumer(application),
        Place::RequestToken(hash) | Place::AccessToken(hash) => bound_to_token(hash),
    };
    let plain = keys.open(&bound_to, &row.value)?;
    keys.seal(&app.entropy, &bound_to, &plain)
}

/// Takes the keys that nothing rests under any more from the store's list, save the one that seals now and those of the
/// last hour. Those in the file that the list has no more.
async fn forget_unused(
    app: &App,
    caller: &Caller,
    keys: &SealingKeys,
) -> Result<Vec<(KeyId, usize)>, Refusal> {
    let mut tx = app.db.write().await?;
    rows::hold(&mut tx).await?;
    let ids = keys.ids();
    let used = rows::keys_in_use(&mut tx).await?;
    let in_use: Vec<String> = used
        .iter()
        .filter_map(|id| KeyId::from_bytes(id))
        .chain(ids.first().map(|(first, _)| *first))
        .map(|id| id.to_string())
        .collect();
    for id in rows::known_keys_before(&mut tx, app.now() - KEPT).await? {
        if !in_use.contains(&id) {
            rows::forget_key(&mut tx, &id).await?;
        }
    }
    let known = rows::known_keys_in(&mut tx).await?;
    audit::record(app, &mut tx, caller, Event::new(EventName::SealingKeyRotated)).await?;
    tx.commit().await?;
    let unused = |(id, _): &(KeyId, usize)| {
        let id = id.to_string();
        !in_use.contains(&id) && !known.contains(&id)
    };
    Ok(ids.into_iter().filter(unused).collect())
}

/// Why a key was not forgotten.
#[derive(Debug)]
pub enum NotForgotten {
    /// The store does not know it.
    Unknown,
    /// So many values rest sealed under it.
    InUse(i64),
    Refused(Refusal),
}

impl From<StoreError> for NotForgotten {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// Takes a key that is lost from the store's list, so that servers start without it. The number of values that are given
/// up with it: none, unless `is_lost` says that they may be.
///
/// # Errors
/// See [`NotForgotten`].
pub async fn forget(app: &App, caller: &Caller, key: KeyId, is_lost: bool) -> Result<i64, NotForgotten> {
    let mut tx = app.db.write().await?;
    rows::hold(&mut tx).await?;
    let values = rows::values_under(&mut tx, &key.to_vec()).await?;
    if values > 0 && !is_lost {
        return Err(NotForgotten::InUse(values));
    }
    if !rows::forget_key(&mut tx, &key.to_string()).await? {
        return Err(NotForgotten::Unknown);
    }
    audit::record(app, &mut tx, caller, Event::new(EventName::SealingKeyForgotten)).await?;
    tx.commit().await?;
    tracing::info!(event = "sealing_key_forgotten", %key, values);
    Ok(values)
}
