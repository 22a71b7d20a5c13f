//! From where browsers may call: the origins that applications are allowed.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::App;
use super::clients::{self, KEPT};
use crate::model::origin::Origin;
use crate::store;

/// The origins allowed to any application, kept for a moment: whoever asks with made-up origins costs no
/// round trip.
#[derive(Debug, Default)]
pub(super) struct Origins(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    origins: HashSet<Origin>,
    since: Option<Instant>,
}

impl Origins {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called after every change to an application is committed.
    pub(super) fn forget(&self) {
        self.kept().since = None;
    }

    /// True for the one request that is to look again; the others go on with what is kept.
    fn is_due(&self) -> bool {
        let mut kept = self.kept();
        let due = kept.since.is_none_or(|since| since.elapsed() >= KEPT);
        if due {
            kept.since = Some(Instant::now());
        }
        due
    }
}

/// Whether `origin`, as a browser sent it, is allowed to any application.
pub async fn is_any_applications(app: &App, origin: &str) -> bool {
    if app.origins.is_due() {
        match store::applications::allowed_origins(&app.db).await {
            Ok(origins) => app.origins.kept().origins = origins.into_iter().flatten().collect(),
            Err(error) => tracing::debug!(%error, "could not look which origins are allowed"),
        }
    }
    app.origins.kept().origins.contains(origin)
}

/// Whether `origin`, as a browser sent it, is allowed to the application that `client_id` names.
pub async fn is_applications_own(app: &App, client_id: &str, origin: &str) -> bool {
    let Ok(Some(client)) = clients::find(app, client_id).await else {
        return false;
    };
    let application = &client.application;
    let origins = &application.settings.allowed_origins;
    application.is_enabled() && origins.iter().any(|allowed| allowed.is(origin))
}
