//! `/oauth/request_token` (RFC 5849 §2.1): what begins an authorization.

use time::Duration;

use super::verify::{self, Refused};
use super::{FreshToken, may_call_back, scopes};
use crate::base::secret::Secret;
use crate::flow::App;
use crate::flow::error::Refusal;
use crate::model::caller::Caller;
use crate::model::failed_request::Endpoint;
use crate::model::oauth1::OUT_OF_BAND;
use crate::model::redirect_uri::RedirectUri;
use crate::protocol::oauth1::problem::Problem;
use crate::protocol::oauth1::request::SignedRequest;
use crate::store::oauth1::request_tokens::{self, NewRequestToken};

/// From the request token to its exchange, signing in included.
const LIFE: Duration = Duration::minutes(15);
/// Live request tokens of one application that nobody has decided: each is a row.
const MOST_UNDECIDED: i64 = 10_000;

/// A request token as its consumer is given it.
#[derive(Debug)]
pub struct Issued {
    pub token: Secret,
    pub secret: Secret,
}

/// The callback is fixed here: nobody can name another in the browser (RFC 5849 §4.9 to §4.13).
///
/// # Errors
/// What is wrong with the request; that the store did not do it, or that too many are undecided.
pub async fn issue(app: &App, caller: &Caller, request: &SignedRequest) -> Result<Issued, Refused> {
    let outcome = issued(app, request).await;
    verify::noting(app, Endpoint::RequestToken, request, caller, outcome).await
}

async fn issued(app: &App, request: &SignedRequest) -> Result<Issued, Refused> {
    let Some(asked) = request.callback() else {
        return Err(Refused::Problem(Problem::absent(&["oauth_callback"])));
    };
    let consumer = verify::consumer(app, request).await?;
    let application = &consumer.application;
    let callback = if asked == RedirectUri::OOB {
        OUT_OF_BAND
    } else {
        asked
    };
    if !may_call_back(&application.settings, callback) {
        return Err(Refused::Problem(Problem::rejected(
            "oauth_callback",
            not_registered(callback),
        )));
    }
    let fresh = FreshToken::generate(app).await.map_err(Refused::Refusal)?;
    let now = app.now();
    let new = NewRequestToken {
        hash: fresh.hash,
        application_id: application.id,
        secret_sealed: &fresh.sealed,
        callback,
        scopes: &scopes(app, &application.settings),
        expires_at: now + LIFE,
    };
    let inserted = request_tokens::insert(&app.db, &new, MOST_UNDECIDED, now).await;
    if !inserted.map_err(|error| Refused::Refusal(error.into()))? {
        tracing::warn!(event = "request_tokens_exhausted", application = %application.id);
        return Err(Refused::Refusal(Refusal::TooMany { retry_after: 60 }));
    }
    Ok(Issued {
        token: fresh.token,
        secret: fresh.secret,
    })
}

fn not_registered(callback: &str) -> &'static str {
    if callback == OUT_OF_BAND {
        "The application has no address to be called back at: register urn:ietf:wg:oauth:2.0:oob among its redirect \
         URIs to have a PIN shown, or send the address"
    } else {
        "oauth_callback is not one of the application's redirect URIs: register it, exactly as it is sent"
    }
}
