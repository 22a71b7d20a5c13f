//! When things were last used: noted in memory, written now and then, so that using a token costs no
//! write.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use time::OffsetDateTime;
use uuid::Uuid;

use super::App;
use crate::store::usage::{BATCH, Used, touch};

/// Most things noted between two writes; beyond it the newest are not noted.
const MOST: usize = 50_000;

/// What was used since the last write.
#[derive(Debug, Default)]
pub(super) struct Usage(Mutex<HashMap<(Used, Uuid), OffsetDateTime>>);

impl Usage {
    pub(super) fn note(&self, app: &App, what: Used, id: Uuid) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < MOST || noted.contains_key(&(what, id)) {
            noted.insert((what, id), app.now());
        }
    }

    fn take(&self) -> HashMap<(Used, Uuid), OffsetDateTime> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes what was noted. What cannot be written is lost: it is a convenience, no proof.
pub(super) async fn flush(app: &App) {
    let now = app.now();
    let mut by_kind: HashMap<Used, Vec<Uuid>> = HashMap::new();
    for (what, id) in app.usage.take().into_keys() {
        by_kind.entry(what).or_default().push(id);
    }
    for (what, ids) in by_kind {
        for batch in ids.chunks(BATCH) {
            if let Err(error) = touch(&app.db, what, batch, now).await {
                tracing::warn!(%error, "could not write when things were last used");
                return;
            }
        }
    }
}
