//! Signing in: a name and a password, and what slows down who guesses.
//!
//! An attempt is counted *before* the password is looked at and given back when it was right, so that of
//! many sent together no more get through than are allowed. A stranger's failures never lock the user
//! out: they are counted by the stranger's address, and what is counted over all addresses does not hold
//! for a browser in which the user has signed in before.

use time::Duration;

use super::audit::{self, EventName};
use super::error::Refusal;
use super::{App, guard};
use crate::base::secret::{Secret, SecretHash};
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::ids::UserId;
use crate::model::user::{User, username_key};
use crate::store::throttles::{self, Allowance};
use crate::store::{self};

/// One user from one address (or one known browser): five at once, then one in half a minute.
const BY_PAIR: Allowance = Allowance {
    burst: 5,
    interval: 30,
};
/// One address, whoever is tried: thirty at once, then one in three seconds.
const BY_ADDRESS: Allowance = Allowance {
    burst: 30,
    interval: 3,
};
/// One user from all strange addresses together: a hundred at once, then one in ten seconds.
const BY_USER: Allowance = Allowance {
    burst: 100,
    interval: 10,
};
/// A browser is known for so long after its last sign-in.
pub const BROWSER_KNOWN: Duration = Duration::days(180);

/// One attempt to sign in.
#[derive(Debug)]
pub struct Attempt {
    pub username: String,
    pub password: Secret,
    pub caller: Caller,
    /// What a browser carries in which somebody has signed in before.
    pub browser: Option<Secret>,
}

/// Why nobody was signed in. An unknown name, a wrong password and a disabled user are told alike.
#[derive(Debug)]
pub enum NotSignedIn {
    Wrong,
    Wait { seconds: i64 },
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for NotSignedIn {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// # Errors
/// See [`NotSignedIn`].
pub async fn sign_in(app: &App, attempt: &Attempt) -> Result<User, NotSignedIn> {
    let user = prove(app, attempt).await?;
    let mut tx = app.db.write().await?;
    store::users::record_sign_in(&mut tx, user.id, app.now()).await?;
    let event = Event::new(EventName::SignedIn).user(user.id);
    audit::record(app, &mut tx, &attempt.caller.as_user(user.id), event).await?;
    tx.commit().await?;
    tracing::info!(event = "signed_in", user = %user.id, address = %attempt.caller.host());
    Ok(user)
}

/// The user whose name and password these are.
///
/// # Errors
/// See [`NotSignedIn`].
pub async fn prove(app: &App, attempt: &Attempt) -> Result<User, NotSignedIn> {
    let key = username_key(&attempt.username);
    let found = store::users::find_by_key(&app.db, &key).await?;
    let user_id = found.as_ref().map(|found| found.user.id);
    let reserved = reserve(app, attempt, &key, user_id).await?;

    let (user, phc) = found.map(|found| (found.user, found.password_hash)).unzip();
    let right = match app.passwords.verify(attempt.password.clone(), phc).await {
        Ok(right) => right,
        Err(busy) => {
            give_back(app, &reserved).await?;
            return Err(busy.into());
        }
    };
    let Some(user) = user.filter(|user| right && user.is_enabled()) else {
        let event = Event::new(EventName::SignInFailed).user(user_id);
        audit::failed(app, &attempt.caller, &event);
        tracing::info!(event = "sign_in_failed", user = user_id.map(tracing::field::display), address = %attempt.caller.host());
        return Err(NotSignedIn::Wrong);
    };
    give_back(app, &reserved).await?;
    Ok(user)
}

async fn reserve(
    app: &App,
    attempt: &Attempt,
    key: &str,
    user: Option<UserId>,
) -> Result<Vec<(SecretHash, Allowance)>, NotSignedIn> {
    if !app.guard.is_enabled() {
        return Ok(Vec::new());
    }
    let mut reserved = Vec::new();
    for (bucket, allowance) in buckets(app, attempt, key, user).await? {
        match throttles::reserve(&app.db, bucket, allowance, app.now()).await? {
            Ok(()) => reserved.push((bucket, allowance)),
            Err(seconds) => {
                give_back(app, &reserved).await?;
                let event = Event::new(EventName::SignInThrottled).user(user);
                audit::failed(app, &attempt.caller, &event);
                tracing::warn!(event = "sign_in_throttled", address = %attempt.caller.host(), seconds);
                return Err(NotSignedIn::Wait { seconds });
            }
        }
    }
    Ok(reserved)
}

async fn buckets(
    app: &App,
    attempt: &Attempt,
    key: &str,
    user: Option<UserId>,
) -> Result<Vec<(SecretHash, Allowance)>, Refusal> {
    let network = guard::network(attempt.caller.host());
    if let (Some(browser), Some(user)) = (&attempt.browser, user)
        && throttles::knows_browser(&app.db, browser.hash(), user, app.now()).await?
    {
        let bucket = SecretHash::of(&format!("sign-in browser\n{user}\n{}", browser.expose()));
        return Ok(vec![(bucket, BY_PAIR)]);
    }
    // The address first: an attempt that is refused there leaves no row of its own.
    Ok(vec![
        (SecretHash::of(&format!("sign-in address\n{network}")), BY_ADDRESS),
        (
            SecretHash::of(&format!("sign-in pair\n{network}\n{key}")),
            BY_PAIR,
        ),
        (SecretHash::of(&format!("sign-in user\n{key}")), BY_USER),
    ])
}

async fn give_back(app: &App, reserved: &[(SecretHash, Allowance)]) -> Result<(), Refusal> {
    for (bucket, allowance) in reserved {
        throttles::refund(&app.db, *bucket, *allowance).await?;
    }
    Ok(())
}

/// Remembers the browser in which `user` has just signed in: under what it carries already, else under
/// what it is to carry from now on.
///
/// # Errors
/// That the store did not do it.
pub async fn remember_browser(app: &App, browser: Option<Secret>, user: UserId) -> Result<Secret, Refusal> {
    let browser = browser.unwrap_or_else(|| Secret::generate(&app.entropy, ""));
    throttles::remember_browser(&app.db, browser.hash(), user, app.now() + BROWSER_KNOWN).await?;
    Ok(browser)
}
