//! `/oauth/authorize`: from what a client asks to what a person decides (RFC 6749 §4.1.1, §4.1.2).
//!
//! The browser carries nothing that decides: what was asked is checked before anybody signs in, kept
//! here under a random handle, and read again when the person has decided.

mod token;

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use super::audit::{self, EventName};
use super::error::Refusal;
use super::{App, access, clients};
use crate::base::config::COPIED_CODE_TTL;
use crate::base::secret::{Secret, SecretHash};
use crate::model::application::{Application, Client};
use crate::model::caller::Caller;
use crate::model::grant;
use crate::model::grant_type::GrantType;
use crate::model::ids::{ApplicationId, GrantId, UserId};
use crate::model::scope::Scopes;
use crate::model::user::User;
use crate::protocol::authorize::{
    Asked, AuthorizationRequest, Delivery, ResponseType, Target, Unproven, check,
};
use crate::protocol::error::{ErrorCode, OAuthError};
use crate::protocol::params::Params;
use crate::protocol::scope::ScopeRules;
use crate::protocol::token::TokenKind;
use crate::store::authorization_requests as requests;
use crate::store::codes::NewCode;
use crate::store::grants::NewGrant;
use crate::store::{self, StoreError, Tx};

/// A person has so long from the request to the decision, signing in included.
const PATIENCE: Duration = Duration::minutes(30);

/// Who is looking at the page.
#[derive(Clone, Copy, Debug)]
pub struct Viewer<'a> {
    pub user: &'a User,
    /// Names this sign-in, so that a request that wants a new one is not content with the old.
    pub sign_in: &'a str,
}

/// What is to be shown or done next.
#[derive(Debug)]
pub enum Next {
    /// Application or redirect URI is not proven: a page, never a redirect.
    Unproven {
        why: Unproven,
        application: Option<Box<Application>>,
    },
    Deliver(Delivered),
    /// The answer carries an error.
    Refused {
        delivered: Delivered,
        application: ApplicationId,
        error: OAuthError,
    },
    /// Sign in first; the handle is given back by the browser afterwards.
    SignIn {
        handle: Secret,
        application: String,
    },
    /// Nothing was decided yet; go on at the handle (answers a POST).
    GoOn {
        handle: Secret,
    },
    Consent(Box<Consent>),
    /// The handle is unknown, decided, expired, or another person's.
    Gone,
}

/// An answer on its way, with what a page needs that shows it.
#[derive(Debug)]
pub struct Delivered {
    pub delivery: Delivery,
    pub application: String,
    /// The code, where there is one: a native page is reached by it.
    pub code: Option<Secret>,
}

/// What the consent page shows.
#[derive(Debug)]
pub struct Consent {
    pub handle: Secret,
    pub application: Application,
    pub request: AuthorizationRequest,
    /// Each scope with a sentence for people.
    pub scopes: Vec<(String, String)>,
    /// What this user has allowed this application before, and since when.
    pub known: Option<grant::Consent>,
    /// Whether allowing it spares the question next time.
    pub remembers: bool,
    /// The person authorized, and left nothing to authorize: every scope was optional and is unticked.
    pub nothing_ticked: bool,
}

/// What the person decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Authorize,
    Deny,
}

/// What was asked, with what it takes to judge it again later.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Kept {
    request: AuthorizationRequest,
    /// The sign-in that is not enough, where the client asked for a new one.
    old_sign_in: Option<String>,
}

/// A request arrives by GET, or by POST with `go_on`, which is kept and shown by the GET that follows.
///
/// # Errors
/// That the store did not do it, or that too many people who have not signed in ask from one network.
pub async fn begin(
    app: &App,
    caller: &Caller,
    params: &Params,
    viewer: Option<Viewer<'_>>,
    go_on: bool,
) -> Result<Next, Refusal> {
    let (application, target) = match identified(app, params, clients::find).await? {
        // What is kept for a moment may be older than the redirect URI that was just registered.
        (_, Err(_)) => identified(app, params, clients::find_now).await?,
        found => found,
    };
    let target = match target {
        Ok(target) => target,
        Err(why) => {
            return Ok(Next::Unproven {
                why,
                application: application.map(Box::new),
            });
        }
    };
    let Some(application) = application else {
        return Ok(Next::Gone);
    };
    let asked = Asked {
        params,
        application: &application.settings,
        catalog: &app.catalog,
        resources: &app.resources,
        offered: &app.offered_grants(),
        require_pkce: app.config.require_pkce,
    };
    let request = match check(&asked, target) {
        Ok(request) => request,
        Err((target, error)) => return Ok(refuse(app, &application, &target, &error)),
    };
    if viewer.is_none() {
        app.guard.admit_anonymous(caller.host())?;
    }
    // A POST from elsewhere comes without the session, so who is signed in shows with the GET that follows.
    let undecided = go_on && viewer.is_none();
    let old_sign_in = request
        .prompt
        .wants_login()
        .then_some(())
        .filter(|()| !undecided)
        .map(|()| viewer.map(|viewer| viewer.sign_in.to_owned()).unwrap_or_default());
    let kept = Kept { request, old_sign_in };
    if go_on {
        return Ok(Next::GoOn {
            handle: keep(app, &application, &kept).await?,
        });
    }
    proceed(app, application, kept, viewer, None).await
}

/// What tells the client `server_error`, where application and redirect URI are proven. Nothing is kept.
///
/// # Errors
/// That the store did not do it.
pub async fn failed(app: &App, params: &Params, description: &str) -> Result<Option<Delivery>, Refusal> {
    let (_, target) = identified(app, params, clients::find_now).await?;
    let error = OAuthError::new(ErrorCode::ServerError, description.to_owned());
    Ok(target
        .ok()
        .map(|target| target.error(&error, app.issuer.as_str())))
}

/// The application as `find` finds it, and the first stage's verdict.
async fn identified<'a, F>(
    app: &'a App,
    params: &'a Params,
    find: impl FnOnce(&'a App, &'a str) -> F,
) -> Result<(Option<Application>, Result<Target, Unproven>), Refusal>
where
    F: Future<Output = store::Result<Option<Arc<Client>>>>,
{
    let application = match params.get("client_id") {
        Some(client_id) => find(app, client_id)
            .await?
            .map(|client| client.application.clone()),
        None => None,
    };
    let target = Target::identify(params, application.as_ref());
    Ok((application, target))
}

/// The browser comes back with the handle, after signing in or after a POST.
///
/// # Errors
/// That the store did not do it.
pub async fn resume(app: &App, handle: Secret, viewer: Option<Viewer<'_>>) -> Result<Next, Refusal> {
    let now = app.now();
    let Some(pending) = requests::find(&app.db, handle.hash(), now).await? else {
        return Ok(Next::Gone);
    };
    if let (Some(shown_to), Some(viewer)) = (pending.user_id, viewer)
        && shown_to != viewer.user.id
    {
        return Ok(Next::Gone);
    }
    let Some((application, mut kept)) = still_good(app, &pending).await? else {
        return Ok(Next::Gone);
    };
    if kept.request.prompt.wants_login() && kept.old_sign_in.is_none() {
        kept.old_sign_in = Some(viewer.map(|viewer| viewer.sign_in.to_owned()).unwrap_or_default());
        requests::replace(&app.db, handle.hash(), &as_text(&kept)?).await?;
    }
    proceed(app, application, kept, viewer, Some(handle)).await
}

/// Reads a kept request again, if its application is still there and the redirect URI still registered.
async fn still_good(app: &App, pending: &requests::Pending) -> Result<Option<(Application, Kept)>, Refusal> {
    let Ok(kept) = serde_json::from_str::<Kept>(&pending.request) else {
        return Ok(None);
    };
    let Some(client) = store::applications::find(&app.db, pending.application_id).await? else {
        return Ok(None);
    };
    let application = client.application;
    let grant = kept.request.response_type.grant();
    let rules = ScopeRules::of(&application.settings, grant);
    let good = application.is_enabled()
        && application.settings.allows(grant)
        && app.offers(grant)
        && kept.request.target.is_registered(&application.settings)
        && kept
            .request
            .scopes
            .beyond(&app.catalog.grantable(rules))
            .is_empty()
        && kept
            .request
            .resources
            .iter()
            .all(|resource| app.resources.find(resource).is_some());
    Ok(good.then_some((application, kept)))
}

async fn proceed(
    app: &App,
    application: Application,
    kept: Kept,
    viewer: Option<Viewer<'_>>,
    handle: Option<Secret>,
) -> Result<Next, Refusal> {
    use crate::protocol::authorize::Prompt;

    let request = &kept.request;
    let signed_in = viewer.filter(|viewer| kept.old_sign_in.as_deref() != Some(viewer.sign_in));
    let Some(viewer) = signed_in else {
        if request.prompt == Prompt::None {
            let error = OAuthError::new(
                ErrorCode::LoginRequired,
                "Nobody is signed in, and prompt=none allows no page",
            );
            return Ok(refuse(app, &application, &request.target, &error));
        }
        let handle = kept_under(app, &application, &kept, handle).await?;
        return Ok(Next::SignIn {
            handle,
            application: application.settings.name,
        });
    };
    if let Some(error) = access::denied(app, &application, viewer.user.id).await? {
        return Ok(refuse(app, &application, &request.target, &error));
    }
    let remembered = if application.settings.trusted {
        None
    } else {
        store::grants::consent(&app.db, viewer.user.id, application.id).await?
    };
    let allowed_before = remembered
        .as_ref()
        .is_some_and(|consent| request.scopes.is_subset(&consent.scopes));
    let vouched_for = application.settings.trusted && application.settings.confidential;
    let known = vouched_for || (allowed_before && counts_again(&application, request));
    if known && !request.prompt.wants_consent() {
        let basis = if application.settings.trusted {
            Basis::Trusted
        } else {
            Basis::Remembered
        };
        if let Some(next) = issue(app, &application, request, viewer.user, basis).await? {
            return Ok(next);
        }
    }
    if request.prompt == Prompt::None {
        let error = OAuthError::new(
            ErrorCode::ConsentRequired,
            "The user must be asked, and prompt=none allows no page",
        );
        return Ok(refuse(app, &application, &request.target, &error));
    }
    let handle = kept_under(app, &application, &kept, handle).await?;
    if !requests::claim(&app.db, handle.hash(), viewer.user.id, app.now()).await? {
        return Ok(Next::Gone);
    }
    Ok(ask(app, application, kept.request, handle, remembered))
}

/// Whether what was allowed before counts as allowed again. Whoever knows a `client_id` can ask in its name,
/// and would get what it asks without the person noticing, save where the application proves itself before it
/// has any use of the answer (RFC 6749 §10.2): a public one never does, nor does anybody for a token.
fn counts_again(application: &Application, request: &AuthorizationRequest) -> bool {
    application.settings.confidential && request.response_type == ResponseType::Code
}

fn ask(
    app: &App,
    application: Application,
    request: AuthorizationRequest,
    handle: Secret,
    known: Option<grant::Consent>,
) -> Next {
    Next::Consent(Box::new(Consent {
        handle,
        scopes: described(app, &request.scopes),
        known,
        remembers: counts_again(&application, &request),
        application,
        request,
        nothing_ticked: false,
    }))
}

async fn kept_under(
    app: &App,
    application: &Application,
    kept: &Kept,
    handle: Option<Secret>,
) -> Result<Secret, Refusal> {
    match handle {
        Some(handle) => Ok(handle),
        None => keep(app, application, kept).await,
    }
}

async fn keep(app: &App, application: &Application, kept: &Kept) -> Result<Secret, Refusal> {
    let handle = Secret::generate(&app.entropy, "");
    let now = app.now();
    let text = as_text(kept)?;
    requests::insert(&app.db, handle.hash(), application.id, &text, now, now + PATIENCE).await?;
    Ok(handle)
}

fn as_text(kept: &Kept) -> Result<String, Refusal> {
    serde_json::to_string(kept).map_err(|error| Refusal::Unavailable(error.to_string()))
}

/// Each scope with a sentence for people.
pub(super) fn described(app: &App, scopes: &Scopes) -> Vec<(String, String)> {
    scopes
        .iter()
        .map(|scope| (scope.to_string(), app.catalog.describe(scope.as_str())))
        .collect()
}

/// Who waits behind the sign-in page.
#[derive(Debug)]
pub struct Waiting {
    pub application: String,
    /// Where the answer will lead.
    pub redirect_uri: String,
}

/// The application that a kept request is of, for the sign-in page.
///
/// # Errors
/// That the store did not do it.
pub async fn waiting(app: &App, handle: &Secret) -> Result<Option<Waiting>, Refusal> {
    let Some(pending) = requests::find(&app.db, handle.hash(), app.now()).await? else {
        return Ok(None);
    };
    let Some((application, kept)) = still_good(app, &pending).await? else {
        return Ok(None);
    };
    Ok(Some(Waiting {
        application: application.settings.name,
        redirect_uri: kept.request.target.redirect_uri().to_owned(),
    }))
}

/// The person signs out to go on as somebody else: the request is nobody's again.
///
/// # Errors
/// That the store did not do it.
pub async fn hand_over(app: &App, handle: &Secret, user: UserId) -> Result<(), Refusal> {
    Ok(requests::release(&app.db, handle.hash(), user).await?)
}

/// The person may untick whatever is asked, optional or not. Nothing where it is asked no longer.
///
/// # Errors
/// That the store did not do it.
pub(super) async fn let_all_be_unticked(app: &App, handle: &Secret) -> Result<(), Refusal> {
    let Some(pending) = requests::find(&app.db, handle.hash(), app.now()).await? else {
        return Ok(());
    };
    let Ok(mut kept) = serde_json::from_str::<Kept>(&pending.request) else {
        return Ok(());
    };
    kept.request.optional = kept.request.scopes.clone();
    Ok(requests::replace(&app.db, handle.hash(), &as_text(&kept)?).await?)
}

/// The person decides; `ticked` are those of the optional scopes that they kept. Of a form sent twice, one
/// counts.
///
/// # Errors
/// That the store did not do it.
pub async fn decide(
    app: &App,
    caller: &Caller,
    handle: &Secret,
    user: &User,
    decision: Decision,
    ticked: &Scopes,
) -> Result<Next, Refusal> {
    let now = app.now();
    let hash = handle.hash();
    let Some(pending) = requests::find(&app.db, hash, now)
        .await?
        .filter(|found| found.user_id == Some(user.id))
    else {
        return Ok(Next::Gone);
    };
    let Some((application, kept)) = still_good(app, &pending).await? else {
        return Ok(Next::Gone);
    };
    match decision {
        Decision::Authorize => {
            let request = kept.request.narrowed(ticked);
            if request.scopes.is_empty() {
                return ask_again(app, application, kept.request, handle, user.id).await;
            }
            let refused = kept.request.scopes.difference(&request.scopes);
            let basis = Basis::Asked {
                caller,
                form: hash,
                refused: &refused,
            };
            let issued = issue(app, &application, &request, user, basis).await?;
            Ok(issued.unwrap_or(Next::Gone))
        }
        Decision::Deny => deny(app, caller, &application, &kept.request, user.id, hash).await,
    }
}

/// A grant of nothing is not issued; the person may tick something or deny.
async fn ask_again(
    app: &App,
    application: Application,
    request: AuthorizationRequest,
    handle: &Secret,
    user: UserId,
) -> Result<Next, Refusal> {
    let known = store::grants::consent(&app.db, user, application.id).await?;
    let mut next = ask(app, application, request, handle.clone(), known);
    if let Next::Consent(consent) = &mut next {
        consent.nothing_ticked = true;
    }
    Ok(next)
}

async fn deny(
    app: &App,
    caller: &Caller,
    application: &Application,
    request: &AuthorizationRequest,
    user: UserId,
    hash: SecretHash,
) -> Result<Next, Refusal> {
    let mut tx = app.db.write().await?;
    if !requests::decide(&mut tx, hash, user, app.now()).await? {
        return Ok(Next::Gone);
    }
    let event = audit::of_decision(
        EventName::ConsentDenied,
        user,
        application.id,
        None,
        &request.scopes,
    );
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    let error = OAuthError::access_denied("The user denied the request");
    Ok(refuse(app, application, &request.target, &error))
}

/// Why a code or token may be issued.
#[derive(Clone, Copy)]
enum Basis<'a> {
    /// An administrator vouches for the application.
    Trusted,
    /// The user allowed it before.
    Remembered,
    /// The user has just said yes, in this form, and unticked what is refused.
    Asked {
        caller: &'a Caller,
        form: SecretHash,
        refused: &'a Scopes,
    },
}

/// The basis is made sure of in the transaction that issues: a form decides once, and a consent
/// that is being withdrawn is no basis. `None` where it has gone.
async fn stands(
    tx: &mut Tx,
    application: &Application,
    request: &AuthorizationRequest,
    user: UserId,
    basis: Basis<'_>,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    match basis {
        Basis::Trusted => Ok(true),
        Basis::Remembered => {
            let held = store::grants::hold_consent(tx, user, application.id).await?;
            Ok(held.is_some_and(|consent| request.scopes.is_subset(&consent.scopes)))
        }
        Basis::Asked { form, refused, .. } => {
            if !requests::decide(tx, form, user, now).await? {
                return Ok(false);
            }
            // What was allowed earlier and is unticked now is asked again next time.
            let all = match store::grants::consent_in(tx, user, application.id).await? {
                Some(earlier) => earlier.scopes.difference(refused).union(&request.scopes),
                None => request.scopes.clone(),
            };
            store::grants::remember_consent(tx, user, application.id, &all, now).await?;
            Ok(true)
        }
    }
}

/// The basis, the grant and what is issued are one transaction. `None` where the basis has gone.
async fn issue(
    app: &App,
    application: &Application,
    request: &AuthorizationRequest,
    user: &User,
    basis: Basis<'_>,
) -> Result<Option<Next>, Refusal> {
    let now = app.now();
    let grant_type = request.response_type.grant();
    let life = match request.response_type {
        ResponseType::Code => family_life(app, application, grant_type, code_ttl(app, &request.target)),
        ResponseType::Token => app.lifetimes(&application.settings, grant_type).access_token,
    };

    let mut tx = app.db.write().await?;
    // Whoever redeems a code is looked at again then. A token is all there is: it is for the application as it
    // is now.
    if request.response_type == ResponseType::Token
        && !store::applications::hold_at(&mut tx, application.id, application.version).await?
    {
        drop(tx);
        return changed(app, application).await;
    }
    if !stands(&mut tx, application, request, user.id, basis, now).await? {
        return Ok(None);
    }
    let grant = NewGrant {
        id: GrantId::from(app.entropy.id(now)),
        application_id: application.id,
        user_id: user.id,
        user_epoch: user.epoch,
        kind: grant_type.into(),
        scopes: &request.scopes,
        resources: &request.resources,
        expires_at: now + life,
    };
    if !store::grants::insert(&mut tx, &grant, now).await? {
        drop(tx);
        if let Some(error) = access::denied_now(app, application.id, user.id).await? {
            return Ok(Some(refuse(app, application, &request.target, &error)));
        }
        return changed(app, application).await;
    }
    if let Basis::Asked { caller, .. } = basis {
        let event = audit::of_decision(
            EventName::ConsentGiven,
            user.id,
            application.id,
            Some(grant.id),
            &request.scopes,
        );
        audit::record(app, &mut tx, caller, event).await?;
    }
    let delivered = match request.response_type {
        ResponseType::Code => issue_code(app, &mut tx, application, request, grant.id, now).await?,
        ResponseType::Token => {
            let Some(delivery) = token::issue(app, &mut tx, application, request, grant.id, now).await?
            else {
                return Ok(None);
            };
            Delivered {
                delivery,
                application: application.settings.name.clone(),
                code: None,
            }
        }
    };
    tx.commit().await?;
    Ok(Some(Next::Deliver(delivered)))
}

/// What comes of a request whose application was changed since it was looked at: it may be disabled by now.
async fn changed(app: &App, application: &Application) -> Result<Option<Next>, Refusal> {
    let client = store::applications::find(&app.db, application.id).await?;
    let application = client.map(|client| Box::new(client.application));
    if application.as_ref().is_some_and(|found| found.is_enabled()) {
        return Ok(None);
    }
    Ok(Some(Next::Unproven {
        why: Unproven::UnknownClient,
        application,
    }))
}

async fn issue_code(
    app: &App,
    tx: &mut Tx,
    application: &Application,
    request: &AuthorizationRequest,
    grant_id: GrantId,
    now: OffsetDateTime,
) -> Result<Delivered, Refusal> {
    let target = &request.target;
    let code = Secret::generate(&app.entropy, TokenKind::AuthorizationCode.prefix());
    let new = NewCode {
        hash: code.hash(),
        grant_id,
        redirect_uri: target.redirect_uri(),
        redirect_uri_sent: target.redirect_uri_sent(),
        code_challenge: request.code_challenge.as_deref(),
        expires_at: now + code_ttl(app, target),
    };
    store::codes::insert(tx, &new, now).await?;
    Ok(Delivered {
        delivery: target.success(code.expose(), app.issuer.as_str()),
        application: application.settings.name.clone(),
        code: Some(code),
    })
}

fn code_ttl(app: &App, target: &Target) -> Duration {
    let configured = app.config.authorization_code_ttl;
    if target.is_native() {
        configured.max(COPIED_CODE_TTL)
    } else {
        configured
    }
}

/// How long all that comes of a grant may live whose code lives `code_ttl`.
pub(super) fn family_life(
    app: &App,
    application: &Application,
    grant: GrantType,
    code_ttl: Duration,
) -> Duration {
    let lifetimes = app.lifetimes(&application.settings, grant);
    let refreshes =
        application.settings.allows(GrantType::RefreshToken) && app.offers(GrantType::RefreshToken);
    if refreshes {
        lifetimes.refresh_token_max
    } else {
        code_ttl + lifetimes.access_token
    }
}

fn refuse(app: &App, application: &Application, target: &Target, error: &OAuthError) -> Next {
    tracing::info!(
        event = "authorization_refused",
        client_id = %application.client_id,
        error = error.code().as_str(),
        description = error.description(),
    );
    Next::Refused {
        delivered: Delivered {
            delivery: target.error(error, app.issuer.as_str()),
            application: application.settings.name.clone(),
            code: None,
        },
        application: application.id,
        error: error.clone(),
    }
}

/// The application whose native code this is, where the code is live and `user`'s own.
///
/// # Errors
/// That the store did not do it.
pub async fn native(app: &App, user: UserId, code: &Secret) -> Result<Option<String>, Refusal> {
    Ok(store::codes::application_of_live(&app.db, code.hash(), user, app.now()).await?)
}
