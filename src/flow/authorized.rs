//! What I have allowed, and taking it back.

use super::App;
use super::audit::{self, Detail, EventName};
use super::error::Refusal;
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::grant::{AuthorizedApplication, RevokedReason};
use crate::model::ids::{ApplicationId, UserId};
use crate::store::grants::Families;
use crate::store::{self};

/// One row an application, newest first: all its scopes, since the earliest, last used at the latest.
///
/// # Errors
/// That the store did not do it.
pub async fn list(app: &App, user: UserId) -> Result<Vec<AuthorizedApplication>, Refusal> {
    let mut folded: Vec<AuthorizedApplication> = Vec::new();
    for row in store::grants::authorized(&app.db, user, app.now()).await? {
        match folded.iter_mut().find(|known| known.id == row.id) {
            Some(known) => {
                known.scopes = known.scopes.union(&row.scopes);
                known.since = known.since.min(row.since);
                known.last_used_at = known.last_used_at.max(row.last_used_at);
            }
            None => folded.push(row),
        }
    }
    folded.sort_by_key(|row| std::cmp::Reverse(row.since));
    Ok(folded)
}

/// Withdraws everything `user` allowed `application`: effective at once. The application's name, or `None`
/// where there was nothing to withdraw.
///
/// # Errors
/// That the store did not do it.
pub async fn withdraw(
    app: &App,
    caller: &Caller,
    user: UserId,
    application: ApplicationId,
) -> Result<Option<String>, Refusal> {
    let client = store::applications::find(&app.db, application).await?;
    let mut tx = app.db.write().await?;
    let forgotten = store::grants::forget_consent(&mut tx, user, application).await?;
    let families = Families::OfUserAndApplication(user, application);
    let revoked = store::grants::revoke_all(&mut tx, families, RevokedReason::Withdrawn, app.now()).await?;
    if forgotten + revoked > 0 {
        let detail = Detail {
            grants: Some(revoked),
            ..Detail::default()
        };
        let event = Event::new(EventName::ConsentWithdrawn)
            .user(user)
            .application(application)
            .detail(detail);
        audit::record(app, &mut tx, caller, event).await?;
    }
    tx.commit().await?;
    tracing::info!(event = "authorization_withdrawn", %user, %application, revoked);
    let name = client.map(|client| client.application.settings.name);
    Ok(name.filter(|_| forgotten + revoked > 0))
}
