//! Whether a signed request is what it says (RFC 5849 §3.2).
//!
//! In this order: limits, timestamp, consumer and token, signature, state of the token, nonce. What fails is told by
//! its name; the state of a token is told to nobody but who has signed by its secret. A nonce is recorded only once
//! all else is right, so that nobody can use up another's requests.

use crate::base::secret::{Secret, SecretHash};
use crate::flow::audit::{self, Detail, EventName};
use crate::flow::error::Refusal;
use crate::flow::failed_requests::Attempt;
use crate::flow::{App, clients};
use crate::model::audit::Event;
use crate::model::caller::Caller;
use crate::model::client_id::ClientId;
use crate::model::failed_request::Endpoint;
use crate::model::ids::ApplicationId;
use crate::model::oauth1::{Consumer, RequestToken, bound_to_consumer, bound_to_token};
use crate::model::token::AccessToken;
use crate::protocol::oauth1::problem::{Kind, Problem};
use crate::protocol::oauth1::request::SignedRequest;
use crate::protocol::oauth1::signature::{Keys, SignatureMethod};
use crate::protocol::params::Params;
use crate::protocol::token::TokenKind;
use crate::store::StoreError;
use crate::store::oauth1::access_tokens;
use crate::store::oauth1::consumers::{self, StoredConsumer};
use crate::store::oauth1::request_tokens::{self, StoredRequestToken};
use crate::store::usage::Used;

use super::nonces;

/// Why a signed request is refused.
#[derive(Debug)]
pub enum Refused {
    Problem(Problem),
    Refusal(Refusal),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Refusal(error.into())
    }
}

/// Who signed a request that has no token yet: one for a request token. The caller notes the refusal.
///
/// # Errors
/// The problem; that the store did not do it.
pub(super) async fn consumer(app: &App, request: &SignedRequest) -> Result<Consumer, Refused> {
    Check { app, request }.consumer().await
}

/// Who signed a request for an access token, and by which request token: one of this consumer's own, in whatever state
/// it is. The caller spends it, and notes the refusal.
///
/// # Errors
/// The problem; that the store did not do it.
pub(super) async fn with_request_token(
    app: &App,
    request: &SignedRequest,
) -> Result<(Consumer, RequestToken, SecretHash), Refused> {
    Check { app, request }.with_request_token().await
}

/// The live access token that a request is signed by.
///
/// # Errors
/// The problem; that the store did not do it.
pub async fn with_access_token(
    app: &App,
    endpoint: Endpoint,
    request: &SignedRequest,
    caller: &Caller,
) -> Result<AccessToken, Refused> {
    let outcome = Check { app, request }.with_access_token().await;
    noting(app, endpoint, request, caller, outcome).await
}

/// Counts and keeps the refusal of a request. What a client may send in good faith never counts: a wrong clock, a token
/// that its user has withdrawn. Who signs wrongly too often is told to wait instead. Nobody who signs rightly is: there
/// are 256 bits to guess, and anybody can send wrong signatures in the name of another.
pub(super) async fn noting<T>(
    app: &App,
    endpoint: Endpoint,
    request: &SignedRequest,
    caller: &Caller,
    outcome: Result<T, Refused>,
) -> Result<T, Refused> {
    let Err(Refused::Problem(problem)) = &outcome else {
        return outcome;
    };
    let key = request.consumer_key();
    let is_guess = matches!(problem.kind, Kind::SignatureInvalid | Kind::ConsumerKeyUnknown);
    if is_guess {
        app.guard.admit_wrong_signature(key, caller.host())?;
    }
    let application = kept(app, endpoint, key, caller, problem).await;
    if is_guess || problem.kind == Kind::NonceUsed {
        let detail = Detail {
            reason: Some(problem.kind.reason().as_str()),
            ..Detail::default()
        };
        let event = Event::new(EventName::ClientAuthenticationFailed)
            .application(application)
            .detail(detail);
        audit::failed(app, caller, &event);
    }
    outcome
}

/// Keeps the refusal of a request that could not be read, for whoever runs the application that it names.
pub async fn unread(app: &App, endpoint: Endpoint, caller: &Caller, problem: &Problem) {
    if let Some(key) = problem.consumer_key() {
        kept(app, endpoint, key, caller, problem).await;
    }
}

/// Whom the request names is taken at its word: nothing is told to whoever sent it.
async fn kept(
    app: &App,
    endpoint: Endpoint,
    key: &str,
    caller: &Caller,
    problem: &Problem,
) -> Option<ApplicationId> {
    let named = clients::find(app, key).await.ok().flatten();
    let application = named.map(|client| client.application.id)?;
    let attempt = Attempt {
        endpoint,
        params: &Params::default(),
        request_id: caller.request_id.as_deref().unwrap_or_default(),
    };
    attempt.note(
        app,
        application,
        problem.kind.as_str(),
        problem.kind.reason().into(),
    );
    Some(application)
}

/// One request on its way through.
#[derive(Clone, Copy)]
struct Check<'a> {
    app: &'a App,
    request: &'a SignedRequest,
}

/// What a signature is checked with, opened.
struct Opened {
    consumer_secret: Secret,
    token_secret: Option<Secret>,
    rsa_public_key: Option<Vec<u8>>,
}

impl Opened {
    /// For a consumer or a token that there is not: the same work, and no signature fits.
    fn nobodys(app: &App) -> Self {
        Self {
            consumer_secret: Secret::generate(&app.entropy, ""),
            token_secret: Some(Secret::generate(&app.entropy, "")),
            rsa_public_key: None,
        }
    }
}

impl Check<'_> {
    async fn consumer(&self) -> Result<Consumer, Refused> {
        self.timely()?;
        if self.request.token().is_some() {
            let advice = "A request token is asked for without a token; leave out oauth_token";
            return Err(Problem::rejected("oauth_token", advice).into());
        }
        let stored = self.stored_consumer().await?;
        let consumer = self.consumer_signed(stored, None)?;
        nonces::spend(self.app, consumer.application.id, self.request).await?;
        self.used(&consumer);
        Ok(consumer)
    }

    async fn with_request_token(&self) -> Result<(Consumer, RequestToken, SecretHash), Refused> {
        self.timely()?;
        let hash = self.token()?;
        let (stored, token) = tokio::join!(self.stored_consumer(), self.request_token(hash));
        let (stored, token) = (stored?, token?);
        // Another's token is told like one that there is not.
        let own = token.filter(|token| {
            stored
                .as_ref()
                .is_some_and(|stored| stored.application.id == token.application_id)
        });
        let secret = match &own {
            Some(token) => self.open(&bound_to_token(hash), &token.secret_sealed)?,
            None => Secret::generate(&self.app.entropy, ""),
        };
        let known = stored.is_some();
        let consumer = match self.consumer_signed(stored, Some(&secret)) {
            Err(Refused::Problem(_)) if known && own.is_none() => return Err(unknown_token().into()),
            outcome => outcome?,
        };
        let Some(own) = own else {
            return Err(unknown_token().into());
        };
        nonces::spend(self.app, consumer.application.id, self.request).await?;
        self.used(&consumer);
        Ok((consumer, opened(own, secret), hash))
    }

    async fn with_access_token(&self) -> Result<AccessToken, Refused> {
        self.timely()?;
        let hash = self.token()?;
        let key = self.request.consumer_key();
        let found = if self.may_be_known() {
            access_tokens::find(&self.app.db, hash, key).await?
        } else {
            None
        };
        let Some(found) = found else {
            self.signed(&Opened::nobodys(self.app)).ok();
            return Err(self.nobodys().await?.into());
        };
        let application = found.token.application_id;
        self.signed(&Opened {
            consumer_secret: self.open(&bound_to_consumer(application), &found.consumer_secret_sealed)?,
            token_secret: Some(self.open(&bound_to_token(hash), &found.secret_sealed)?),
            rsa_public_key: found.rsa_public_key,
        })?;
        let token = found.token;
        if !token.live {
            let advice = "The token was revoked, or its user or application may not use it any more; \
                          send the user through authorization again";
            return Err(Problem::new(Kind::TokenRejected, advice).into());
        }
        if !token.is_active(self.app.now()) {
            let advice = "The token has expired; send the user through authorization again";
            return Err(Problem::new(Kind::TokenExpired, advice).into());
        }
        nonces::spend(self.app, application, self.request).await?;
        if let Some(grant) = token.grant_id {
            self.app.usage.note(self.app, Used::Grant, grant.into());
        }
        Ok(token)
    }

    /// Before anything is looked for.
    fn timely(&self) -> Result<(), Problem> {
        let (app, seconds) = (self.app, time::Duration::whole_seconds);
        self.request.check_time(
            app.now().unix_timestamp(),
            seconds(app.config.oauth1_timestamp_window),
            seconds(app.config.oauth1_clock_skew),
        )
    }

    fn token(&self) -> Result<SecretHash, Problem> {
        let token = self.request.token();
        token
            .map(SecretHash::of)
            .ok_or_else(|| Problem::absent(&["oauth_token"]))
    }

    /// Whether the names have the shape of ours; for others there is no round trip.
    fn may_be_known(&self) -> bool {
        self.is_key() && self.is_token()
    }

    fn is_key(&self) -> bool {
        ClientId::parse(self.request.consumer_key()).is_ok()
    }

    fn is_token(&self) -> bool {
        self.request.token().and_then(TokenKind::parse) == Some(TokenKind::OAuth1)
    }

    async fn stored_consumer(&self) -> Result<Option<StoredConsumer>, StoreError> {
        if !self.is_key() {
            return Ok(None);
        }
        consumers::find(&self.app.db, self.request.consumer_key()).await
    }

    async fn request_token(&self, hash: SecretHash) -> Result<Option<StoredRequestToken>, StoreError> {
        if !self.is_token() {
            return Ok(None);
        }
        request_tokens::find(&self.app.db, hash).await
    }

    /// The consumer, if it signed the request.
    fn consumer_signed(
        &self,
        stored: Option<StoredConsumer>,
        token_secret: Option<&Secret>,
    ) -> Result<Consumer, Refused> {
        let Some(stored) = stored else {
            self.signed(&Opened::nobodys(self.app)).ok();
            return Err(unknown_key().into());
        };
        let consumer_secret = self.open(&bound_to_consumer(stored.application.id), &stored.secret_sealed)?;
        self.signed(&Opened {
            consumer_secret: consumer_secret.clone(),
            token_secret: token_secret.cloned(),
            rsa_public_key: stored.rsa_public_key.clone(),
        })?;
        Ok(Consumer {
            application: stored.application,
            secret: consumer_secret,
            rsa_public_key: stored.rsa_public_key,
        })
    }

    fn signed(&self, opened: &Opened) -> Result<(), Problem> {
        let is_rsa = self.request.signature_method() == SignatureMethod::RsaSha1;
        if is_rsa && opened.rsa_public_key.is_none() {
            let advice =
                "The application has no public key for RSA-SHA1; register it, or sign by HMAC-SHA256";
            return Err(Problem::new(Kind::SignatureMethodRejected, advice));
        }
        let keys = Keys {
            consumer_secret: &opened.consumer_secret,
            token_secret: opened.token_secret.as_ref(),
            rsa_public_key: opened.rsa_public_key.as_deref(),
        };
        if self.request.is_signed_by(&keys) {
            return Ok(());
        }
        Err(Problem::signature_invalid(self.request.base_string()))
    }

    /// Which of the two is not known where no access token was found.
    async fn nobodys(&self) -> Result<Problem, StoreError> {
        let consumer = self.stored_consumer().await?;
        Ok(consumer.map_or_else(unknown_key, |_| unknown_token()))
    }

    fn open(&self, name: &str, sealed: &[u8]) -> Result<Secret, Refusal> {
        let closed = || {
            Refusal::Unavailable(format!(
                "what is sealed for {name} does not open by the sealing keys"
            ))
        };
        let keys = self.app.sealing.as_ref().ok_or_else(closed)?;
        let opened = keys.open(name, sealed).map_err(|_| closed())?;
        let text = std::str::from_utf8(&opened).map_err(|_| closed())?;
        Ok(Secret::new(text))
    }

    fn used(&self, consumer: &Consumer) {
        let id = consumer.application.id.into();
        self.app.usage.note(self.app, Used::Application, id);
    }
}

fn opened(stored: StoredRequestToken, secret: Secret) -> RequestToken {
    RequestToken {
        application_id: stored.application_id,
        secret,
        callback: stored.callback,
        user_id: stored.user_id,
        grant_id: stored.grant_id,
        verifier_hash: stored.verifier_hash,
        scopes: stored.scopes,
        created_at: stored.created_at,
        expires_at: stored.expires_at,
        decided_at: stored.decided_at,
        used_at: stored.used_at,
    }
}

fn unknown_key() -> Problem {
    let advice = "No application has this consumer key, or it is disabled or not allowed OAuth 1.0a; the key is the \
                  application's client_id";
    Problem::new(Kind::ConsumerKeyUnknown, advice)
}

fn unknown_token() -> Problem {
    let advice = "The token is unknown, gone, of another kind, or another application's; send the user through authorization again";
    Problem::new(Kind::TokenRejected, advice)
}
