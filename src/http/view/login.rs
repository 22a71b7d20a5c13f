//! The page to sign in.

use askama::Template;

use super::Chrome;
use super::sample::{Sample, Say, anonymous};

/// `GET /login`, and its answer to a failed `POST`.
#[derive(Clone, Debug, Template)]
#[template(path = "login.html")]
pub struct Login {
    pub chrome: Chrome,
    /// What was typed; the password never comes back.
    pub username: String,
    /// Why the last attempt failed, as a sentence.
    pub error: Option<String>,
    /// The handle of where to go on, sent back as `continue`.
    pub continue_to: Option<String>,
    /// The path of ours where to go on, sent back as `next`.
    pub next: Option<String>,
    /// The name of the application that waits behind.
    pub application: Option<String>,
}

impl Sample for Login {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            username: say("hanako"),
            error: Some(say(
                "This user name and this password do not go together. Check both and try again.",
            )),
            continue_to: Some(say("0192f0c1-5a3e-7cc2-8f6e-2f9f0a4f5d11")),
            next: None,
            application: Some(say("Memo Bot")),
        }
    }
}
