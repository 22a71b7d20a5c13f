//! `/oauth/authorize?oauth_token=…` (RFC 5849 §2.2): a person decides about a request token.
//!
//! As with OAuth 2.0 the browser carries nothing that decides: callback and scopes are fixed with the request token,
//! and whoever was shown it is who decides.

use time::OffsetDateTime;

use super::{may_call_back, scopes};
use crate::base::secret::{Secret, SecretHash};
use crate::flow::audit::{self, EventName};
use crate::flow::authorize::{Decision, described};
use crate::flow::error::Refusal;
use crate::flow::{App, access};
use crate::model::application::Application;
use crate::model::caller::Caller;
use crate::model::grant;
use crate::model::grant_kind::GrantKind;
use crate::model::ids::{GrantId, UserId};
use crate::model::oauth1::OUT_OF_BAND;
use crate::model::redirect_uri::append;
use crate::model::resource::Resources;
use crate::model::user::User;
use crate::store::grants::NewGrant;
use crate::store::oauth1::request_tokens::{self, Authorized, StoredRequestToken};
use crate::store::{self, StoreError, Tx};

/// What is to be shown or done next.
#[derive(Debug)]
pub enum Next {
    /// Nobody is signed in.
    SignIn,
    Consent(Box<Consent>),
    /// To the callback.
    Redirect(String),
    /// The application is not called back: the person copies this.
    Pin {
        application: String,
        pin: Secret,
    },
    /// The application is not called back, and it was denied.
    Denied {
        application: String,
    },
    /// An administrator does not let this user use the application, which is not called back.
    NotAllowed {
        application: String,
    },
    Gone(Gone),
}

/// Why a request token cannot be decided: a page, never a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Never issued, or its application may no longer use it.
    Unknown,
    Expired,
    /// By whoever looks at it.
    Decided,
    /// Another's.
    Foreign,
}

/// What the consent page shows.
#[derive(Debug)]
pub struct Consent {
    pub application: Application,
    /// `None`: a PIN will be shown.
    pub callback: Option<String>,
    /// Each scope with a sentence for people.
    pub scopes: Vec<(String, String)>,
    /// What this user has allowed this application before, and since when.
    pub known: Option<grant::Consent>,
    /// Whether allowing it spares the question next time.
    pub remembers: bool,
}

/// The browser comes with a request token.
///
/// # Errors
/// That the store did not do it.
pub async fn begin(app: &App, token: &Secret, viewer: Option<&User>) -> Result<Next, Refusal> {
    match (begun(app, token, viewer).await?, viewer) {
        (Next::Gone(Gone::Decided), Some(user)) => again(app, token, user).await,
        (next, _) => Ok(next),
    }
}

async fn begun(app: &App, token: &Secret, viewer: Option<&User>) -> Result<Next, Refusal> {
    let pending = match find(app, token, viewer.map(|user| user.id)).await? {
        Ok(pending) => pending,
        Err(gone) => return Ok(Next::Gone(gone)),
    };
    let Some(user) = viewer else {
        return Ok(Next::SignIn);
    };
    if let Some(refused) = not_allowed(app, &pending, user).await? {
        return Ok(refused);
    }
    let application = &pending.application;
    let known = if application.settings.trusted {
        None
    } else {
        store::grants::consent(&app.db, user.id, application.id).await?
    };
    let covered = |known: &grant::Consent| pending.row.scopes.is_subset(&known.scopes);
    let allowed_before = application.settings.trusted || known.as_ref().is_some_and(covered);
    if allowed_before && pending.counts_again() {
        return authorize(app, &pending, user, pending.standing()).await;
    }
    if !request_tokens::claim(&app.db, pending.hash, user.id, app.now()).await? {
        return Ok(Next::Gone(gone_now(app, token, user.id).await?));
    }
    Ok(Next::Consent(Box::new(Consent {
        callback: Some(pending.row.callback.clone()).filter(|callback| callback != OUT_OF_BAND),
        scopes: described(app, &pending.row.scopes),
        known,
        remembers: pending.counts_again(),
        application: pending.application,
    })))
}

/// The browser comes once more, as by a double click or a reload, with what needs no question: the answer goes out anew,
/// and the verifier of the earlier one is void.
async fn again(app: &App, token: &Secret, user: &User) -> Result<Next, Refusal> {
    let decided = Ok(Next::Gone(Gone::Decided));
    let Some(row) = request_tokens::find(&app.db, token.hash()).await? else {
        return decided;
    };
    let Ok(pending) = current(app, token, row).await? else {
        return decided;
    };
    if !pending.counts_again() || not_allowed(app, &pending, user).await?.is_some() {
        return decided;
    }
    let now = app.now();
    let verifier = Verifier::generate(app, false);
    let mut tx = app.db.write().await?;
    let renewed = stands(&mut tx, &pending, user.id, pending.standing(), now).await?
        && request_tokens::renew(&mut tx, pending.hash, user.id, verifier.0.hash(), now).await?;
    if !renewed {
        return decided;
    }
    tx.commit().await?;
    Ok(delivered(&pending, verifier))
}

/// The person decides. Of a form sent twice, one counts.
///
/// # Errors
/// That the store did not do it.
pub async fn decide(
    app: &App,
    caller: &Caller,
    token: &Secret,
    user: &User,
    decision: Decision,
) -> Result<Next, Refusal> {
    let pending = match find(app, token, Some(user.id)).await? {
        // Only who was shown what it is about can decide about it.
        Ok(pending) if pending.row.user_id == Some(user.id) => pending,
        Ok(_) => return Ok(Next::Gone(Gone::Foreign)),
        Err(gone) => return Ok(Next::Gone(gone)),
    };
    match decision {
        Decision::Authorize => {
            if let Some(refused) = not_allowed(app, &pending, user).await? {
                return Ok(refused);
            }
            authorize(app, &pending, user, Basis::Asked(caller)).await
        }
        Decision::Deny => deny(app, caller, &pending, user.id).await,
    }
}

/// A request token, with what its application is now.
struct Pending {
    token: Secret,
    hash: SecretHash,
    row: StoredRequestToken,
    application: Application,
}

impl Pending {
    fn is_out_of_band(&self) -> bool {
        self.row.callback == OUT_OF_BAND
    }

    /// Whether what was allowed before, or is trusted, counts without a question. Anybody can have a PIN shown to
    /// somebody else and ask them for it, so for a PIN they are always asked.
    fn counts_again(&self) -> bool {
        self.application.settings.confidential && !self.is_out_of_band()
    }

    /// Why it may be authorized without a question, if it may.
    fn standing(&self) -> Basis<'static> {
        if self.application.settings.trusted {
            Basis::Trusted
        } else {
            Basis::Remembered
        }
    }

    fn name(&self) -> String {
        self.application.settings.name.clone()
    }
}

/// One that is live and undecided.
async fn find(app: &App, token: &Secret, viewer: Option<UserId>) -> Result<Result<Pending, Gone>, Refusal> {
    let Some(row) = request_tokens::find(&app.db, token.hash()).await? else {
        return Ok(Err(Gone::Unknown));
    };
    if let Some(gone) = state(&row, viewer, app.now()) {
        return Ok(Err(gone));
    }
    current(app, token, row).await
}

/// Whether its application may still have what it asked for.
async fn current(
    app: &App,
    token: &Secret,
    row: StoredRequestToken,
) -> Result<Result<Pending, Gone>, Refusal> {
    let Some(client) = store::applications::find(&app.db, row.application_id).await? else {
        return Ok(Err(Gone::Unknown));
    };
    let application = client.application;
    let good = application.is_enabled()
        && may_call_back(&application.settings, &row.callback)
        && row.scopes.is_subset(&scopes(app, &application.settings));
    if !good {
        return Ok(Err(Gone::Unknown));
    }
    Ok(Ok(Pending {
        token: token.clone(),
        hash: token.hash(),
        row,
        application,
    }))
}

/// Nobody is told of another's whether it was decided.
fn state(row: &StoredRequestToken, viewer: Option<UserId>, now: OffsetDateTime) -> Option<Gone> {
    if let (Some(shown_to), Some(viewer)) = (row.user_id, viewer)
        && shown_to != viewer
    {
        return Some(Gone::Foreign);
    }
    if row.decided_at.is_some() {
        return Some(Gone::Decided);
    }
    (row.expires_at <= now).then_some(Gone::Expired)
}

async fn gone_now(app: &App, token: &Secret, user: UserId) -> Result<Gone, Refusal> {
    let row = request_tokens::find(&app.db, token.hash()).await?;
    Ok(row
        .and_then(|row| state(&row, Some(user), app.now()))
        .unwrap_or(Gone::Unknown))
}

async fn not_allowed(app: &App, pending: &Pending, user: &User) -> Result<Option<Next>, Refusal> {
    let denied = access::denied(app, &pending.application, user.id).await?;
    Ok(denied.map(|_| kept_out(pending)))
}

fn kept_out(pending: &Pending) -> Next {
    if pending.is_out_of_band() {
        return Next::NotAllowed {
            application: pending.name(),
        };
    }
    refused(pending, "permission_denied")
}

/// The callback with what became of it, by the names of the OAuth Problem Reporting extension.
fn refused(pending: &Pending, problem: &str) -> Next {
    let token = pending.token.expose();
    Next::Redirect(append(
        &pending.row.callback,
        &[
            ("oauth_problem", problem),
            ("oauth_token", token),
            ("denied", token),
        ],
    ))
}

async fn deny(app: &App, caller: &Caller, pending: &Pending, user: UserId) -> Result<Next, Refusal> {
    let mut tx = app.db.write().await?;
    if !request_tokens::deny(&mut tx, pending.hash, user, app.now()).await? {
        drop(tx);
        return Ok(Next::Gone(gone_now(app, &pending.token, user).await?));
    }
    let event = audit::of_decision(
        EventName::ConsentDenied,
        user,
        pending.application.id,
        None,
        &pending.row.scopes,
    );
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    tracing::info!(event = "request_token_denied", application = %pending.application.id);
    if pending.is_out_of_band() {
        return Ok(Next::Denied {
            application: pending.name(),
        });
    }
    Ok(refused(pending, "user_refused"))
}

/// Why it may be authorized.
#[derive(Clone, Copy)]
enum Basis<'a> {
    /// An administrator vouches for the application.
    Trusted,
    /// The user allowed it before.
    Remembered,
    /// The user has just said yes.
    Asked(&'a Caller),
}

/// Made sure of in the transaction that authorizes: a consent that is being withdrawn is no basis.
async fn stands(
    tx: &mut Tx,
    pending: &Pending,
    user: UserId,
    basis: Basis<'_>,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let (application, scopes) = (pending.application.id, &pending.row.scopes);
    match basis {
        Basis::Trusted => Ok(true),
        Basis::Remembered => {
            let held = store::grants::hold_consent(tx, user, application).await?;
            Ok(held.is_some_and(|consent| scopes.is_subset(&consent.scopes)))
        }
        // For this time only, as the page says.
        Basis::Asked(_) if !pending.counts_again() => Ok(true),
        Basis::Asked(_) => {
            let earlier = store::grants::consent_in(tx, user, application).await?;
            let all = earlier.map_or_else(|| scopes.clone(), |earlier| earlier.scopes.union(scopes));
            store::grants::remember_consent(tx, user, application, &all, now).await?;
            Ok(true)
        }
    }
}

/// The decision, the basis and the grant are one transaction. The grant ends with the request token, unless that is
/// exchanged before.
async fn authorize(app: &App, pending: &Pending, user: &User, basis: Basis<'_>) -> Result<Next, Refusal> {
    let now = app.now();
    let verifier = Verifier::generate(app, pending.is_out_of_band());
    let decided = Authorized {
        user: user.id,
        grant: GrantId::from(app.entropy.id(now)),
        verifier: verifier.0.hash(),
    };
    let mut tx = app.db.write().await?;
    if !stands(&mut tx, pending, user.id, basis, now).await? {
        return Ok(Next::Gone(Gone::Unknown));
    }
    let grant = NewGrant {
        id: decided.grant,
        application_id: pending.application.id,
        user_id: user.id,
        user_epoch: user.epoch,
        kind: GrantKind::OAuth1,
        scopes: &pending.row.scopes,
        resources: &Resources::default(),
        expires_at: pending.row.expires_at,
    };
    if !store::grants::insert(&mut tx, &grant, now).await? {
        drop(tx);
        let denied = access::denied_now(app, pending.application.id, user.id).await?;
        return Ok(denied.map_or(Next::Gone(Gone::Unknown), |_| kept_out(pending)));
    }
    if !request_tokens::authorize(&mut tx, pending.hash, &decided, now).await? {
        drop(tx);
        return Ok(Next::Gone(gone_now(app, &pending.token, user.id).await?));
    }
    if let Basis::Asked(caller) = basis {
        let event = audit::of_decision(
            EventName::ConsentGiven,
            user.id,
            pending.application.id,
            Some(grant.id),
            grant.scopes,
        );
        audit::record(app, &mut tx, caller, event).await?;
    }
    tx.commit().await?;
    Ok(delivered(pending, verifier))
}

fn delivered(pending: &Pending, Verifier(verifier): Verifier) -> Next {
    if pending.is_out_of_band() {
        return Next::Pin {
            application: pending.name(),
            pin: verifier,
        };
    }
    let answer = [
        ("oauth_token", pending.token.expose()),
        ("oauth_verifier", verifier.expose()),
    ];
    Next::Redirect(append(&pending.row.callback, &answer))
}

/// What proves that the user came back to who asked: unguessable, and bound to its request token.
struct Verifier(Secret);

/// Crockford's base32, in which nothing is taken for anything else.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Of five bits each: 130.
const PIN_LENGTH: usize = 26;

impl Verifier {
    fn generate(app: &App, typed: bool) -> Self {
        if !typed {
            return Self(Secret::generate(&app.entropy, ""));
        }
        let bytes = zeroize::Zeroizing::new(app.entropy.bytes::<PIN_LENGTH>());
        let digits = bytes
            .iter()
            .map(|byte| char::from(DIGITS[usize::from(byte & 31)]));
        Self(Secret::new(digits.collect::<String>()))
    }
}

/// A PIN as a person may have typed it, in the one spelling that was shown.
pub(super) fn typed_pin(typed: &Secret) -> Secret {
    let meant = |c: char| match c.to_ascii_lowercase() {
        'o' => Some('0'),
        'i' | 'l' => Some('1'),
        c if c == '-' || c.is_whitespace() => None,
        c => Some(c),
    };
    Secret::new(typed.expose().chars().filter_map(meant).collect::<String>())
}

/// Where the answer will lead and who waits for it, for the sign-in page. `None` where nobody is called back.
///
/// # Errors
/// That the store did not do it.
pub async fn waiting(app: &App, token: &Secret) -> Result<Option<(String, Option<String>)>, Refusal> {
    let found = find(app, token, None).await?;
    Ok(found.ok().map(|pending| {
        let callback = Some(pending.row.callback.clone()).filter(|_| !pending.is_out_of_band());
        (pending.name(), callback)
    }))
}

/// The person signs out to go on as somebody else: the request token is nobody's again.
///
/// # Errors
/// That the store did not do it.
pub async fn hand_over(app: &App, token: &Secret, user: UserId) -> Result<(), Refusal> {
    Ok(request_tokens::release(&app.db, token.hash(), user).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_read_as_people_type_it() {
        for typed in ["0a1b1c0d", "0A1B1C0D", "oaib-Lc od", " 0a1b 1c0d\n"] {
            assert_eq!(typed_pin(&Secret::new(typed)).expose(), "0a1b1c0d", "{typed:?}");
        }
    }
}
