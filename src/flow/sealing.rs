//! The keys that secrets are sealed under: found at the start, and put in place of one another.
//!
//! The store knows which keys seal something in it, by their ids. A node that lacks one of them does not start: it
//! would refuse what the other nodes, or an earlier start, sealed.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

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
use crate::store::{self, Db};

/// The name of the key file beside the SQLite file.
const FILE: &str = "sealing.key";
/// Rows that are sealed anew in one transaction.
const BATCH: i64 = 100;

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
         that has it, or from a backup"
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
    let ids = keys.ids();
    let (key, _) = *ids.first().ok_or(NotResealed::Off)?;
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
    let unused = forget_unused(app, caller, key, &ids).await?;
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

/// Takes the keys that nothing rests under any more from the store's list. Those of them that are in the file.
async fn forget_unused(
    app: &App,
    caller: &Caller,
    key: KeyId,
    ids: &[(KeyId, usize)],
) -> Result<Vec<(KeyId, usize)>, Refusal> {
    let mut tx = app.db.write().await?;
    rows::hold(&mut tx).await?;
    let used = rows::keys_in_use(&mut tx).await?;
    let used: Vec<KeyId> = used.iter().filter_map(|id| KeyId::from_bytes(id)).collect();
    let in_use = |id: &str| id == key.to_string() || used.iter().any(|used| used.to_string() == id);
    for id in rows::known_keys_in(&mut tx).await? {
        if !in_use(&id) {
            rows::forget_key(&mut tx, &id).await?;
        }
    }
    audit::record(app, &mut tx, caller, Event::new(EventName::SealingKeyRotated)).await?;
    tx.commit().await?;
    let unused = |(id, _): &&(KeyId, usize)| !in_use(&id.to_string());
    Ok(ids.iter().filter(unused).copied().collect())
}
