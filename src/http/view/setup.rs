//! The pages that make the first administrator.

use askama::Template;

use crate::base::secret::Secret;

use super::sample::{Sample, Say, anonymous};
use super::{Chrome, FieldErrors};

/// `GET /setup` with a good link, and its answer to a wrong `POST`.
#[derive(Clone, Debug, Template)]
#[template(path = "setup.html")]
pub struct Setup {
    pub chrome: Chrome,
    /// The one-time token of the link.
    pub token: Secret,
    pub username: String,
    pub email: String,
    /// Of `username`, `email`, `password`, `password_confirmation`.
    pub errors: FieldErrors,
}

/// The link was used, or was never good.
#[derive(Clone, Debug, Template)]
#[template(path = "setup_gone.html")]
pub struct SetupGone {
    pub chrome: Chrome,
}

impl Sample for Setup {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            token: Secret::new(say("1xY5bD0")),
            username: say("hanako"),
            email: say("hanako@example"),
            errors: FieldErrors::new()
                .with(
                    "email",
                    say("“hanako@example” has no domain: write it as hanako@example.com, or leave it empty."),
                )
                .with("password", say("The password has 7 characters: use at least 12.")),
        }
    }
}

impl Sample for SetupGone {
    fn sample_in(_say: Say<'_>) -> Self {
        Self { chrome: anonymous() }
    }
}
