//! Minting tokens: what every grant ends in.

use time::{Duration, OffsetDateTime};

use super::App;
use super::error::Refusal;
use super::reuse::{Again, Reuse};
use crate::base::secret::{Secret, SecretHash};
use crate::model::application::Application;
use crate::model::certificate::Thumbprint;
use crate::model::grant::Family;
use crate::model::grant_type::GrantType;
use crate::model::ids::{ApplicationId, GrantId, UserId};
use crate::model::resource::Resources;
use crate::model::scope::Scopes;
use crate::protocol::token::{TokenKind, TokenResponse, TokenType};
use crate::store::access_tokens::{NewAccessToken, Sealed};
use crate::store::refresh_tokens::NewRefreshToken;
use crate::store::{self, Result, Tx};

/// Tokens that are not stored yet.
pub(super) struct Minted {
    pub(super) response: TokenResponse,
    access_hash: SecretHash,
    access_expires_at: OffsetDateTime,
    /// The access token was issued before and is stored.
    given_again: bool,
    sealed: Option<Sealed>,
    scopes: Scopes,
    resources: Resources,
    /// What its tokens are bound to (RFC 8705 §3, §4).
    certificate: Option<Thumbprint>,
}

impl Minted {
    /// The access token is good at these resources alone (RFC 8707), instead of all that its grant is bound to.
    #[must_use]
    pub(super) fn narrowed_to(self, resources: Resources) -> Self {
        Self { resources, ..self }
    }

    /// The access token lives for `ttl`, where that is given, instead of what is configured.
    #[must_use]
    pub(super) fn living_for(mut self, ttl: Option<Duration>, now: OffsetDateTime) -> Self {
        if let Some(ttl) = ttl {
            self.access_expires_at = now + ttl;
            self.response.expires_in = seconds_left(self.access_expires_at, now);
        }
        self
    }

    /// So that it can be given again.
    #[must_use]
    pub(super) fn reusable(mut self, app: &App, reuse: Option<&Reuse>) -> Self {
        self.sealed = reuse.and_then(|reuse| reuse.seal(&app.entropy, &self.response.access_token));
        self
    }

    /// With an access token that was issued before in place of the new one.
    #[must_use]
    pub(super) fn with_access_token(mut self, again: Again, now: OffsetDateTime) -> Self {
        self.given_again = true;
        self.response.expires_in = seconds_left(again.expires_at, now);
        self.response.created_at = again.created_at.unix_timestamp();
        self.response.access_token = again.token;
        self
    }

    fn access_token(&self, application: &Application, grant_id: Option<GrantId>) -> NewAccessToken<'_> {
        NewAccessToken {
            hash: self.access_hash,
            application_id: application.id,
            grant_id,
            scopes: &self.scopes,
            resources: &self.resources,
            expires_at: self.access_expires_at,
            certificate: self.certificate.as_ref(),
            sealed: self.sealed.as_ref(),
        }
    }
}

fn seconds_left(until: OffsetDateTime, now: OffsetDateTime) -> u64 {
    (until - now).whole_seconds().max(0).unsigned_abs()
}

/// An access token, and with `refresh` a refresh token beside it. Nothing outlives `family`, and nothing is
/// good where `family` is not, nor without `certificate`.
pub(super) fn mint(
    app: &App,
    application: &Application,
    scopes: &Scopes,
    family: Option<&Family>,
    refresh: bool,
    certificate: Option<&Thumbprint>,
    now: OffsetDateTime,
) -> Minted {
    let grant = family.map_or(GrantType::ClientCredentials, |family| family.grant_type);
    let full = now + app.lifetimes(&application.settings, grant).access_token;
    let expires_at = family.map_or(full, |family| full.min(family.ends_at));
    let access_token = Secret::generate(&app.entropy, TokenKind::AccessToken.prefix());
    let refresh_token = refresh.then(|| Secret::generate(&app.entropy, TokenKind::RefreshToken.prefix()));
    Minted {
        access_hash: access_token.hash(),
        access_expires_at: expires_at,
        given_again: false,
        sealed: None,
        certificate: certificate.cloned(),
        scopes: scopes.clone(),
        resources: family.map(|family| family.resources.clone()).unwrap_or_default(),
        response: TokenResponse {
            access_token,
            token_type: TokenType::Bearer,
            expires_in: seconds_left(expires_at, now),
            refresh_token,
            scope: scopes.to_string(),
            created_at: now.unix_timestamp(),
        },
    }
}

/// Stores a token that is its own family.
///
/// # Errors
/// [`Refusal::Stale`] where the application is not what it was.
pub(super) async fn keep_alone(
    app: &App,
    application: &Application,
    minted: &Minted,
    now: OffsetDateTime,
) -> std::result::Result<(), Refusal> {
    let token = minted.access_token(application, None);
    if application.settings.revoke_previous_tokens {
        return keep_alone_instead(app, application, &token, now).await;
    }
    if store::access_tokens::insert_alone(&app.db, &token, application.version, now).await? {
        return Ok(());
    }
    Err(Refusal::Stale)
}

/// The same, where it ends the tokens that the application had. Of two at once the later ends the earlier.
async fn keep_alone_instead(
    app: &App,
    application: &Application,
    token: &NewAccessToken<'_>,
    now: OffsetDateTime,
) -> std::result::Result<(), Refusal> {
    let mut tx = app.db.write().await?;
    if !store::applications::hold_at(&mut tx, application.id, application.version).await? {
        return Err(Refusal::Stale);
    }
    store::grants::revoke_own_tokens(&mut tx, application.id, now).await?;
    store::access_tokens::insert(&mut tx, token, now).await?;
    Ok(tx.commit().await?)
}

/// Stores what was minted under its grant; `parent` is the refresh token that the new one replaces. Without a
/// parent it is a new authorization, which ends the earlier ones where the application keeps one a user.
pub(super) async fn keep(
    app: &App,
    tx: &mut Tx,
    application: &Application,
    family: &Family,
    minted: &Minted,
    parent: Option<SecretHash>,
    now: OffsetDateTime,
) -> Result<()> {
    if parent.is_none() && application.settings.revoke_previous_tokens {
        supersede(tx, family.user_id, family.application_id, family.grant_id, now).await?;
    }
    if !minted.given_again {
        let access = minted.access_token(application, Some(family.grant_id));
        store::access_tokens::insert(tx, &access, now).await?;
    }
    let Some(refresh_token) = &minted.response.refresh_token else {
        return Ok(());
    };
    let refresh = NewRefreshToken {
        hash: refresh_token.hash(),
        grant_id: family.grant_id,
        parent,
        scopes: &minted.scopes,
        expires_at: idle_end(app, application, family, now),
        // Who proves itself anew with every refresh may have a new certificate by then.
        certificate: minted
            .certificate
            .as_ref()
            .filter(|_| !application.settings.confidential),
    };
    store::refresh_tokens::insert(tx, &refresh, now).await
}

/// When a refresh token of `family` that is given or used `now` ends, unless it is used again.
pub(super) fn idle_end(
    app: &App,
    application: &Application,
    family: &Family,
    now: OffsetDateTime,
) -> OffsetDateTime {
    let lifetimes = app.lifetimes(&application.settings, family.grant_type);
    family.ends_at.min(now + lifetimes.refresh_token)
}

/// Ends what `user` authorized `application` to before `successor`.
pub(super) async fn supersede(
    tx: &mut Tx,
    user: UserId,
    application: ApplicationId,
    successor: GrantId,
    now: OffsetDateTime,
) -> Result<()> {
    store::users::hold(tx, user).await?;
    let revoked = store::grants::supersede(tx, user, application, successor, now).await?;
    if revoked > 0 {
        tracing::info!(event = "authorizations_superseded", %user, %application, revoked);
    }
    Ok(())
}
