//! `POST /oauth/token`: a grant exchanged for tokens (RFC 6749 §3.2).

mod client_credentials;
mod code;
mod device;
mod password;
mod refresh;

use super::App;
use super::client_auth::{Authenticated, authenticate};
use super::error::Refusal;
use crate::model::caller::Caller;
use crate::model::grant_type::GrantType;
use crate::protocol::client_auth::Presented;
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::reason::Reason;
use crate::protocol::token::TokenResponse;

/// Authenticates the client and exchanges what it presents; over again where the application was changed
/// meanwhile.
///
/// # Errors
/// The RFC's, or that we cannot serve.
pub async fn exchange(
    app: &App,
    params: &Params,
    presented: Result<Presented, OAuthError>,
    caller: &Caller,
) -> Result<TokenResponse, Refusal> {
    let arrival = app.retries.arrive();
    params.reject_repeated()?;
    let grant_type = params.require("grant_type")?;
    let grant = offered(app, grant_type)?;
    let presented = presented?;
    let exchanged = attempt(app, params, &presented, caller, grant, arrival).await;
    if !matches!(exchanged, Err(Refusal::Stale)) {
        return exchanged;
    }
    app.clients.forget();
    attempt(app, params, &presented, caller, grant, arrival).await
}

async fn attempt(
    app: &App,
    params: &Params,
    presented: &Presented,
    caller: &Caller,
    grant: GrantType,
    arrival: u64,
) -> Result<TokenResponse, Refusal> {
    let client = authenticate(app, presented, caller).await?;
    may_use(&client, grant)?;
    match grant {
        GrantType::AuthorizationCode => code::redeem(app, caller, &client, params).await,
        GrantType::RefreshToken => refresh::rotate(app, caller, &client, params, arrival).await,
        GrantType::DeviceCode => device::redeem(app, &client, params).await,
        GrantType::Password => password::exchange(app, caller, &client, params).await,
        GrantType::ClientCredentials => client_credentials::issue(app, &client, params).await,
        GrantType::Implicit => Err(unsupported(app).into()),
    }
}

fn offered(app: &App, grant_type: &str) -> Result<GrantType, OAuthError> {
    exchanged(app)
        .find(|grant| grant.wire() == grant_type)
        .ok_or_else(|| unsupported(app))
}

/// The grants that come here: the implicit one never does.
fn exchanged(app: &App) -> impl Iterator<Item = GrantType> {
    let offered = app.offered_grants().into_iter();
    offered.filter(|grant| *grant != GrantType::Implicit)
}

fn unsupported(app: &App) -> OAuthError {
    let names: Vec<_> = exchanged(app).map(GrantType::wire).collect();
    OAuthError::unsupported_grant_type(format!(
        "The grant_type values that are supported: {}",
        names.join(", ")
    ))
    .because(Reason::GrantTypeUnsupported)
}

/// Whether what began with `grant` may go on: it may have been taken from the application since, or from all.
fn may_go_on(app: &App, client: &Authenticated, grant: GrantType) -> Result<(), OAuthError> {
    if !app.offers(grant) {
        return Err(OAuthError::unauthorized_client(format!(
            "This server no longer offers the {grant} grant, with which the refresh token began"
        ))
        .because(Reason::GrantNotOffered));
    }
    may_use(client, grant)
}

/// Whether an administrator allowed the client this grant.
pub(super) fn may_use(client: &Authenticated, grant: GrantType) -> Result<(), OAuthError> {
    let settings = &client.application().settings;
    if !settings.allows(grant) {
        return Err(OAuthError::unauthorized_client(format!(
            "This application is not allowed the {} grant: an administrator can allow it",
            grant.name()
        ))
        .because(Reason::GrantNotAllowed.at("grant_type")));
    }
    if grant == GrantType::ClientCredentials && !settings.confidential {
        return Err(OAuthError::unauthorized_client(
            "A public application cannot prove who it is, so it cannot use client_credentials",
        )
        .because(Reason::PublicClientCredentials));
    }
    Ok(())
}
