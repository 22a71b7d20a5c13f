//! A user's name and password for tokens (RFC 6749 §4.3), where the operator offers it all the same
//! (RFC 9700 §2.4).

use time::Duration;

use crate::base::secret::Secret;
use crate::flow::audit::{self, EventName};
use crate::flow::authorize::family_life;
use crate::flow::client_auth::Authenticated;
use crate::flow::error::Refusal;
use crate::flow::issue;
use crate::flow::login::{self, Attempt, NotSignedIn};
use crate::flow::reuse::Reuse;
use crate::flow::{App, access};
use crate::model::caller::Caller;
use crate::model::grant_type::GrantType;
use crate::model::ids::GrantId;
use crate::model::resource::Resources;
use crate::model::scope::Scopes;
use crate::model::user::User;
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::reason::Reason;
use crate::protocol::resource;
use crate::protocol::scope::ScopeRules;
use crate::protocol::token::TokenResponse;
use crate::store;
use crate::store::grants::NewGrant;

pub(super) async fn exchange(
    app: &App,
    caller: &Caller,
    client: &Authenticated,
    params: &Params,
) -> Result<TokenResponse, Refusal> {
    let attempt = Attempt {
        username: params.require("username")?.to_owned(),
        password: Secret::new(params.require("password")?),
        caller: caller.as_application(client.application().id),
        browser: None,
    };
    client.binding()?;
    let rules = ScopeRules::of(&client.application().settings, GrantType::Password);
    let scopes = app.catalog.resolve(rules, params.get("scope"))?;
    let resources = resource::asked(params, &app.resources)?;
    let user = proven(app, &attempt).await?;
    if access::denied(app, client.application(), user.id)
        .await?
        .is_some()
    {
        let error = OAuthError::invalid_grant("This user may not use the application");
        return Err(error.because(Reason::UserNotAllowed).into());
    }
    let caller = &attempt.caller;
    grant(app, caller, client, &user, &scopes, &resources).await
}

/// Guesses are counted with those of the sign-in page: there are no more of them here than there.
async fn proven(app: &App, attempt: &Attempt) -> Result<User, Refusal> {
    login::prove(app, attempt).await.map_err(|why| match why {
        NotSignedIn::Wrong => refused("wrong name or password, or a disabled user").into(),
        NotSignedIn::Wait { seconds } => Refusal::TooMany { retry_after: seconds },
        NotSignedIn::Refused(refusal) => refusal,
    })
}

fn refused(cause: &str) -> OAuthError {
    OAuthError::invalid_grant("The user name or the password is wrong")
        .because(Reason::PasswordWrong)
        .with_cause(cause)
}

/// The grant and its tokens are one transaction, in which user and application are still what they were.
async fn grant(
    app: &App,
    caller: &Caller,
    client: &Authenticated,
    user: &User,
    scopes: &Scopes,
    resources: &Resources,
) -> Result<TokenResponse, Refusal> {
    let now = app.now();
    let application = client.application();
    let refresh = application.settings.allows(GrantType::RefreshToken) && app.offers(GrantType::RefreshToken);
    let new = NewGrant {
        id: GrantId::from(app.entropy.id(now)),
        application_id: application.id,
        user_id: user.id,
        user_epoch: user.epoch,
        kind: GrantType::Password.into(),
        scopes,
        resources,
        expires_at: now + family_life(app, application, GrantType::Password, Duration::ZERO),
    };
    let mut tx = app.db.write().await?;
    if !store::applications::hold_at(&mut tx, application.id, application.version).await? {
        return Err(Refusal::Stale);
    }
    if !store::grants::insert(&mut tx, &new, now).await? {
        return Err(Refusal::Stale);
    }
    let family = store::grants::family(&mut tx, new.id).await?;
    let Some(family) = family.filter(|family| family.live) else {
        return Err(refused("the user changed meanwhile").into());
    };
    let reuse = Reuse::of(client, Some(&family), scopes, resources);
    let minted = issue::mint(
        app,
        application,
        scopes,
        Some(&family),
        refresh,
        client.binding()?,
        now,
    )
    .reusable(app, reuse.as_ref());
    issue::keep(app, &mut tx, application, &family, &minted, None, now).await?;
    let event = audit::of_decision(EventName::SignedIn, user.id, application.id, Some(new.id), scopes);
    audit::record(app, &mut tx, caller, event).await?;
    tx.commit().await?;
    tracing::info!(event = "password_exchanged", user = %user.id, application = %application.id);
    Ok(minted.response)
}
