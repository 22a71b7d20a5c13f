//! Whether a bearer token opens a resource (RFC 6750).

use super::App;
use super::error::Refusal;
use crate::base::secret::Secret;
use crate::model::token::AccessToken;
use crate::protocol::token::TokenKind;
use crate::store;
use crate::store::usage::Used;

/// The token behind `text`, if it is good now: one round trip, none at all for what no token looks like.
///
/// # Errors
/// That the store did not do it.
pub async fn verify(app: &App, text: &str) -> Result<Option<AccessToken>, Refusal> {
    let Some(token) = examine(app, text)
        .await?
        .filter(|token| token.is_active(app.now()))
    else {
        return Ok(None);
    };
    if let Some(grant) = token.grant_id {
        app.usage.note(app, Used::Grant, grant.into());
    }
    Ok(Some(token))
}

/// The token behind `text`, good or not. Opens nothing.
///
/// # Errors
/// That the store did not do it.
pub async fn examine(app: &App, text: &str) -> Result<Option<AccessToken>, Refusal> {
    if TokenKind::parse(text) != Some(TokenKind::AccessToken) {
        return Ok(None);
    }
    Ok(store::access_tokens::find(&app.db, Secret::new(text).hash()).await?)
}
