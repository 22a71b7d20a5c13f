//! Tokens that come of no flow.

use time::Duration;

use crate::flow::authorize::family_life;
use crate::flow::error::Refusal;
use crate::flow::issue;
use crate::flow::revoke;
use crate::flow::{App, access};
use crate::model::application::Application;
use crate::model::caller::Caller;
use crate::model::grant_type::GrantType;
use crate::model::ids::GrantId;
use crate::model::resource::Resources;
use crate::model::scope::Scopes;
use crate::model::user::User;
use crate::protocol::error::OAuthError;
use crate::protocol::scope::ScopeRules;
use crate::protocol::token::TokenResponse;
use crate::store;
use crate::store::grants::NewGrant;

/// What is to be minted.
#[derive(Debug)]
pub struct Wanted<'a> {
    pub application: &'a Application,
    /// `None`: the application's own.
    pub user: Option<&'a User>,
    /// Known to the server or not. `None`: what the application gets that names none.
    pub scopes: Option<Scopes>,
    /// Where the access token is good, known to the server or not; none: anywhere.
    pub resources: Resources,
    /// `None`: as configured.
    pub access_token_ttl: Option<Duration>,
    /// `None`: where a flow gives one.
    pub refresh_token: Option<bool>,
    pub revoked: bool,
}

/// # Errors
/// What was wrong with `wanted`, or that the store did not do it.
pub async fn mint(app: &App, wanted: &Wanted<'_>) -> Result<TokenResponse, Refusal> {
    if wanted.application.settings.authentication.binds() {
        return Err(OAuthError::invalid_request(
            "The tokens of this application are bound to a client certificate, and none comes with this request",
        )
        .into());
    }
    let minted = match wanted.user {
        Some(user) => of_user(app, wanted, user).await?,
        None => of_application(app, wanted).await?,
    };
    if wanted.revoked {
        revoke::by_operator(app, &Caller::OPERATOR, &minted.access_token).await?;
    }
    Ok(minted)
}

impl Wanted<'_> {
    fn scopes(&self, app: &App, grant: GrantType) -> Result<Scopes, OAuthError> {
        match &self.scopes {
            Some(scopes) if !scopes.is_empty() => Ok(scopes.clone()),
            _ => app
                .catalog
                .resolve(ScopeRules::of(&self.application.settings, grant), None),
        }
    }

    /// The grant that the tokens seem to come of: one that they can be refreshed under.
    fn grant(&self) -> GrantType {
        [
            GrantType::AuthorizationCode,
            GrantType::DeviceCode,
            GrantType::Password,
        ]
        .into_iter()
        .find(|grant| self.application.settings.allows(*grant))
        .unwrap_or(GrantType::AuthorizationCode)
    }

    fn refresh_token(&self, app: &App) -> Result<bool, OAuthError> {
        let grant = GrantType::RefreshToken;
        let can = self.user.is_some() && self.application.settings.allows(grant) && app.offers(grant);
        if self.refresh_token == Some(true) && !can {
            return Err(OAuthError::invalid_request(
                "A refresh token needs a user, and an application that is allowed the refresh_token grant",
            ));
        }
        Ok(self.refresh_token.unwrap_or(can))
    }
}

async fn of_user(app: &App, wanted: &Wanted<'_>, user: &User) -> Result<TokenResponse, Refusal> {
    let (now, application, grant_type) = (app.now(), wanted.application, wanted.grant());
    let scopes = wanted.scopes(app, grant_type)?;
    let refresh = wanted.refresh_token(app)?;
    let life = family_life(app, application, grant_type, Duration::ZERO);
    let grant = NewGrant {
        id: GrantId::from(app.entropy.id(now)),
        application_id: application.id,
        user_id: user.id,
        user_epoch: user.epoch,
        kind: grant_type.into(),
        scopes: &scopes,
        resources: &wanted.resources,
        expires_at: now + life.max(wanted.access_token_ttl.unwrap_or_default()),
    };
    let mut tx = app.db.write().await?;
    if !store::grants::insert(&mut tx, &grant, now).await? {
        drop(tx);
        let denied = access::denied_now(app, application.id, user.id).await?;
        return Err(denied.map_or(Refusal::Stale, Refusal::OAuth));
    }
    let family = store::grants::family(&mut tx, grant.id).await?;
    let Some(family) = family.filter(|family| family.live) else {
        return Err(OAuthError::invalid_request("The user is disabled, or was changed just now").into());
    };
    let minted = issue::mint(app, application, &scopes, Some(&family), refresh, None, now)
        .living_for(wanted.access_token_ttl, now);
    issue::keep(app, &mut tx, application, &family, &minted, None, now).await?;
    tx.commit().await?;
    Ok(minted.response)
}

async fn of_application(app: &App, wanted: &Wanted<'_>) -> Result<TokenResponse, Refusal> {
    let (now, application) = (app.now(), wanted.application);
    let scopes = wanted.scopes(app, GrantType::ClientCredentials)?;
    let refresh = wanted.refresh_token(app)?;
    let minted = issue::mint(app, application, &scopes, None, refresh, None, now)
        .narrowed_to(wanted.resources.clone())
        .living_for(wanted.access_token_ttl, now);
    issue::keep_alone(app, application, &minted, now).await?;
    Ok(minted.response)
}
