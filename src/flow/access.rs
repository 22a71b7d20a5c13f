//! Who may use an application: everybody, or the users and groups alone that an administrator named.
//!
//! The rule is one condition in the statement that makes a grant, so whatever way led there, nothing is granted
//! to somebody who may not. What is asked here before tells people sooner, and why.
//!
//! Whoever is taken out loses what they granted in the same transaction. A grant that is being made at that
//! moment by what was true before is dead from the start: it carries the counts of before
//! (`applications.access_epoch`, `users.access_epoch`), which every look at a code or token compares.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::applications::{Faults, Manager, Wanted};
use super::audit::{Detail, EventName};
use super::error::Refusal;
use super::users::NewUserRefused;
use super::{App, audit};
use crate::model::access::{Allowed, GroupName};
use crate::model::application::{Application, ApplicationSettings};
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::ids::{ApplicationId, UserId};
use crate::model::user::{Username, username_key};
use crate::protocol::error::OAuthError;
use crate::protocol::reason::Reason;
use crate::store::{self, Tx};

/// Most users named for an application; who has more gives them a group.
const MOST_USERS: usize = 500;
/// Most groups of an application, and of a user.
const MOST_GROUPS: usize = 100;

/// Why `user` may not use `application`, if so. Nothing is asked of the store where it is open to everybody.
///
/// # Errors
/// That the store did not do it.
pub(super) async fn denied(
    app: &App,
    application: &Application,
    user: UserId,
) -> Result<Option<OAuthError>, Refusal> {
    if !application.settings.restricted {
        return Ok(None);
    }
    denied_now(app, application.id, user).await
}

/// The same as it is now, for who was refused a grant: what is known of the application may be a moment old.
///
/// # Errors
/// That the store did not do it.
pub(super) async fn denied_now(
    app: &App,
    application: ApplicationId,
    user: UserId,
) -> Result<Option<OAuthError>, Refusal> {
    if store::access::may_use(&app.db, application, user).await? != Some(false) {
        return Ok(None);
    }
    tracing::info!(event = "access_refused", %application, %user);
    let error =
        OAuthError::access_denied("This user may not use the application: an administrator decides who may");
    Ok(Some(error.because(Reason::UserNotAllowed)))
}

/// Who is named for an application.
///
/// # Errors
/// That the store did not do it.
pub async fn allowed(app: &App, application: ApplicationId) -> Result<Allowed, Refusal> {
    Ok(store::access::allowed(&app.db, application).await?)
}

/// Who is to use an application, checked.
#[derive(Debug)]
pub(super) enum Named {
    /// Whoever may now.
    AsBefore,
    Everybody,
    Only {
        /// See [`username_key`].
        keys: Vec<String>,
        groups: Vec<GroupName>,
    },
}

impl Named {
    /// Looks the users up, and adds to `faults` who is none. `before`: as it is, if it is registered.
    pub(super) async fn of(
        app: &App,
        by: Manager,
        wanted: &Wanted,
        before: Option<(&ApplicationSettings, &Allowed)>,
        faults: &mut Faults,
    ) -> Result<Self, Refusal> {
        if !by.is_administrator() {
            // Nobody is looked up: others are not told who there is.
            if !is_unchanged(wanted, before) {
                faults.add(
                    "restricted",
                    "Only an administrator says who may use an application.",
                );
            }
            return Ok(Self::AsBefore);
        }
        let names_nobody = wanted.users.is_empty() && wanted.groups.is_empty();
        if !wanted.restricted {
            if !names_nobody {
                faults.add(
                    "restricted",
                    "Users or groups are named, but everybody may use it: restrict it to them, or name none.",
                );
            }
            return Ok(Self::Everybody);
        }
        // Restricted just now to nobody it is so by mistake; one whose last user was deleted can be changed.
        let is_left = before.is_some_and(|(settings, allowed)| settings.restricted && allowed.is_empty());
        if names_nobody && !is_left {
            faults.add(
                "users",
                "Name at least one user or group, or open the application to everybody.",
            );
        }
        let keys = user_keys(app, &wanted.users, faults).await?;
        let groups = groups(&wanted.groups).unwrap_or_else(|wrong| {
            for wrong in wrong {
                faults.add("groups", wrong);
            }
            Vec::new()
        });
        Ok(Self::Only { keys, groups })
    }

    /// Puts them in place of who might use `application`. The caller holds the access.
    pub(super) async fn save(
        &self,
        tx: &mut Tx,
        application: ApplicationId,
        now: OffsetDateTime,
    ) -> Result<SavedAccess, Refusal> {
        let (restricted, keys, groups) = match self {
            Self::AsBefore => return Ok(SavedAccess::default()),
            Self::Everybody => (false, &[][..], &[][..]),
            Self::Only { keys, groups } => (true, &keys[..], &groups[..]),
        };
        let users = store::access::replace_users(tx, application, keys).await?;
        let groups = store::access::replace_application_groups(tx, application, groups).await?;
        let closed = store::access::set_restricted(tx, application, restricted).await?;
        let fields = [("users", users), ("groups", groups)];
        let mut saved = SavedAccess {
            fields: fields
                .into_iter()
                .filter_map(|(name, change)| change.is_any().then_some(name))
                .collect(),
            withdrawn: None,
        };
        if closed || (restricted && (users.removed || groups.removed)) {
            let revoked = store::grants::withdraw_of_application(tx, application, now).await?;
            tracing::info!(event = "access_withdrawn", %application, revoked);
            saved.withdrawn = Some(revoked);
        }
        Ok(saved)
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct SavedAccess {
    /// Of `users` and `groups`, those that are others now.
    pub(super) fields: Vec<&'static str>,
    /// How many grants ended, where somebody may have lost the access.
    pub(super) withdrawn: Option<u64>,
}

fn is_unchanged(wanted: &Wanted, before: Option<(&ApplicationSettings, &Allowed)>) -> bool {
    let Some((settings, allowed)) = before else {
        return !wanted.restricted && wanted.users.is_empty() && wanted.groups.is_empty();
    };
    let keys =
        |names: &[String]| -> BTreeSet<String> { names.iter().map(|name| username_key(name)).collect() };
    let sorted = |names: &[String]| -> BTreeSet<String> { names.iter().cloned().collect() };
    wanted.restricted == settings.restricted
        && keys(&wanted.users) == keys(allowed.users.as_slice())
        && sorted(&wanted.groups) == sorted(allowed.groups.as_slice())
}

/// The keys of the users that `names` are, each once.
async fn user_keys(app: &App, names: &[String], faults: &mut Faults) -> Result<Vec<String>, Refusal> {
    if names.len() > MOST_USERS {
        let many = format!("At most {MOST_USERS} users are named. Give the others a group, and name that.");
        faults.add("users", many);
        return Ok(Vec::new());
    }
    let is_name = |name: &&String| Username::parse(name).is_ok();
    let keys: BTreeSet<String> = names
        .iter()
        .filter(is_name)
        .map(|name| username_key(name))
        .collect();
    let keys: Vec<String> = keys.into_iter().collect();
    let known = store::access::known(&app.db, &keys).await?;
    for name in names {
        if !is_name(&name) || !known.contains(&username_key(name)) {
            faults.add("users", format!("There is no user `{name}`."));
        }
    }
    Ok(keys)
}

/// # Errors
/// A sentence for each name that is none.
pub(super) fn groups(names: &[String]) -> Result<Vec<GroupName>, Vec<String>> {
    if names.len() > MOST_GROUPS {
        return Err(vec![format!("At most {MOST_GROUPS} groups are named.")]);
    }
    let mut groups = BTreeSet::new();
    let mut wrong = Vec::new();
    for name in names {
        match GroupName::parse(name) {
            Ok(group) => drop(groups.insert(group)),
            Err(error) => wrong.push(format!("`{name}` is no group. {error}")),
        }
    }
    if wrong.is_empty() {
        return Ok(groups.into_iter().collect());
    }
    Err(wrong)
}

/// The groups of a user, in order.
///
/// # Errors
/// That the store did not do it.
pub async fn groups_of(app: &App, user: UserId) -> Result<Vec<String>, Refusal> {
    Ok(store::access::groups(&app.db, user).await?.into_vec())
}

/// Replaces a user's groups: effective at once, on every endpoint and node. The number of grants that ended.
///
/// # Errors
/// Faults of the field `groups`, that the user is gone, or that the store did not do it.
pub async fn set_groups(
    app: &App,
    caller: &Caller,
    user: UserId,
    names: &[String],
) -> Result<u64, NewUserRefused> {
    let groups = groups(names).map_err(|wrong| {
        NewUserRefused::Fields(wrong.into_iter().map(|wrong| ("groups", wrong)).collect())
    })?;
    let now = app.now();
    let mut tx = app.db.write().await?;
    store::access::hold(&mut tx).await?;
    if !store::users::hold_live(&mut tx, user).await? {
        return Err(NewUserRefused::Gone);
    }
    let change = store::access::replace_groups(&mut tx, user, &groups).await?;
    if !change.is_any() {
        return Ok(0);
    }
    let revoked = if change.removed {
        store::grants::withdraw_of_user(&mut tx, user, now).await?
    } else {
        0
    };
    let detail = Detail {
        grants: Some(revoked),
        ..Detail::default()
    };
    let event = Event::new(EventName::GroupsChanged).user(user).detail(detail);
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    tracing::info!(event = "groups_changed", %user, revoked);
    Ok(revoked)
}
