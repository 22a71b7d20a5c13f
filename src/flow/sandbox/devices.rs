//! Device codes that are decided on without a browser, and polls whose distance does not count.

use time::Duration;

use super::Answer;
use crate::base::secret::{Secret, SecretHash};
use crate::flow::App;
use crate::flow::authorize::Decision;
use crate::flow::device::{self, Decided};
use crate::flow::error::Refusal;
use crate::model::caller::Caller;
use crate::store::devices as rows;

pub use crate::store::devices::Waiting;

/// The device code that waits for a person, as its device presents it.
///
/// # Errors
/// That the store did not do it.
pub async fn waiting(app: &App, device_code: &Secret) -> Result<Option<Waiting>, Refusal> {
    Ok(rows::waiting(&app.db, device_code.hash(), app.now()).await?)
}

/// What the next poll is answered while nobody has decided, however soon it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// `authorization_pending`.
    Fit,
    /// `slow_down`.
    TooFast,
}

/// # Errors
/// That the store did not do it.
pub async fn pace(app: &App, waiting: &Waiting, pace: Pace) -> Result<(), Refusal> {
    let now = app.now();
    let next = match pace {
        Pace::Fit => now,
        Pace::TooFast => now + Duration::SECOND,
    };
    Ok(rows::expect_poll(&app.db, waiting.user_code_hash, next).await?)
}

/// Decides as `answer` says, for the code under `user_code`. Of its scopes those are kept that are asked; where
/// none is, it is denied. `None`: there is no such code that waits.
///
/// # Errors
/// That the store did not do it.
pub async fn decide(app: &App, user_code: SecretHash, answer: &Answer) -> Result<Option<Decided>, Refusal> {
    let confirmation = Secret::generate(&app.entropy, "");
    let now = app.now();
    let user = &answer.user;
    let claimed = rows::claim(&app.db, user_code, user.id, confirmation.hash(), now).await?;
    let Some(request) = claimed else {
        return Ok(None);
    };
    let mut decision = answer.decision;
    if let Some(wanted) = &answer.scope {
        let kept = request.scopes.intersection(wanted);
        if kept.is_empty() {
            decision = Decision::Deny;
        } else {
            rows::narrow(&app.db, confirmation.hash(), &kept).await?;
        }
    }
    device::decide(app, &Caller::OPERATOR, &confirmation, user, decision)
        .await
        .map(Some)
}
