//! A signed request opens something once (RFC 5849 §3.3): what has come is remembered until its timestamp is too old.
//!
//! Bounded: what is over is swept, and an application has at most [`most`] that live, as far as the last round of
//! housekeeping has seen.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

use crate::base::secret::SecretHash;
use crate::flow::App;
use crate::flow::error::Refusal;
use crate::model::ids::ApplicationId;
use crate::protocol::oauth1::problem::{Kind, Problem};
use crate::protocol::oauth1::request::{Freshness, SignedRequest};
use crate::store::oauth1::nonces as rows;

use super::verify::Refused;

/// Signed requests a second that an application has room for.
const PER_SECOND: i64 = 300;
/// For how few seconds ever it is: bursts are short.
const LEAST: i64 = 100_000;
/// Seconds after which whoever has too many may try again: about a round of housekeeping.
const RETRY_AFTER: i64 = 10;

/// Most live ones of an application, where each lives for `life`.
fn most(life: Duration) -> i64 {
    life.whole_seconds().saturating_mul(PER_SECOND).max(LEAST)
}

/// How long after its timestamp one lives.
fn life(app: &App) -> Duration {
    app.config.oauth1_timestamp_window + app.config.oauth1_clock_skew
}

/// The applications that have too many, of those that this node saw in its last round.
#[derive(Debug, Default)]
pub(in crate::flow) struct Nonces(Mutex<HashSet<ApplicationId>>);

impl Nonces {
    fn is_full(&self, application: ApplicationId) -> bool {
        let full = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        full.contains(&application)
    }

    fn set_full(&self, applications: HashSet<ApplicationId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = applications;
    }
}

/// Records a request that is right in all else.
///
/// # Errors
/// `nonce_used`; too many requests within the window.
pub(super) async fn spend(
    app: &App,
    application: ApplicationId,
    request: &SignedRequest,
) -> Result<(), Refused> {
    let Some(freshness) = request.freshness() else {
        return Ok(());
    };
    if app.nonces.is_full(application) {
        return Err(Refusal::TooMany {
            retry_after: RETRY_AFTER,
        }
        .into());
    }
    if rows::record(
        &app.db,
        hash(request, freshness),
        application,
        expiry(app, freshness),
    )
    .await?
    {
        return Ok(());
    }
    let advice = "The request came before; sign it anew, with another nonce and the time at which it is sent";
    Err(Problem::new(Kind::NonceUsed, advice).into())
}

/// Not before the timestamp is refused, by a clock behind ours too: another node that is so far behind still takes it.
fn expiry(app: &App, freshness: &Freshness) -> OffsetDateTime {
    let at = OffsetDateTime::from_unix_timestamp(freshness.timestamp).unwrap_or_else(|_| app.now());
    at + life(app)
}

/// One for each consumer key, token, timestamp and nonce; lengths before the texts, so that no two of them run together.
fn hash(request: &SignedRequest, freshness: &Freshness) -> SecretHash {
    let parts = [
        request.consumer_key(),
        request.token().unwrap_or_default(),
        &freshness.timestamp.to_string(),
        &freshness.nonce,
    ];
    let joined = parts.map(|part| format!("{}:{part}", part.len())).concat();
    SecretHash::of(&joined)
}

/// Looks which applications have too many. To be called in every round of housekeeping; where it cannot look, those of
/// the round before stay.
pub(in crate::flow) async fn count(app: &App) {
    if !super::enabled(app) {
        return;
    }
    let most = most(life(app));
    let full: HashSet<_> = match rows::full(&app.db, most, app.now()).await {
        Ok(full) => full.into_iter().collect(),
        Err(error) => {
            tracing::warn!(event = "oauth1_nonces_uncounted", %error, "trying again later");
            return;
        }
    };
    for application in &full {
        tracing::warn!(
            event = "oauth1_nonces_full",
            %application,
            most,
            "more signed requests within the timestamp window than are remembered: the application is refused for now"
        );
    }
    app.nonces.set_full(full);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_as_many_as_the_window_is_long() {
        assert_eq!(most(Duration::seconds(2)), 100_000);
        assert_eq!(most(Duration::minutes(6)), 108_000);
        assert_eq!(most(Duration::hours(2)), 2_160_000);
    }
}
