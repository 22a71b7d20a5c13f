//! What I have authorized.

use askama::Template;

use super::sample::{NOW, Sample, Say, administrator, ago};
use super::{Chrome, ScopeLine, When};

/// `GET /oauth/authorized_applications`.
#[derive(Clone, Debug, Template)]
#[template(path = "authorized.html")]
pub struct Authorized {
    pub chrome: Chrome,
    pub rows: Vec<AuthorizedRow>,
    /// Where this page is not the first.
    pub first_href: Option<String>,
    pub next_href: Option<String>,
}

#[derive(Clone, Debug)]
pub struct AuthorizedRow {
    /// The application's id, for `POST /oauth/authorized_applications/:id/delete`.
    pub id: String,
    pub application: String,
    pub scopes: Vec<ScopeLine>,
    pub since: When,
    pub last_used: Option<When>,
    /// An administrator has disabled it.
    pub disabled: bool,
}

impl Sample for Authorized {
    fn sample_in(say: Say<'_>) -> Self {
        let row = |id: &str, application: &str, days: i64, last_used: Option<i64>| AuthorizedRow {
            id: say(id),
            application: say(application),
            scopes: vec![
                ScopeLine::new(say("read"), say("Read your memos")),
                ScopeLine::new(say("write"), say("Write and delete memos in your name")),
            ],
            since: When::new(ago(days * 86_400), *NOW),
            last_used: last_used.map(|seconds| When::new(ago(seconds), *NOW)),
            disabled: last_used.is_none(),
        };
        Self {
            chrome: administrator(say).with_notice(say("Calendar Sync can no longer use your account.")),
            rows: vec![
                row("0192f0c1-5a3e", "Memo Bot", 200, Some(180)),
                row("0192f0c1-5a3f", "Memo Bot for the terminal", 2, None),
            ],
            first_href: Some(say("/oauth/authorized_applications")),
            next_href: Some(say(
                "/oauth/authorized_applications?after=1700000000.0192f0c1-5a3f",
            )),
        }
    }
}
