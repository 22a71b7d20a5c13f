//! One's own account.

use askama::Template;

use super::sample::{NOW, Sample, Say, administrator, ago};
use super::{Chrome, FieldErrors, When};

/// `GET /account`, and its answer to a wrong `POST /account/password`.
#[derive(Clone, Debug, Template)]
#[template(path = "account.html")]
pub struct Account {
    pub chrome: Chrome,
    pub username: String,
    pub email: Option<String>,
    /// Of `current_password`, `password`, `password_confirmation`.
    pub errors: FieldErrors,
    pub sessions: Vec<SessionRow>,
}

#[derive(Clone, Debug)]
pub struct SessionRow {
    pub started: When,
    pub last_seen: When,
    /// Whether it is the session that asks.
    pub current: bool,
    /// The browser, in words.
    pub agent: String,
}

impl Sample for Account {
    fn sample_in(say: Say<'_>) -> Self {
        let session = |agent: &str, started: i64, last_seen: i64, current| SessionRow {
            started: When::new(ago(started), *NOW),
            last_seen: When::new(ago(last_seen), *NOW),
            current,
            agent: say(agent),
        };
        Self {
            chrome: administrator(say),
            username: say("hanako"),
            email: Some(say("hanako@example.com")),
            errors: FieldErrors::new().with("current_password", say("This is not your current password.")),
            sessions: vec![
                session("Firefox on Linux", 7_300, 5, true),
                session("Safari on iPhone", 9 * 86_400, 90_000, false),
            ],
        }
    }
}
