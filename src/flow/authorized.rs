//! What I have allowed, and taking it back.

use super::App;
use super::audit::{self, Detail, EventName};
use super::error::Refusal;
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::grant::{AuthorizedApplication, AuthorizedPlace, RevokedReason};
use crate::model::ids::{ApplicationId, UserId};
use crate::store::grants::Families;
use crate::store::{self};

/// Rows of a page.
pub const PAGE: i64 = 50;
/// Rows of a list that is not paged.
const MOST: i64 = 1000;

/// One row an application, newest first: all its scopes, since the earliest, last used at the latest.
///
/// # Errors
/// That the store did not do it.
pub async fn list(app: &App, user: UserId) -> Result<Vec<AuthorizedApplication>, Refusal> {
    listed(app, user, None, MOST).await
}

/// The page of [`list`] that follows `after`, and where the next follows, if there is one.
///
/// # Errors
/// That the store did not do it.
pub async fn page(
    app: &App,
    user: UserId,
    after: Option<AuthorizedPlace>,
) -> Result<(Vec<AuthorizedApplication>, Option<AuthorizedPlace>), Refusal> {
    let mut rows = listed(app, user, after, PAGE + 1).await?;
    let most = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    rows.truncate(most);
    let next = rows.last().filter(|_| more).map(|last| AuthorizedPlace {
        since: last.since,
        application: last.id,
    });
    Ok((rows, next))
}

async fn listed(
    app: &App,
    user: UserId,
    after: Option<AuthorizedPlace>,
    limit: i64,
) -> Result<Vec<AuthorizedApplication>, Refusal> {
    let mut folded: Vec<AuthorizedApplication> = Vec::new();
    for row in store::grants::authorized(&app.db, user, after, limit, app.now()).await? {
        match folded.last_mut().filter(|last| last.id == row.id) {
            Some(last) => last.scopes = last.scopes.union(&row.scopes),
            None => folded.push(row),
        }
    }
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
