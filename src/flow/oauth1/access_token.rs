//! `/oauth/access_token` (RFC 5849 §2.3): an authorized request token for an access token.

use time::OffsetDateTime;

use super::FreshToken;
use super::verify::{self, Refused};
use crate::base::secret::{Secret, SecretHash};
use crate::flow::audit::{self, EventName};
use crate::flow::error::Refusal;
use crate::flow::{App, issue};
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::failed_request::Endpoint;
use crate::model::grant::RevokedReason;
use crate::model::ids::{GrantId, UserId};
use crate::model::oauth1::{Consumer, OUT_OF_BAND, RequestToken};
use crate::protocol::oauth1::problem::{Kind, Problem};
use crate::protocol::oauth1::request::SignedRequest;
use crate::store::oauth1::access_tokens::{self, NewAccessToken};
use crate::store::oauth1::request_tokens;
use crate::store::{self, StoreError};

/// An access token as its consumer is given it.
#[derive(Debug)]
pub struct Issued {
    pub token: Secret,
    pub secret: Secret,
    pub user: UserId,
    pub username: String,
}

/// A request token is good for one access token, for whoever shows that the user came back to them: without the
/// verifier, somebody who had the user authorize their own request token would get the user's access.
///
/// # Errors
/// What is wrong with the request, or that the store did not do it.
pub async fn exchange(app: &App, caller: &Caller, request: &SignedRequest) -> Result<Issued, Refused> {
    let outcome = exchanged(app, caller, request).await;
    verify::noting(app, Endpoint::AccessToken, request, caller, outcome).await
}

async fn exchanged(app: &App, caller: &Caller, request: &SignedRequest) -> Result<Issued, Refused> {
    let Some(verifier) = request.verifier() else {
        return Err(Refused::Problem(Problem::absent(&["oauth_verifier"])));
    };
    let (consumer, token, hash) = verify::with_request_token(app, request).await?;
    let now = app.now();
    match judge(&token, verifier, now) {
        Verdict::Exchange(grant, user) => {
            let spent = (hash, meant(&token, verifier));
            let issued = insert(app, &consumer, spent, grant, user, now).await?;
            match issued {
                Some(issued) => Ok(issued),
                None => Err(replayed(app, caller, &token, grant, now).await?),
            }
        }
        Verdict::Replay(grant) => Err(replayed(app, caller, &token, grant, now).await?),
        Verdict::Refuse(kind, advice) => Err(Refused::Problem(Problem::new(kind, advice))),
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Exchange(GrantId, UserId),
    /// It was exchanged before, and comes with all that it needs.
    Replay(GrantId),
    Refuse(Kind, &'static str),
}

const USED: &str = "The request token was exchanged before: each works once. Ask for a new one";

fn judge(token: &RequestToken, verifier: &Secret, now: OffsetDateTime) -> Verdict {
    let right = is_right(token, verifier);
    match (token.used_at, token.grant_id, token.user_id) {
        (Some(_), Some(grant), _) if right => Verdict::Replay(grant),
        (Some(_), _, _) => Verdict::Refuse(Kind::TokenUsed, USED),
        _ if token.expires_at <= now => Verdict::Refuse(
            Kind::TokenExpired,
            "The request token has expired: ask for a new one, and send the user to authorize it",
        ),
        (None, Some(grant), Some(user)) if right => Verdict::Exchange(grant, user),
        (None, Some(_), _) => Verdict::Refuse(
            Kind::VerifierInvalid,
            "oauth_verifier is not the one that came with the callback, or that the user was shown",
        ),
        (None, None, _) if token.decided_at.is_some() => {
            Verdict::Refuse(Kind::UserRefused, "The user denied the request")
        }
        (None, None, _) => Verdict::Refuse(
            Kind::PermissionUnknown,
            "The user has not authorized the request token yet: send them to /oauth/authorize with it",
        ),
    }
}

/// Compared by hashes, in constant time.
fn is_right(token: &RequestToken, verifier: &Secret) -> bool {
    let expected = token.verifier_hash.as_deref().and_then(SecretHash::from_stored);
    expected.is_some_and(|expected| expected == meant(token, verifier))
}

fn meant(token: &RequestToken, verifier: &Secret) -> SecretHash {
    if token.callback == OUT_OF_BAND {
        return super::authorize::typed_pin(verifier).hash();
    }
    verifier.hash()
}

/// For a request token and its verifier. `None` where another request exchanged it first.
async fn insert(
    app: &App,
    consumer: &Consumer,
    (hash, verifier): (SecretHash, SecretHash),
    grant: GrantId,
    user: UserId,
    now: OffsetDateTime,
) -> Result<Option<Issued>, Refused> {
    let application = &consumer.application;
    let Some(known) = store::users::find(&app.db, user).await.map_err(failed)? else {
        return Err(withdrawn());
    };
    let fresh = FreshToken::generate(app).await.map_err(Refused::Refusal)?;
    let mut tx = app.db.write().await.map_err(failed)?;
    if !request_tokens::consume(&mut tx, hash, verifier, now)
        .await
        .map_err(failed)?
    {
        return Ok(None);
    }
    if application.settings.revoke_previous_tokens {
        issue::supersede(&mut tx, user, application.id, grant, now)
            .await
            .map_err(failed)?;
    }
    let new = NewAccessToken {
        hash: fresh.hash,
        grant_id: grant,
        secret_sealed: &fresh.sealed,
        expires_at: now + app.config.oauth1_access_token_ttl,
    };
    if !access_tokens::insert(&mut tx, &new, now).await.map_err(failed)? {
        return Err(withdrawn());
    }
    tx.commit().await.map_err(failed)?;
    Ok(Some(Issued {
        token: fresh.token,
        secret: fresh.secret,
        user,
        username: known.username,
    }))
}

fn failed(error: StoreError) -> Refused {
    Refused::Refusal(error.into())
}

fn withdrawn() -> Refused {
    let advice = "What the user authorized was taken back in the meantime: ask for a new request token";
    Refused::Problem(Problem::new(Kind::TokenRejected, advice))
}

/// Whoever sends it again knows the secrets of the application and of the token, and the verifier: as with a code that
/// comes twice (RFC 6749 §4.1.2) one of the two may have stole them, so what came of it dies. Committed before it is
/// refused: an error that rolls back would lose the revocation.
async fn replayed(
    app: &App,
    caller: &Caller,
    token: &RequestToken,
    grant: GrantId,
    now: OffsetDateTime,
) -> Result<Refused, Refused> {
    let revoked = revoke(app, caller, token, grant, now).await;
    revoked.map_err(Refused::Refusal)?;
    tracing::warn!(event = "request_token_replayed", %grant, "a request token came twice: its grant is revoked");
    Ok(Refused::Problem(Problem::new(Kind::TokenUsed, USED)))
}

async fn revoke(
    app: &App,
    caller: &Caller,
    token: &RequestToken,
    grant: GrantId,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    let mut tx = app.db.write().await?;
    if store::grants::revoke(&mut tx, grant, RevokedReason::RequestTokenReplayed, now).await? {
        let caller = caller.as_application(token.application_id);
        let event = Event::new(EventName::RequestTokenReplayed)
            .user(token.user_id)
            .application(token.application_id)
            .grant(grant);
        audit::record(app, &mut tx, &caller, event).await?;
    }
    Ok(tx.commit().await?)
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use uuid::Uuid;

    use super::*;
    use crate::model::scope::Scopes;

    fn now() -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap()
    }

    fn authorized() -> RequestToken {
        RequestToken {
            application_id: Uuid::nil().into(),
            secret: Secret::new("secret"),
            callback: "https://client.example/cb".into(),
            user_id: Some(Uuid::nil().into()),
            grant_id: Some(Uuid::nil().into()),
            verifier_hash: Some(Secret::new("right").hash().to_vec()),
            scopes: Scopes::default(),
            created_at: now(),
            expires_at: now() + Duration::minutes(1),
            decided_at: Some(now()),
            used_at: None,
        }
    }

    fn verdict(token: &RequestToken, verifier: &str) -> Verdict {
        judge(token, &Secret::new(verifier), now())
    }

    fn kind(token: &RequestToken, verifier: &str) -> Kind {
        match verdict(token, verifier) {
            Verdict::Refuse(kind, _) => kind,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_request_token_is_exchanged_for_its_verifier_alone() {
        let token = authorized();
        assert!(matches!(verdict(&token, "right"), Verdict::Exchange(..)));
        for wrong in ["", "RIGHT", "right ", "wrong"] {
            assert_eq!(kind(&token, wrong), Kind::VerifierInvalid, "{wrong:?}");
        }
    }

    #[test]
    fn what_was_not_authorized_is_not_exchanged_whatever_comes_with_it() {
        let undecided = RequestToken {
            grant_id: None,
            verifier_hash: None,
            decided_at: None,
            ..authorized()
        };
        assert_eq!(kind(&undecided, "right"), Kind::PermissionUnknown);
        let denied = RequestToken {
            decided_at: Some(now()),
            ..undecided
        };
        assert_eq!(kind(&denied, "right"), Kind::UserRefused);
        let expired = RequestToken {
            expires_at: now(),
            ..authorized()
        };
        assert_eq!(kind(&expired, "right"), Kind::TokenExpired);
    }

    #[test]
    fn a_used_one_is_a_replay_only_for_who_knows_the_verifier() {
        let used = RequestToken {
            used_at: Some(now()),
            ..authorized()
        };
        assert!(matches!(verdict(&used, "right"), Verdict::Replay(_)));
        assert_eq!(kind(&used, "wrong"), Kind::TokenUsed);
    }
}
