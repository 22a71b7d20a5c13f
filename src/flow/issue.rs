//! Minting tokens: what every grant ends in.

use time::OffsetDateTime;

use super::App;
use super::error::Refusal;
use crate::base::secret::{Secret, SecretHash};
use crate::model::application::Application;
use crate::model::grant::Family;
use crate::model::grant_type::GrantType;
use crate::model::scope::Scopes;
use crate::protocol::token::{TokenKind, TokenResponse, TokenType};
use crate::store::access_tokens::NewAccessToken;
use crate::store::refresh_tokens::NewRefreshToken;
use crate::store::{self, Result, Tx};

/// Tokens that are not stored yet.
pub(super) struct Minted {
    pub(super) response: TokenResponse,
    access_hash: SecretHash,
    access_expires_at: OffsetDateTime,
    scopes: Scopes,
}

/// An access token, and with `refresh` a refresh token beside it. Nothing outlives `family`.
pub(super) fn mint(
    app: &App,
    application: &Application,
    scopes: &Scopes,
    family: Option<&Family>,
    refresh: bool,
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
        scopes: scopes.clone(),
        response: TokenResponse {
            access_token,
            token_type: TokenType::Bearer,
            expires_in: (expires_at - now).whole_seconds().max(0).unsigned_abs(),
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
    let token = NewAccessToken {
        hash: minted.access_hash,
        application_id: application.id,
        grant_id: None,
        scopes: &minted.scopes,
        expires_at: minted.access_expires_at,
    };
    if store::access_tokens::insert_alone(&app.db, &token, application.version, now).await? {
        return Ok(());
    }
    Err(Refusal::Stale)
}

/// Stores what was minted under its grant; `parent` is the refresh token that the new one replaces.
pub(super) async fn keep(
    app: &App,
    tx: &mut Tx,
    application: &Application,
    family: &Family,
    minted: &Minted,
    parent: Option<SecretHash>,
    now: OffsetDateTime,
) -> Result<()> {
    let access = NewAccessToken {
        hash: minted.access_hash,
        application_id: application.id,
        grant_id: Some(family.grant_id),
        scopes: &minted.scopes,
        expires_at: minted.access_expires_at,
    };
    store::access_tokens::insert(tx, &access, now).await?;
    let Some(refresh_token) = &minted.response.refresh_token else {
        return Ok(());
    };
    let idle_end = now
        + app
            .lifetimes(&application.settings, family.grant_type)
            .refresh_token;
    let refresh = NewRefreshToken {
        hash: refresh_token.hash(),
        grant_id: family.grant_id,
        parent,
        scopes: &minted.scopes,
        expires_at: idle_end.min(family.ends_at),
    };
    store::refresh_tokens::insert(tx, &refresh, now).await
}
