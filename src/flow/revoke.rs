//! `POST /oauth/revoke` (RFC 7009).

use std::net::IpAddr;

use super::App;
use super::client_auth::{Authenticated, authenticate};
use super::error::Refusal;
use crate::base::secret::{Secret, SecretHash};
use crate::model::grant::RevokedReason;
use crate::model::ids::{ApplicationId, GrantId, UserId};
use crate::protocol::client_auth::Presented;
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;
use crate::protocol::revocation::RevocationRequest;
use crate::protocol::token::TokenKind;
use crate::store;
use crate::store::grants::Families;

/// What a token hangs on.
enum Found {
    Family(GrantId),
    /// It is its own family.
    Alone(SecretHash),
}

/// Kills the grant that the token came of. Unknown tokens and other applications' are passed over in
/// silence: nothing is told of them.
///
/// # Errors
/// The RFC's, or that we cannot serve: then the token lives, and the client is told to try again.
pub async fn revoke(
    app: &App,
    params: &Params,
    presented: Result<Presented, OAuthError>,
    address: IpAddr,
) -> Result<(), Refusal> {
    params.reject_repeated()?;
    let client = authenticate(app, &presented?, address).await?;
    let request = RevocationRequest::parse(params)?;
    if let Some((owner, found)) = find(app, &request.token).await?
        && owns(&client, owner)
    {
        kill(app, &found, RevokedReason::Client).await?;
    }
    Ok(())
}

fn owns(client: &Authenticated, owner: ApplicationId) -> bool {
    client.application().id == owner
}

/// The prefix tells the kind, so the client's hint is not needed.
async fn find(app: &App, token: &Secret) -> Result<Option<(ApplicationId, Found)>, Refusal> {
    let hash = token.hash();
    match TokenKind::parse(token.expose()) {
        Some(TokenKind::AccessToken) => {
            let found = store::access_tokens::find(&app.db, hash).await?;
            Ok(found.map(|token| {
                (
                    token.application_id,
                    token.grant_id.map_or(Found::Alone(hash), Found::Family),
                )
            }))
        }
        Some(TokenKind::RefreshToken) => {
            let found = store::refresh_tokens::find(&app.db, hash).await?;
            Ok(found.map(|token| (token.family.application_id, Found::Family(token.family.grant_id))))
        }
        _ => Ok(None),
    }
}

async fn kill(app: &App, found: &Found, reason: RevokedReason) -> Result<(), Refusal> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    match found {
        Found::Family(grant) => store::grants::revoke(&mut tx, *grant, reason, now).await?,
        Found::Alone(hash) => store::access_tokens::revoke(&mut tx, *hash, now).await?,
    }
    Ok(tx.commit().await?)
}

/// An operator revokes one token, whosever it is. False where it is unknown.
///
/// # Errors
/// That the store did not do it.
pub async fn by_operator(app: &App, token: &Secret) -> Result<bool, Refusal> {
    let Some((_, found)) = find(app, token).await? else {
        return Ok(false);
    };
    kill(app, &found, RevokedReason::Operator).await?;
    Ok(true)
}

/// An operator revokes all of a user, of an application, or of a user with an application. The number of
/// families that were alive.
///
/// # Errors
/// That the store did not do it.
pub async fn all(
    app: &App,
    user: Option<UserId>,
    application: Option<ApplicationId>,
) -> Result<u64, Refusal> {
    let families = match (user, application) {
        (Some(user), Some(application)) => Families::OfUserAndApplication(user, application),
        (Some(user), None) => Families::OfUser(user),
        (None, Some(application)) => Families::OfApplication(application),
        (None, None) => return Ok(0),
    };
    let mut tx = app.db.write().await?;
    let revoked = store::grants::revoke_all(&mut tx, families, RevokedReason::Operator, app.now()).await?;
    tx.commit().await?;
    Ok(revoked)
}
