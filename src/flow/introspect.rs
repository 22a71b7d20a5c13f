//! `POST /oauth/introspect` (RFC 7662) and Doorkeeper's `GET /oauth/token/info`.

use serde::Serialize;

use super::App;
use super::client_auth::{Authenticated, authenticate};
use super::error::Refusal;
use crate::base::secret::SecretHash;
use crate::model::caller::Caller;
use crate::model::ids::{ApplicationId, UserId};
use crate::model::scope::Scopes;
use crate::model::token::AccessToken;
use crate::protocol::client_auth::Presented;
use crate::protocol::error::OAuthError;
use crate::protocol::introspection::{ActiveToken, Introspection, IntrospectionRequest};
use crate::protocol::params::Params;
use crate::protocol::reason::Reason;
use crate::protocol::token::{TokenKind, TokenType};
use crate::store;

/// What a token is, told to the application it belongs to and to resource servers that an administrator
/// allowed. Whatever the caller may not see looks like a token that there never was.
///
/// # Errors
/// The RFC's, or that we cannot serve.
pub async fn introspect(
    app: &App,
    params: &Params,
    presented: Result<Presented, OAuthError>,
    caller: &Caller,
) -> Result<Introspection, Refusal> {
    params.reject_repeated()?;
    let presented = presented?;
    let answered = attempt(app, params, &presented, caller).await;
    if !matches!(answered, Err(Refusal::Stale)) {
        return answered;
    }
    app.clients.forget();
    attempt(app, params, &presented, caller).await
}

async fn attempt(
    app: &App,
    params: &Params,
    presented: &Presented,
    caller: &Caller,
) -> Result<Introspection, Refusal> {
    let client = authenticate(app, presented, caller).await?;
    if !client.application().settings.confidential {
        return Err(OAuthError::invalid_client(
            "Introspection is for applications that have a secret: a public one cannot prove who it is",
        )
        .because(Reason::PublicIntrospection)
        .into());
    }
    let request = IntrospectionRequest::parse(params)?;
    let hash = request.token.hash();
    let found = match TokenKind::parse(request.token.expose()) {
        Some(TokenKind::AccessToken) => access_token(app, &client, hash).await?,
        Some(TokenKind::RefreshToken) => refresh_token(app, &client, hash).await?,
        _ => None,
    };
    Ok(found.map_or(Introspection::Inactive, Introspection::active))
}

fn may_see(client: &Authenticated, owner: ApplicationId) -> bool {
    client.application().id == owner || client.application().settings.introspect
}

async fn access_token(
    app: &App,
    client: &Authenticated,
    hash: SecretHash,
) -> Result<Option<ActiveToken>, Refusal> {
    let asker = client.application().id;
    let Some(found) = store::access_tokens::find_for(&app.db, hash, asker).await? else {
        return Ok(None);
    };
    client.is_current(found.asker_version)?;
    let token = found.token;
    if !token.is_active(app.now()) || !may_see(client, token.application_id) {
        return Ok(None);
    }
    Ok(Some(ActiveToken {
        sub: subject(&token),
        client_id: token.client_id,
        username: token.username,
        scope: token.scopes,
        token_type: Some(TokenType::Bearer),
        exp: token.expires_at.unix_timestamp(),
        iat: token.created_at.unix_timestamp(),
        aud: token.resources.to_strings(),
        iss: app.issuer.as_str().to_owned(),
        certificate: token.certificate,
    }))
}

/// A token without a user is the application's own.
fn subject(token: &AccessToken) -> String {
    token
        .user_id
        .map_or_else(|| token.client_id.to_string(), |user| user.to_string())
}

async fn refresh_token(
    app: &App,
    client: &Authenticated,
    hash: SecretHash,
) -> Result<Option<ActiveToken>, Refusal> {
    let asker = client.application().id;
    let Some(token) = store::refresh_tokens::find_described(&app.db, hash, asker).await? else {
        return Ok(None);
    };
    client.is_current(token.asker_version)?;
    let now = app.now();
    let family = &token.token.family;
    let dead = !family.live || !token.application_live || token.token.used_at.is_some();
    if dead
        || now >= token.token.expires_at
        || now >= family.ends_at
        || !may_see(client, family.application_id)
    {
        return Ok(None);
    }
    Ok(Some(ActiveToken {
        sub: family.user_id.to_string(),
        client_id: token.client_id,
        username: Some(token.username),
        scope: token.token.family.granted,
        token_type: None,
        exp: token.token.expires_at.unix_timestamp(),
        iat: token.created_at.unix_timestamp(),
        aud: token.token.family.resources.to_strings(),
        iss: app.issuer.as_str().to_owned(),
        certificate: token.token.certificate,
    }))
}

/// Doorkeeper's answer to `GET /oauth/token/info`.
#[derive(Debug, Serialize)]
pub struct TokenInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_owner_id: Option<UserId>,
    scope: Scopes,
    expires_in: i64,
    application: Uid,
    created_at: i64,
}

#[derive(Debug, Serialize)]
struct Uid {
    uid: String,
}

/// What the bearer of `token` may know of it.
pub fn token_info(app: &App, token: &AccessToken) -> TokenInfo {
    TokenInfo {
        resource_owner_id: token.user_id,
        scope: token.scopes.clone(),
        expires_in: (token.expires_at - app.now()).whole_seconds(),
        application: Uid {
            uid: token.client_id.to_string(),
        },
        created_at: token.created_at.unix_timestamp(),
    }
}
