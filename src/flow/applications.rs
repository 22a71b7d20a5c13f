//! `/oauth/applications` and `tegata application`: registered, changed, deleted, their secrets rotated.

pub mod described;
mod manager;
mod wanted;

use std::sync::atomic::Ordering;

use time::{Duration, OffsetDateTime};

use super::App;
use super::access::Named;
use super::audit::{self, Detail, EventName};
use super::error::Refusal;
use super::oauth1::consumers::Plan;
use crate::base::secret::Secret;
use crate::model::access::Allowed;
use crate::model::application::{Application, ApplicationSettings, Client, SecretDigest};
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::client_id::ClientId;
use crate::model::grant::RevokedReason;
use crate::model::ids::{ApplicationId, SecretId, UserId};
use crate::model::user::username_key;
use crate::protocol::token::TokenKind;
use crate::store::applications::{self as rows, NewApplication};
use crate::store::grants::Families;
use crate::store::{self, StoreError, Tx};

pub use crate::store::applications::Listed;
pub use manager::Manager;
pub use wanted::{Faults, MOST_REDIRECT_URIS, Wanted, WantedAuthentication, default_grants};

/// Two secrets may live at once: the old one works until every copy of the client has the new.
pub const MOST_SECRETS: i64 = 2;
/// A page of the list.
pub const PAGE: i64 = 25;
/// Most applications of one user who is no administrator.
pub const MOST_OWNED: i64 = 100;

/// Why nothing was saved.
#[derive(Debug)]
pub enum NotSaved {
    Fields(Faults),
    /// Somebody else saved it since it was read.
    Conflict,
    Gone,
    /// There is one with the id that was wanted: the same form, sent twice.
    Already(ApplicationId),
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for NotSaved {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// An application as it was just saved, with the secret that is shown this once.
#[derive(Debug)]
pub struct Saved {
    pub client: Client,
    pub allowed: Allowed,
    /// How many grants ended, of users who may no longer use it.
    pub withdrawn: u64,
    /// Generated now; `None` for an application that has none, and where nothing was generated.
    pub secret: Option<Secret>,
    /// What it signs with by OAuth 1.0a, generated now.
    pub consumer_secret: Option<Secret>,
}

/// # Errors
/// See [`NotSaved`].
pub async fn create(app: &App, by: Manager, caller: &Caller, wanted: &Wanted) -> Result<Saved, NotSaved> {
    let (owner, mut faults) = wanted_owner(app, by, wanted, None).await?;
    let named = Named::of(app, by, wanted, None, &mut faults).await?;
    let oauth1 = Plan::of(app, by, wanted, None, &mut faults);
    let (settings, client_id) = wanted.check_new(app, by, faults).map_err(NotSaved::Fields)?;
    let now = app.now();
    let client_id = client_id.unwrap_or_else(|| generated_client_id(app));
    let id = wanted.id.unwrap_or_else(|| new_id(app));
    let (digest, secret) = first_secret(app, &settings, wanted.client_secret.as_ref()).await?;

    let mut tx = app.db.write().await?;
    if let Manager::Owner(user) = by {
        has_room(&mut tx, user).await?;
    }
    let new = NewApplication {
        id,
        client_id: &client_id,
        settings: &settings,
    };
    if !rows::insert(&mut tx, &new, now).await? {
        drop(tx);
        return Err(taken(app, by, id, &client_id).await);
    }
    if owner.is_some() {
        rows::set_owner(&mut tx, id, owner).await?;
    }
    if let Some(digest) = &digest {
        rows::insert_secret(&mut tx, id, new_secret_id(app, now), digest, now).await?;
    }
    named.save(&mut tx, id, now).await?;
    let consumer = oauth1.save(app, &mut tx, caller, id, false, now).await?;
    let event = Event::new(EventName::ApplicationCreated)
        .user(owner)
        .application(id);
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    changed(app).await;
    tracing::info!(event = "application_created", application = %id, client_id = %client_id);
    saved(app, id, secret, consumer.secret, 0).await
}

/// Whose the application is to be, and what is wrong with that.
async fn wanted_owner(
    app: &App,
    by: Manager,
    wanted: &Wanted,
    before: Option<&Application>,
) -> Result<(Option<UserId>, Faults), Refusal> {
    let unchanged = before.map_or_else(|| by.owner(), |before| before.owner_id);
    let Some(name) = wanted.owner.as_deref().map(str::trim) else {
        return Ok((unchanged, Faults::default()));
    };
    let found = match name {
        "" => None,
        name => store::users::find_by_key(&app.db, &username_key(name)).await?,
    };
    let owner = found.map(|found| found.user.id);
    // Others are not told who there is.
    let fault = if !by.is_administrator() && owner != unchanged {
        "Only an administrator gives an application to somebody else.".to_owned()
    } else if owner.is_none() && !name.is_empty() {
        format!("There is no user `{name}`.")
    } else {
        return Ok((owner, Faults::default()));
    };
    Ok((unchanged, Faults::of("owner", fault)))
}

/// Held, so that of many registrations at once none is one too many.
async fn has_room(tx: &mut Tx, user: UserId) -> Result<(), NotSaved> {
    store::users::hold(tx, user).await?;
    if rows::count_owned(tx, user).await? < MOST_OWNED {
        return Ok(());
    }
    let full = format!("You have {MOST_OWNED} applications: delete one that is not in use first.");
    Err(NotSaved::Fields(Faults::of("name", full)))
}

/// The id of an application that is still to be registered.
pub fn new_id(app: &App) -> ApplicationId {
    app.entropy.id(app.now()).into()
}

/// Why the store took no new application.
async fn taken(app: &App, by: Manager, id: ApplicationId, client_id: &ClientId) -> NotSaved {
    match find(app, by, id).await {
        Ok(Some(_)) => NotSaved::Already(id),
        Ok(None) => NotSaved::Fields(Faults::of(
            "client_id",
            format!("The client_id {client_id} is or was in use: choose another, or leave it out."),
        )),
        Err(refusal) => NotSaved::Refused(refusal),
    }
}

/// Letters, digits, `-` and `_` alone: some clients percent-encode what else there is, and not all decode.
/// The first is a letter or a digit, so that no command line takes it for a flag.
fn generated_client_id(app: &App) -> ClientId {
    loop {
        let generated = Secret::generate(&app.entropy, "");
        let text = generated.expose();
        if !text.starts_with(['-', '_'])
            && let Ok(id) = ClientId::parse(text)
        {
            return id;
        }
    }
}

fn new_secret_id(app: &App, now: OffsetDateTime) -> SecretId {
    app.entropy.id(now).into()
}

/// What is stored and what is shown of a new application's secret.
async fn first_secret(
    app: &App,
    settings: &ApplicationSettings,
    chosen: Option<&Secret>,
) -> Result<(Option<SecretDigest>, Option<Secret>), Refusal> {
    if !settings.has_secret() {
        return Ok((None, None));
    }
    if let Some(chosen) = chosen {
        return Ok((
            Some(SecretDigest::Chosen(app.passwords.hash(chosen.clone()).await?)),
            None,
        ));
    }
    let secret = Secret::generate(&app.entropy, TokenKind::ClientSecret.prefix());
    Ok((Some(SecretDigest::Generated(secret.hash())), Some(secret)))
}

async fn saved(
    app: &App,
    id: ApplicationId,
    secret: Option<Secret>,
    consumer_secret: Option<Secret>,
    withdrawn: u64,
) -> Result<Saved, NotSaved> {
    Ok(Saved {
        client: rows::find(&app.db, id).await?.ok_or(NotSaved::Gone)?,
        allowed: store::access::allowed(&app.db, id).await?,
        withdrawn,
        secret,
        consumer_secret,
    })
}

/// Saves what was wanted, if the application still is at `version`.
///
/// # Errors
/// See [`NotSaved`].
pub async fn change(
    app: &App,
    by: Manager,
    caller: &Caller,
    id: ApplicationId,
    wanted: &Wanted,
    version: i64,
) -> Result<Saved, NotSaved> {
    let application = find(app, by, id).await?.ok_or(NotSaved::Gone)?.application;
    let (owner, mut faults) = wanted_owner(app, by, wanted, Some(&application)).await?;
    let oauth1 = Plan::of(app, by, wanted, Some(&application), &mut faults);
    let before = application.settings;
    let allowed = store::access::allowed(&app.db, id).await?;
    let named = Named::of(app, by, wanted, Some((&before, &allowed)), &mut faults).await?;
    let settings = wanted.check(app, by, &before, faults).map_err(NotSaved::Fields)?;
    let now = app.now();
    let needs_secret = settings.has_secret() && !before.has_secret();
    let (digest, secret) = if needs_secret {
        first_secret(app, &settings, None).await?
    } else {
        (None, None)
    };

    let mut tx = app.db.write().await?;
    store::access::hold(&mut tx).await?;
    if !rows::update(&mut tx, id, &settings, version, now).await? {
        return Err(NotSaved::Conflict);
    }
    if owner != application.owner_id {
        rows::set_owner(&mut tx, id, owner).await?;
    }
    let access = named.save(&mut tx, id, now).await?;
    let consumer = oauth1
        .save(app, &mut tx, caller, id, application.oauth1, now)
        .await?;
    if let Some(digest) = &digest {
        rows::insert_secret(&mut tx, id, new_secret_id(app, now), digest, now).await?;
    }
    if !settings.has_secret() {
        rows::delete_secrets(&mut tx, id).await?;
    }
    if looks_different(&before, &settings) {
        store::grants::forget_consents(&mut tx, id).await?;
    }
    let mut fields = before.differing(&settings);
    fields.extend(access.fields);
    fields.extend(consumer.fields);
    if owner != application.owner_id {
        fields.push("owner");
    }
    if !fields.is_empty() {
        let detail = Detail {
            fields,
            grants: access.withdrawn,
            ..Detail::default()
        };
        let event = Event::new(EventName::ApplicationChanged)
            .user(owner)
            .application(id)
            .detail(detail);
        audit::record(app, &mut tx, caller, event).await?;
    }
    tx.commit().await?;
    changed(app).await;
    tracing::info!(event = "application_changed", application = %id);
    if owner != application.owner_id {
        tracing::info!(event = "application_handed_over", application = %id, owner = ?owner);
    }
    let withdrawn = access.withdrawn.unwrap_or_default() + consumer.withdrawn;
    saved(app, id, secret, consumer.secret, withdrawn).await
}

/// How often [`edit`] puts an edit upon what somebody else saved just before.
const TRIES: usize = 5;

/// Saves what `edit` makes of the application as it is: at `version`, or where none is given upon whatever
/// others saved meanwhile.
///
/// # Errors
/// See [`NotSaved`].
pub async fn edit(
    app: &App,
    by: Manager,
    caller: &Caller,
    id: ApplicationId,
    version: Option<i64>,
    edit: impl Fn(&mut Wanted),
) -> Result<Saved, NotSaved> {
    for _ in 0..TRIES {
        let application = find(app, by, id).await?.ok_or(NotSaved::Gone)?.application;
        let allowed = store::access::allowed(&app.db, id).await?;
        let mut wanted = Wanted::of(&application.settings, &allowed);
        edit(&mut wanted);
        let at = version.unwrap_or(application.version);
        match Box::pin(change(app, by, caller, id, &wanted, at)).await {
            Err(NotSaved::Conflict) if version.is_none() => {}
            settled => return settled,
        }
    }
    Err(NotSaved::Conflict)
}

/// What people said yes to was this name at this address: with another they are asked again.
fn looks_different(before: &ApplicationSettings, after: &ApplicationSettings) -> bool {
    before.name != after.name
        || before.redirect_uris != after.redirect_uris
        || before.confidential != after.confidential
}

/// Everything that the application holds is dead in the same moment. False where it was gone.
///
/// # Errors
/// That the store did not do it.
pub async fn delete(app: &App, by: Manager, caller: &Caller, id: ApplicationId) -> Result<bool, Refusal> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    if !rows::hold(&mut tx, id, by.owner()).await? || !rows::delete(&mut tx, id, now).await? {
        return Ok(false);
    }
    let families = Families::OfApplication(id);
    let revoked =
        store::grants::revoke_all(&mut tx, families, RevokedReason::ApplicationDeleted, now).await?;
    let detail = Detail {
        grants: Some(revoked),
        ..Detail::default()
    };
    let event = Event::new(EventName::ApplicationDeleted)
        .application(id)
        .detail(detail);
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    changed(app).await;
    tracing::info!(event = "application_deleted", application = %id);
    Ok(true)
}

/// Takes effect at once, on every endpoint and node. Nothing is revoked: what the application holds is dead
/// while it is disabled, and what has not expired is good again once it is enabled. False where it is gone, or
/// so already.
///
/// # Errors
/// That the store did not do it.
pub async fn disable(app: &App, caller: &Caller, id: ApplicationId) -> Result<bool, Refusal> {
    let switched = set_disabled(app, caller, id, true).await?;
    if switched {
        tracing::info!(event = "application_disabled", application = %id);
    }
    Ok(switched)
}

/// See [`disable`].
///
/// # Errors
/// That the store did not do it.
pub async fn enable(app: &App, caller: &Caller, id: ApplicationId) -> Result<bool, Refusal> {
    let switched = set_disabled(app, caller, id, false).await?;
    if switched {
        tracing::info!(event = "application_enabled", application = %id);
    }
    Ok(switched)
}

async fn set_disabled(
    app: &App,
    caller: &Caller,
    id: ApplicationId,
    disabled: bool,
) -> Result<bool, Refusal> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    let switched = rows::set_disabled(&mut tx, id, disabled.then_some(now), now).await?;
    if switched {
        let name = if disabled {
            EventName::ApplicationDisabled
        } else {
            EventName::ApplicationEnabled
        };
        let event = Event::new(name).application(id);
        audit::record(app, &mut tx, caller, event).await?;
    }
    tx.commit().await?;
    changed(app).await;
    Ok(switched)
}

/// What happens to the older of two secrets when a third is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Older {
    /// Nothing new is made while two live.
    Keep,
    Retire,
}

/// A second secret beside the first. `None` where there are two and `older` is to be kept, or where
/// the application has none, being public or proven by a certificate.
///
/// # Errors
/// See [`NotSaved`].
pub async fn rotate_secret(
    app: &App,
    by: Manager,
    caller: &Caller,
    id: ApplicationId,
    older: Older,
) -> Result<Option<Secret>, NotSaved> {
    let now = app.now();
    let secret = Secret::generate(&app.entropy, TokenKind::ClientSecret.prefix());
    let mut tx = app.db.write().await?;
    if !rows::hold(&mut tx, id, by.owner()).await? {
        return Err(NotSaved::Gone);
    }
    if !rows::has_secret(&mut tx, id).await? {
        return Ok(None);
    }
    // Younger than those before it even within a second, and where another node's clock is ahead: the next
    // rotation takes the oldest away.
    let made = rows::last_secret_at(&mut tx, id)
        .await?
        .map_or(now, |last| now.max(last + Duration::SECOND));
    match make_room(&mut tx, id, older).await? {
        Room::Enough => {}
        Room::Made(retired) => {
            let event = of_secret(EventName::SecretRetired, id, retired);
            audit::record(app, &mut tx, caller, event).await?;
        }
        Room::None => return Ok(None),
    }
    let digest = SecretDigest::Generated(secret.hash());
    let secret_id = new_secret_id(app, now);
    rows::insert_secret(&mut tx, id, secret_id, &digest, made).await?;
    let event = of_secret(EventName::SecretRotated, id, secret_id);
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    changed(app).await;
    tracing::info!(event = "secret_rotated", application = %id);
    Ok(Some(secret))
}

fn of_secret(name: EventName, id: ApplicationId, secret: SecretId) -> Event {
    Event::new(name).application(id).detail(Detail {
        secret_id: Some(secret),
        ..Detail::default()
    })
}

/// Whether there is room for another secret.
enum Room {
    Enough,
    /// This one had to go.
    Made(SecretId),
    None,
}

async fn make_room(tx: &mut Tx, id: ApplicationId, older: Older) -> Result<Room, StoreError> {
    if rows::count_secrets(tx, id).await? < MOST_SECRETS {
        return Ok(Room::Enough);
    }
    if older == Older::Keep {
        return Ok(Room::None);
    }
    Ok(rows::delete_oldest_secret(tx, id)
        .await?
        .map_or(Room::Enough, Room::Made))
}

/// Retires one of two secrets; the last one stays. False where nothing was retired.
///
/// # Errors
/// That the store did not do it.
pub async fn retire_secret(
    app: &App,
    by: Manager,
    caller: &Caller,
    id: ApplicationId,
    secret: SecretId,
) -> Result<bool, Refusal> {
    let mut tx = app.db.write().await?;
    if !rows::hold(&mut tx, id, by.owner()).await? || rows::count_secrets(&mut tx, id).await? < 2 {
        return Ok(false);
    }
    if !rows::delete_secret(&mut tx, id, secret).await? {
        return Ok(false);
    }
    let event = of_secret(EventName::SecretRetired, id, secret);
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    changed(app).await;
    tracing::info!(event = "secret_retired", application = %id, secret = %secret);
    Ok(true)
}

/// `None` also where it is not `by`'s to manage: nobody is told which applications others have.
///
/// # Errors
/// That the store did not do it.
pub async fn find(app: &App, by: Manager, id: ApplicationId) -> Result<Option<Client>, Refusal> {
    let found = rows::find(&app.db, id).await?;
    Ok(found.filter(|client| by.manages(&client.application)))
}

/// # Errors
/// That the store did not do it.
pub async fn find_by_client_id(app: &App, client_id: &str) -> Result<Option<Client>, Refusal> {
    if ClientId::parse(client_id).is_err() {
        return Ok(None);
    }
    Ok(rows::find_by_client_id(&app.db, client_id).await?)
}

/// A page (from 0) of those that `by` manages and whose name or `client_id` contains `search`, and how many
/// there are in all.
///
/// # Errors
/// That the store did not do it.
pub async fn page(app: &App, by: Manager, search: &str, page: i64) -> Result<(Vec<Listed>, i64), Refusal> {
    // Postgres keeps no NUL in a text, so nothing can match one.
    if search.contains('\0') {
        return Ok((Vec::new(), 0));
    }
    let offset = page.saturating_mul(PAGE);
    let listed = rows::page(&app.db, by.owner(), search, PAGE, offset, app.now()).await?;
    let total = listed.first().map_or(0, |first| first.total);
    Ok((listed, total))
}

/// All that `by` manages, by name.
///
/// # Errors
/// That the store did not do it.
pub async fn all(app: &App, by: Manager) -> Result<Vec<Listed>, Refusal> {
    Ok(rows::page(&app.db, by.owner(), "", i64::from(i32::MAX), 0, app.now()).await?)
}

/// To be called after every change that is committed: what is kept of applications is out of date.
async fn changed(app: &App) {
    app.clients.forget();
    app.origins.forget();
    look_for_iss(app).await;
}

/// Looks whether every redirect of ours carries `iss`: only then may the metadata promise it (RFC 9207 §3).
/// Looked for after changes and now and then, so that the metadata needs no store.
pub(super) async fn look_for_iss(app: &App) {
    match rows::all_send_iss(&app.db).await {
        Ok(all) => app.all_send_iss.store(all, Ordering::Relaxed),
        Err(error) => tracing::debug!(%error, "could not look which applications want iss"),
    }
}

/// What stops working when it goes: users with a live grant, live access tokens.
///
/// # Errors
/// That the store did not do it.
pub async fn count_live(app: &App, id: ApplicationId) -> Result<(i64, i64), Refusal> {
    Ok(rows::count_live(&app.db, id, app.now()).await?)
}
