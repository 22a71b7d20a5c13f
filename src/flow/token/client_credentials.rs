//! The client's own token (RFC 6749 §4.4): no user, no refresh token, one row.

use crate::flow::App;
use crate::flow::client_auth::Authenticated;
use crate::flow::error::Refusal;
use crate::flow::issue;
use crate::flow::reuse::{self, Reuse};
use crate::model::grant_type::GrantType;
use crate::protocol::params::Params;
use crate::protocol::resource;
use crate::protocol::scope::ScopeRules;
use crate::protocol::token::TokenResponse;

pub(super) async fn issue(
    app: &App,
    client: &Authenticated,
    params: &Params,
) -> Result<TokenResponse, Refusal> {
    let application = client.application();
    let certificate = client.binding()?;
    let rules = ScopeRules::of(&application.settings, GrantType::ClientCredentials);
    let scopes = app.catalog.resolve(rules, params.get("scope"))?;
    let resources = resource::asked(params, &app.resources)?;
    let now = app.now();
    let reuse = Reuse::of(client, None, &scopes, &resources);
    let minted = issue::mint(app, application, &scopes, None, false, certificate, now).narrowed_to(resources);
    if let Some(again) = reuse::find(app, client, reuse.as_ref(), rules.grant, now).await? {
        return Ok(minted.with_access_token(again, now).response);
    }
    let minted = minted.reusable(app, reuse.as_ref());
    issue::keep_alone(app, application, &minted, now).await?;
    Ok(minted.response)
}
