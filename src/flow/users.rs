//! Users: made, listed, disabled, deleted; passwords changed.

use time::OffsetDateTime;

use super::audit::{self, Detail, EventName};
use super::error::Refusal;
use super::login::{self, Attempt, NotSignedIn};
use super::{App, access};
use crate::base::password;
use crate::base::secret::{Secret, SecretHash};
use crate::model::access::GroupName;
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::grant::RevokedReason;
use crate::model::ids::UserId;
use crate::model::user::{User, Username, username_key};
use crate::protocol::scope::APPLICATIONS;
use crate::store::grants::Families;
use crate::store::users::NewUser;
use crate::store::{self, StoreError, Tx};

pub use crate::store::users::Grouped;

/// A page of the list.
pub const PAGE: i64 = 25;

/// What a person types to become a user.
#[derive(Debug)]
pub struct Profile {
    pub username: String,
    pub email: Option<String>,
    pub password: Secret,
    pub groups: Vec<String>,
}

/// Why no user was made.
#[derive(Debug)]
pub enum NewUserRefused {
    /// By field: what is wrong and what would be right.
    Fields(Vec<(&'static str, String)>),
    /// The set-up link is dead.
    Gone,
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for NewUserRefused {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// A user who passed every check but the name's being free.
pub(super) struct Prepared {
    id: UserId,
    username: Username,
    email: Option<String>,
    password_hash: String,
    admin: bool,
    groups: Vec<GroupName>,
}

pub(super) async fn prepare(app: &App, profile: &Profile, admin: bool) -> Result<Prepared, NewUserRefused> {
    let mut faults = Vec::new();
    let username = Username::parse(&profile.username)
        .map_err(|error| faults.push(("username", error.to_string())))
        .ok();
    let email = profile
        .email
        .as_deref()
        .map(str::trim)
        .filter(|email| !email.is_empty());
    if email.is_some_and(|email| !looks_like_email(email)) {
        faults.push((
            "email",
            "Enter an address like name@example.com, or leave it empty.".into(),
        ));
    }
    if let Err(refused) = password::check(&profile.password) {
        faults.push(("password", refused.to_string()));
    }
    let groups = access::groups(&profile.groups)
        .map_err(|wrong| faults.extend(wrong.into_iter().map(|wrong| ("groups", wrong))))
        .unwrap_or_default();
    let (Some(username), true) = (username, faults.is_empty()) else {
        return Err(NewUserRefused::Fields(faults));
    };
    Ok(Prepared {
        id: app.entropy.id(app.now()).into(),
        username,
        email: email.map(str::to_owned),
        password_hash: app.passwords.hash(profile.password.clone()).await?,
        admin,
        groups,
    })
}

impl Prepared {
    pub(super) async fn insert(self, tx: &mut Tx, now: OffsetDateTime) -> Result<User, NewUserRefused> {
        let new = NewUser {
            id: self.id,
            username: &self.username,
            email: self.email.as_deref(),
            password_hash: &self.password_hash,
            admin: self.admin,
        };
        if !store::users::insert(tx, &new, now).await? {
            let taken = format!("The username {} is taken: choose another.", self.username);
            return Err(NewUserRefused::Fields(vec![("username", taken)]));
        }
        store::access::replace_groups(tx, self.id, &self.groups).await?;
        Ok(User {
            id: self.id,
            username: self.username.to_string(),
            email: self.email,
            admin: self.admin,
            epoch: 0,
            created_at: now,
            signed_in_at: None,
            disabled_at: None,
        })
    }
}

fn looks_like_email(text: &str) -> bool {
    let plain = text.len() <= 254 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    plain
        && text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
}

/// # Errors
/// See [`NewUserRefused`].
pub async fn create(
    app: &App,
    caller: &Caller,
    profile: &Profile,
    admin: bool,
) -> Result<User, NewUserRefused> {
    let prepared = prepare(app, profile, admin).await?;
    let now = app.now();
    let mut tx = app.db.write().await?;
    let user = prepared.insert(&mut tx, now).await?;
    let event = Event::new(EventName::UserCreated).user(user.id).detail(Detail {
        administrator: Some(admin),
        ..Detail::default()
    });
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    tracing::info!(event = "user_created", user = %user.id, admin);
    Ok(user)
}

/// # Errors
/// That the store did not do it.
pub async fn list(app: &App) -> Result<Vec<Grouped>, Refusal> {
    Ok(store::users::list(&app.db).await?)
}

/// A page (from 0) of those whose name or email address contains `search`, and how many there are in all.
///
/// # Errors
/// That the store did not do it.
pub async fn page(app: &App, search: &str, page: i64) -> Result<(Vec<User>, i64), Refusal> {
    // Postgres keeps no NUL in a text, so nothing can match one.
    if search.contains('\0') {
        return Ok((Vec::new(), 0));
    }
    let listed = store::users::page(&app.db, search, PAGE, page.saturating_mul(PAGE)).await?;
    let total = listed.first().map_or(0, |first| first.total);
    Ok((listed.into_iter().map(|listed| listed.user).collect(), total))
}

/// # Errors
/// That the store did not do it.
pub async fn find(app: &App, id: UserId) -> Result<Option<User>, Refusal> {
    Ok(store::users::find(&app.db, id).await?)
}

/// By any spelling of the name.
///
/// # Errors
/// That the store did not do it.
pub async fn find_by_name(app: &App, name: &str) -> Result<Option<User>, Refusal> {
    Ok(store::users::find_by_key(&app.db, &username_key(name))
        .await?
        .map(|found| found.user))
}

/// Sets a password. Every session and every grant ends: whoever knew the old password may have used it.
///
/// # Errors
/// Faults of the field `password`, or that the store did not do it.
pub async fn set_password(
    app: &App,
    caller: &Caller,
    user: UserId,
    new: Secret,
) -> Result<(), NewUserRefused> {
    replace_password(app, caller, user, None, new).await
}

/// `own`: the user does it, in a session that goes on, and the epoch in which the change was allowed.
async fn replace_password(
    app: &App,
    caller: &Caller,
    user: UserId,
    own: Option<(SecretHash, i64)>,
    new: Secret,
) -> Result<(), NewUserRefused> {
    let (keep, epoch) = own.unzip();
    if let Err(refused) = password::check(&new) {
        return Err(NewUserRefused::Fields(vec![("password", refused.to_string())]));
    }
    let password_hash = app.passwords.hash(new).await?;
    let now = app.now();
    let mut tx = app.db.write().await?;
    if !store::users::set_password(&mut tx, user, epoch, &password_hash, now).await? {
        return Err(NewUserRefused::Gone);
    }
    let ended = end_everything(&mut tx, user, keep, RevokedReason::PasswordChanged, now).await?;
    let name = if own.is_some() {
        EventName::PasswordChanged
    } else {
        EventName::PasswordReset
    };
    let event = Event::new(name).user(user).detail(ended);
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    tracing::info!(event = name.as_str(), %user);
    Ok(())
}

/// A user changes the own password in the session `keep`: the current one must be right, and guesses at
/// it count like any failed sign-in. The user as after the change.
///
/// # Errors
/// Faults of the fields, or that the store did not do it.
pub async fn change_password(
    app: &App,
    user: &User,
    current: &Attempt,
    new: Secret,
    keep: SecretHash,
) -> Result<User, NewUserRefused> {
    let proven = match login::prove(app, current).await {
        Ok(proven) if proven.id == user.id => proven,
        Ok(_) | Err(NotSignedIn::Wrong) => {
            let wrong = "This is not your current password.".to_owned();
            return Err(NewUserRefused::Fields(vec![("current_password", wrong)]));
        }
        Err(NotSignedIn::Wait { seconds }) => {
            let wait = format!("Too many attempts failed. Wait {seconds} seconds, then try again.");
            return Err(NewUserRefused::Fields(vec![("current_password", wait)]));
        }
        Err(NotSignedIn::Refused(refusal)) => return Err(NewUserRefused::Refused(refusal)),
    };
    replace_password(app, &current.caller, user.id, Some((keep, proven.epoch)), new).await?;
    Ok(User {
        epoch: proven.epoch + 1,
        ..proven
    })
}

/// What ended, for the audit log.
async fn end_everything(
    tx: &mut Tx,
    user: UserId,
    keep: Option<SecretHash>,
    reason: RevokedReason,
    now: OffsetDateTime,
) -> Result<Detail, StoreError> {
    Ok(Detail {
        sessions: Some(store::sessions::delete_of_user(tx, user, keep).await?),
        grants: Some(store::grants::revoke_all(tx, Families::OfUser(user), reason, now).await?),
        ..Detail::default()
    })
}

/// Takes effect at once, on every endpoint and node: sessions end, grants die.
///
/// # Errors
/// That the store did not do it.
pub async fn disable(app: &App, caller: &Caller, user: UserId) -> Result<(), Refusal> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    if store::users::disable(&mut tx, user, now).await? {
        finish(app, tx, caller, user, Deed::Disable, now).await?;
    }
    Ok(())
}

/// The user may sign in again; what was revoked stays revoked.
///
/// # Errors
/// That the store did not do it.
pub async fn enable(app: &App, caller: &Caller, user: UserId) -> Result<(), Refusal> {
    let mut tx = app.db.write().await?;
    if !store::users::enable(&mut tx, user).await? {
        return Ok(());
    }
    let event = Event::new(EventName::UserEnabled).user(user);
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    tracing::info!(event = "user_enabled", %user);
    Ok(())
}

/// The name is free again; the id is never given to another, so nothing of the old user can fall to a
/// new one of the same name.
///
/// # Errors
/// That the store did not do it.
pub async fn delete(app: &App, caller: &Caller, user: UserId) -> Result<(), Refusal> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    if store::users::delete(&mut tx, user, now).await? {
        finish(app, tx, caller, user, Deed::Delete, now).await?;
    }
    Ok(())
}

/// What one administrator does to a user, who may be another one or they themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Disable,
    Delete,
    /// Makes an administrator.
    Promote,
    /// Takes that away.
    Demote,
}

impl Deed {
    fn event(self) -> EventName {
        match self {
            Self::Disable => EventName::UserDisabled,
            Self::Delete => EventName::UserDeleted,
            Self::Promote => EventName::AdministratorMade,
            Self::Demote => EventName::AdministratorUnmade,
        }
    }
}

/// Takes effect at once, like the command; but the last enabled administrator stays one, however many do this
/// at the same time. False where nothing was done for that reason, because it is so already, or because the user
/// is gone.
///
/// # Errors
/// That the store did not do it.
pub async fn perform(app: &App, caller: &Caller, user: UserId, deed: Deed) -> Result<bool, Refusal> {
    use store::users as rows;

    let now = app.now();
    let mut tx = app.db.write().await?;
    rows::hold_administrators(&mut tx).await?;
    let done = match deed {
        Deed::Disable => rows::disable_but_the_last(&mut tx, user, now).await?,
        Deed::Delete => rows::delete_but_the_last(&mut tx, user, now).await?,
        Deed::Promote => rows::promote(&mut tx, user).await?,
        Deed::Demote => rows::demote_but_the_last(&mut tx, user).await?,
    };
    if done {
        finish(app, tx, caller, user, deed, now).await?;
    }
    Ok(done)
}

/// What follows from a deed, whoever did it: what ends with it, and that it is told.
async fn finish(
    app: &App,
    mut tx: Tx,
    caller: &Caller,
    user: UserId,
    deed: Deed,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    let mut event = Event::new(deed.event()).user(user);
    if deed == Deed::Delete {
        store::access::forget_user(&mut tx, user).await?;
    }
    match deed {
        Deed::Disable | Deed::Delete => {
            event.detail = end_everything(&mut tx, user, None, RevokedReason::UserDisabled, now).await?;
        }
        // A program that was let manage the user's own applications is not thereby let manage everybody's.
        Deed::Promote => {
            let reason = RevokedReason::Operator;
            let ended = store::grants::end_scope_of(&mut tx, user, APPLICATIONS, reason, now).await?;
            event.detail.grants = Some(ended);
        }
        Deed::Demote => {}
    }
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    tracing::info!(event = deed.event().as_str(), %user);
    Ok(())
}
