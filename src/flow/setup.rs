//! The first start: a link, shown to the operator once, on which the first administrator is made.

use time::Duration;

use super::App;
use super::audit::{self, EventName};
use super::error::Refusal;
use super::users::{self, NewUserRefused, Profile};
use crate::base::secret::Secret;
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::user::User;
use crate::store;

/// A link that nobody used is dead after this; the next start prints another.
const TTL: Duration = Duration::hours(24);

/// A link's token, where the store has no user yet. Every earlier link is dead from now on.
///
/// # Errors
/// That the store did not do it.
pub async fn link(app: &App) -> Result<Option<Secret>, Refusal> {
    let now = app.now();
    let token = Secret::generate(&app.entropy, "");
    let mut tx = app.db.write().await?;
    if store::users::any_in(&mut tx).await? {
        return Ok(None);
    }
    store::users::insert_setup_link(&mut tx, token.hash(), now, now + TTL).await?;
    tx.commit().await?;
    Ok(Some(token))
}

/// Whether the link would work now.
///
/// # Errors
/// That the store did not do it.
pub async fn is_live(app: &App, token: &Secret) -> Result<bool, Refusal> {
    Ok(store::users::setup_link_is_live(&app.db, token.hash(), app.now()).await?)
}

/// Makes the first administrator. Of several who open the link at once, one wins.
///
/// # Errors
/// Faults of the fields, or [`NewUserRefused::Gone`] where the link is dead.
pub async fn create_administrator(
    app: &App,
    caller: &Caller,
    token: &Secret,
    profile: &Profile,
) -> Result<User, NewUserRefused> {
    // Before the password is hashed: whoever has no link must not keep the hashing busy.
    if !is_live(app, token).await? {
        return Err(NewUserRefused::Gone);
    }
    let prepared = users::prepare(app, profile, true).await?;
    let now = app.now();
    let mut tx = app.db.write().await?;
    let live = store::users::consume_setup_link(&mut tx, token.hash(), now).await?;
    if !live || store::users::any_in(&mut tx).await? {
        return Err(NewUserRefused::Gone);
    }
    let user = prepared.insert(&mut tx, now).await?;
    let event = Event::new(EventName::SetupLinkUsed).user(user.id);
    audit::record(app, &mut tx, &caller.as_user(user.id), event).await?;
    tx.commit().await?;
    tracing::info!(event = "first_administrator_created", user = %user.id);
    Ok(user)
}
