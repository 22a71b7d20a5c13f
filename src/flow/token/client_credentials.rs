//! The client's own token (RFC 6749 §4.4): no user, no refresh token, one row.

use crate::flow::App;
use crate::flow::client_auth::Authenticated;
use crate::flow::error::Refusal;
use crate::flow::issue;
use crate::model::grant_type::GrantType;
use crate::protocol::params::Params;
use crate::protocol::scope::ScopeRules;
use crate::protocol::token::TokenResponse;

pub(super) async fn issue(
    app: &App,
    client: &Authenticated,
    params: &Params,
) -> Result<TokenResponse, Refusal> {
    let application = client.application();
    let rules = ScopeRules::of(&application.settings, GrantType::ClientCredentials);
    let scopes = app.catalog.resolve(rules, params.get("scope"))?;
    let now = app.now();
    let minted = issue::mint(app, application, &scopes, None, false, now);
    issue::keep_alone(app, application, &minted, now).await?;
    Ok(minted.response)
}
