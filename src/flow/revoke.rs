//! `POST /oauth/revoke` (RFC 7009).

use super::App;
use super::audit::{self, Detail, EventName};
use super::client_auth::{Authenticated, authenticate};
use super::error::Refusal;
use crate::base::secret::{Secret, SecretHash};
use crate::model::audit::Event;
use crate::model::caller::Caller;
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
struct Found {
    hash: SecretHash,
    application: ApplicationId,
    user: Option<UserId>,
    /// `None`: it is its own family.
    grant: Option<GrantId>,
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
    caller: &Caller,
) -> Result<(), Refusal> {
    params.reject_repeated()?;
    let client = authenticate(app, &presented?, caller).await?;
    let request = RevocationRequest::parse(params)?;
    if let Some(found) = find(app, &request.token).await?
        && owns(&client, &found)
    {
        let caller = caller.as_application(found.application);
        kill(app, &caller, &found, RevokedReason::Client).await?;
    }
    Ok(())
}

fn owns(client: &Authenticated, found: &Found) -> bool {
    client.application().id == found.application
}

/// The prefix tells the kind, so the client's hint is not needed.
async fn find(app: &App, token: &Secret) -> Result<Option<Found>, Refusal> {
    let hash = token.hash();
    match TokenKind::parse(token.expose()) {
        Some(TokenKind::AccessToken) => {
            let found = store::access_tokens::find(&app.db, hash).await?;
            Ok(found.map(|token| Found {
                hash,
                application: token.application_id,
                user: token.user_id,
                grant: token.grant_id,
            }))
        }
        Some(TokenKind::RefreshToken) => {
            let found = store::refresh_tokens::find(&app.db, hash).await?;
            Ok(found.map(|token| Found {
                hash,
                application: token.family.application_id,
                user: Some(token.family.user_id),
                grant: Some(token.family.grant_id),
            }))
        }
        _ => Ok(None),
    }
}

async fn kill(app: &App, caller: &Caller, found: &Found, reason: RevokedReason) -> Result<(), Refusal> {
    let now = app.now();
    let mut tx = app.db.write().await?;
    let was_alive = match found.grant {
        Some(grant) => store::grants::revoke(&mut tx, grant, reason, now).await?,
        None => store::access_tokens::revoke(&mut tx, found.hash, now).await?,
    };
    if was_alive {
        let event = Event::new(EventName::TokenRevoked)
            .user(found.user)
            .application(found.application)
            .grant(found.grant);
        audit::record(app, &mut tx, caller, event).await?;
    }
    Ok(tx.commit().await?)
}

/// An access token of OAuth 1.0a, which no endpoint of OAuth 2.0 knows.
async fn find_signed(app: &App, token: &Secret) -> Result<Option<Found>, Refusal> {
    let hash = token.hash();
    let known = store::families::oauth1_token(&app.db, hash).await?;
    let Some(id) = known.and_then(|token| token.grant_id) else {
        return Ok(None);
    };
    let grant = store::families::find(&app.db, id, app.now()).await?;
    Ok(grant.map(|grant| Found {
        hash,
        application: grant.application_id,
        user: Some(grant.user_id),
        grant: Some(id),
    }))
}

/// An operator revokes one token, whosever it is. False where it is unknown.
///
/// # Errors
/// That the store did not do it.
pub async fn by_operator(app: &App, caller: &Caller, token: &Secret) -> Result<bool, Refusal> {
    let found = match TokenKind::parse(token.expose()) {
        Some(TokenKind::OAuth1) => find_signed(app, token).await?,
        _ => find(app, token).await?,
    };
    let Some(found) = found else {
        return Ok(false);
    };
    kill(app, caller, &found, RevokedReason::Operator).await?;
    Ok(true)
}

/// An operator revokes all of a user, of an application, or of a user with an application. The number of
/// families that were alive.
///
/// # Errors
/// That the store did not do it.
pub async fn all(
    app: &App,
    caller: &Caller,
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
    if revoked > 0 {
        let detail = Detail {
            grants: Some(revoked),
            ..Detail::default()
        };
        let event = Event::new(EventName::GrantRevoked)
            .user(user)
            .application(application)
            .detail(detail);
        audit::record(app, &mut tx, caller, event).await?;
    }
    tx.commit().await?;
    Ok(revoked)
}
