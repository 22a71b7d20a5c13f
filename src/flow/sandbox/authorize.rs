//! An authorization request that is answered at once.

use std::borrow::Cow;

use crate::flow::App;
use crate::flow::authorize::{self as pages, Decision, Next, Viewer};
use crate::flow::error::Refusal;
use crate::model::caller::Caller;
use crate::model::scope::Scopes;
use crate::model::user::User;
use crate::protocol::params::Params;

/// How somebody decides who is shown no page.
#[derive(Clone, Debug)]
pub struct Answer {
    pub user: User,
    pub decision: Decision,
    /// Keeps these of what is asked, whether they are optional or not; where none of them is asked, it denies.
    /// `None`: all that is asked.
    pub scope: Option<Scopes>,
}

impl Answer {
    /// Whether it is what the server might say by itself, of an application that is trusted or was allowed before.
    fn is_plain_yes(&self) -> bool {
        self.decision == Decision::Authorize && self.scope.is_none()
    }

    fn kept(&self, asked: &Scopes) -> Scopes {
        match &self.scope {
            Some(scope) => asked.intersection(scope),
            None => asked.clone(),
        }
    }

    /// What else is not decided by anybody is put to a decision.
    fn put<'a>(&self, params: &'a Params) -> Cow<'a, Params> {
        if self.is_plain_yes() || params.repeated("prompt") {
            return Cow::Borrowed(params);
        }
        let prompt = match params.get("prompt") {
            None | Some("none") => "consent".to_owned(),
            Some(asked) => format!("{asked} consent"),
        };
        Cow::Owned(params.clone().with("prompt", &prompt))
    }
}

/// What comes of a request that `answer` is given to as soon as its page would be shown. Never
/// [`Next::SignIn`] or [`Next::Consent`].
///
/// # Errors
/// That the store did not do it.
pub async fn authorize(app: &App, params: &Params, answer: &Answer) -> Result<Next, Refusal> {
    let user = &answer.user;
    let signed_in = |sign_in| Some(Viewer { user, sign_in });
    let params = answer.put(params);
    let mut next = pages::begin(app, &Caller::OPERATOR, &params, signed_in("before"), false).await?;
    if let Next::SignIn { handle, .. } = next {
        next = pages::resume(app, handle, signed_in("anew")).await?;
    }
    let Next::Consent(consent) = next else {
        return Ok(next);
    };
    let (handle, asked) = (&consent.handle, &consent.request.scopes);
    let kept = answer.kept(asked);
    if kept.is_empty() {
        return pages::decide(app, &Caller::OPERATOR, handle, user, Decision::Deny, &kept).await;
    }
    if kept != *asked {
        pages::let_all_be_unticked(app, handle).await?;
    }
    pages::decide(app, &Caller::OPERATOR, handle, user, answer.decision, &kept).await
}
