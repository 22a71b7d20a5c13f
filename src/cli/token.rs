//! `tegata token …`

use super::arguments::{Revoke, TokenCommand};
use super::failure::Failure;
use super::output::{Format, Revoked, RevokedWhat};
use super::{application, user};
use crate::base::secret::Secret;
use crate::flow::{App, revoke};

/// `token` is the one from standard input.
pub(super) async fn run(
    app: &App,
    command: TokenCommand,
    token: Option<Secret>,
    format: Format,
) -> Result<String, Failure> {
    let TokenCommand::Revoke(whose) = command;
    let revoked = match token {
        Some(token) => RevokedWhat::Token(revoke::by_operator(app, &token).await?),
        None => RevokedWhat::Grants(revoke_all(app, &whose).await?),
    };
    format.render(&Revoked { revoked })
}

async fn revoke_all(app: &App, whose: &Revoke) -> Result<u64, Failure> {
    let user = match &whose.user {
        Some(name) => Some(user::named(app, name).await?.id),
        None => None,
    };
    let application = match &whose.application {
        Some(client_id) => Some(application::named(app, client_id).await?.application.id),
        None => None,
    };
    Ok(revoke::all(app, user, application).await?)
}
