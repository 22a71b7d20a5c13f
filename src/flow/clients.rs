//! Applications as the hot paths see them: kept for a moment, so that a request needs no round trip for
//! what did not change.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::App;
use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::model::application::Client;
use crate::model::client_id::ClientId;
use crate::model::ids::SecretId;
use crate::store::{self, Result};

/// A change made by another process is seen within this: what every node promises is one second.
pub(super) const KEPT: Duration = Duration::from_millis(900);
/// Most applications kept, and most verified secrets remembered.
const MOST: usize = 4096;

/// The applications kept, and the slow hashes already verified.
pub(super) struct Clients {
    kept: Mutex<Kept>,
    /// Digests under a key of this process of chosen secrets that were verified, by the secret's id.
    verified: Mutex<HashMap<SecretId, [u8; 32]>>,
    key: [u8; 32],
}

#[derive(Default)]
struct Kept {
    clients: HashMap<String, (Instant, Arc<Client>)>,
    /// Counts the changes made here, so that what was read before one is not kept after it.
    changes: u64,
}

impl Clients {
    pub(super) fn new(entropy: &Entropy) -> Self {
        Self {
            kept: Mutex::default(),
            verified: Mutex::default(),
            key: entropy.bytes(),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called after every change to an application or its secrets is committed.
    pub(super) fn forget(&self) {
        let mut kept = self.kept();
        kept.changes += 1;
        kept.clients.clear();
    }

    fn digest(&self, secret: &Secret) -> [u8; 32] {
        Sha256::new()
            .chain_update(self.key)
            .chain_update(secret.expose())
            .finalize()
            .into()
    }

    pub(super) fn was_verified(&self, id: SecretId, secret: &Secret) -> bool {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified
            .get(&id)
            .is_some_and(|known| known.as_slice().ct_eq(&self.digest(secret)).into())
    }

    pub(super) fn remember_verified(&self, id: SecretId, secret: &Secret) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= MOST {
            verified.clear();
        }
        verified.insert(id, self.digest(secret));
    }
}

impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clients")
    }
}

/// The application that `client_id` names, if it is not deleted, as it is or was a moment ago.
pub(super) async fn find(app: &App, client_id: &str) -> Result<Option<Arc<Client>>> {
    let kept = app.clients.kept().clients.get(client_id).cloned();
    if let Some((since, client)) = kept
        && since.elapsed() < KEPT
    {
        return Ok(Some(client));
    }
    find_now(app, client_id).await
}

/// The same, as it is: before anything is refused because of what was a moment ago.
pub(super) async fn find_now(app: &App, client_id: &str) -> Result<Option<Arc<Client>>> {
    if ClientId::parse(client_id).is_err() {
        return Ok(None);
    }
    let changes = app.clients.kept().changes;
    let Some(client) = store::applications::find_by_client_id(&app.db, client_id).await? else {
        return Ok(None);
    };
    let client = Arc::new(client);
    let mut kept = app.clients.kept();
    if kept.changes == changes {
        if kept.clients.len() >= MOST {
            kept.clients.clear();
        }
        kept.clients
            .insert(client_id.to_owned(), (Instant::now(), Arc::clone(&client)));
    }
    Ok(Some(client))
}

/// The application as it is now, where that is not what `seen` was: what fits nothing that was kept may fit
/// what another node has made of it since.
pub(super) async fn changed_since(app: &App, seen: &Client) -> Result<Option<Arc<Client>>> {
    let now = store::applications::find_by_client_id(&app.db, seen.application.client_id.as_str()).await?;
    Ok(now
        .filter(|now| now.application.version != seen.application.version)
        .map(Arc::new))
}
