//! `tegata token …`

use super::arguments::{Listing, Revoke, TokenCommand, Whose};
use super::failure::Failure;
use super::output::{self, Format, Revoked, RevokedWhat};
use super::{application, user};
use crate::base::secret::Secret;
use crate::flow::families::{self, Cut};
use crate::flow::{App, revoke};
use crate::model::caller::Caller;
use crate::protocol::token::TokenKind;

/// `token` is the one from standard input.
pub(super) async fn run(
    app: &App,
    command: TokenCommand,
    token: Option<Secret>,
    format: Format,
) -> Result<String, Failure> {
    match (command, token) {
        (TokenCommand::List(listing), _) => list(app, &listing, format).await,
        (TokenCommand::Show, Some(token)) => show(app, &token, format).await,
        // standard input is read for it, so there is a token or it has failed before
        (TokenCommand::Show, None) => Err(no_such_token()),
        (TokenCommand::Revoke(_), Some(token)) => {
            let revoked = RevokedWhat::Token(revoke::by_operator(app, &Caller::OPERATOR, &token).await?);
            format.render(&Revoked { revoked })
        }
        (TokenCommand::Revoke(whose), None) => {
            let revoked = RevokedWhat::Grants(revoke_all(app, &whose).await?);
            format.render(&Revoked { revoked })
        }
    }
}

async fn show(app: &App, token: &Secret, format: Format) -> Result<String, Failure> {
    let what = match TokenKind::parse(token.expose()) {
        Some(TokenKind::ClientSecret) => "a client secret",
        Some(TokenKind::AuthorizationCode) => "an authorization code",
        Some(TokenKind::DeviceCode) => "a device code",
        _ => {
            let shown = families::show(app, token).await?.ok_or_else(no_such_token)?;
            return format.render(&shown);
        }
    };
    Err(Failure::new(format!(
        "this is {what}, not a token: give the access token (tga_…) or the refresh token (tgr_…)"
    )))
}

fn no_such_token() -> Failure {
    Failure::new("no such token is known: it was never issued here, or it expired and was deleted since")
}

async fn list(app: &App, listing: &Listing, format: Format) -> Result<String, Failure> {
    let found = families::tokens(app, whose(app, &listing.whose).await?, listing.limit).await?;
    tell_of_more(&found);
    format.render(found.rows.as_slice())
}

/// Says so on stderr where a list was cut.
pub(super) fn tell_of_more<T>(found: &Cut<T>) {
    if found.more {
        output::tell("There are more: name a higher --limit to see them.");
    }
}

/// Whom the options name.
pub(super) async fn whose(app: &App, named: &Whose) -> Result<families::Whose, Failure> {
    let user = match &named.user {
        Some(name) => Some(user::named(app, name).await?.id),
        None => None,
    };
    let application = match &named.application {
        Some(client_id) => Some(application::named(app, client_id).await?.application.id),
        None => None,
    };
    match (user, application) {
        (Some(user), Some(application)) => Ok(families::Whose::Both(user, application)),
        (Some(user), None) => Ok(families::Whose::User(user)),
        (None, Some(application)) => Ok(families::Whose::Application(application)),
        (None, None) => Err(Failure::new("name --application or --user")),
    }
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
    Ok(revoke::all(app, &Caller::OPERATOR, user, application).await?)
}
