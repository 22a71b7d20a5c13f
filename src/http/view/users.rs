//! The administration of users, `/users`.

use askama::Template;

use crate::base::secret::Secret;

use super::account::SessionRow;
use super::authorized::AuthorizedRow;
use super::sample::{NOW, Sample, Say, administrator, ago};
use super::{Chrome, FieldErrors, ScopeLine, When, counted};

/// `GET /users`.
#[derive(Clone, Debug, Template)]
#[template(path = "users/list.html")]
pub struct UsersList {
    pub chrome: Chrome,
    pub rows: Vec<UserRow>,
    /// What was searched for; empty for all.
    pub query: String,
    /// How many match, on all pages.
    pub total: u64,
    pub previous_href: Option<String>,
    pub next_href: Option<String>,
}

#[derive(Clone, Debug)]
pub struct UserRow {
    pub id: String,
    pub username: String,
    pub email: Option<String>,
    pub admin: bool,
    pub disabled: bool,
    pub created: When,
    pub signed_in: Option<When>,
}

impl UsersList {
    fn count(&self) -> String {
        counted(self.total, "user", "users")
    }
}

/// `GET /users/new`, and the answer to a wrong `POST /users`.
#[derive(Clone, Debug, Template)]
#[template(path = "users/form.html")]
pub struct UserForm {
    pub chrome: Chrome,
    pub username: String,
    pub email: String,
    pub admin: bool,
    /// Of `username`, `email`, `password`.
    pub errors: FieldErrors,
}

/// `GET /users/:id`.
#[derive(Clone, Debug, Template)]
#[template(path = "users/show.html")]
pub struct UserShow {
    pub chrome: Chrome,
    pub id: String,
    pub username: String,
    pub email: Option<String>,
    pub admin: bool,
    pub disabled: bool,
    /// Whether it is who looks at it.
    pub is_self: bool,
    pub created: When,
    pub signed_in: Option<When>,
    /// Generated just now: shown on this page and never again.
    pub new_password: Option<Secret>,
    pub sessions: Vec<SessionRow>,
    pub applications: Vec<AuthorizedRow>,
    /// Id and name of what the user owns.
    pub owned: Vec<(String, String)>,
    /// One a line, as stored or as typed.
    pub groups: String,
    /// Of `groups`.
    pub errors: FieldErrors,
}

/// `GET /users/:id/disable` and `GET /users/:id/delete`: asks before it is done.
#[derive(Clone, Debug, Template)]
#[template(path = "users/confirm.html")]
pub struct UserConfirm {
    pub chrome: Chrome,
    pub id: String,
    pub username: String,
    /// As the button says it.
    pub verb: &'static str,
    /// As the address says it.
    pub deed: &'static str,
    /// What comes of it.
    pub sentence: &'static str,
    /// Whether it is who looks at it.
    pub is_self: bool,
}

impl Sample for UsersList {
    fn sample_in(say: Say<'_>) -> Self {
        let row = |username: &str, email: Option<&str>, admin, disabled, signed_in: Option<i64>| UserRow {
            id: say("0192f0c1-5a3e-7cc2-8f6e-2f9f0a4f5d11"),
            username: say(username),
            email: email.map(say),
            admin,
            disabled,
            created: When::new(ago(200 * 86_400), *NOW),
            signed_in: signed_in.map(|seconds| When::new(ago(seconds), *NOW)),
        };
        Self {
            chrome: administrator(say),
            rows: vec![
                row("hanako", Some("hanako@example.com"), true, false, Some(180)),
                row("ichiro", None, false, false, None),
                row("jiro", Some("jiro@example.com"), false, true, Some(86_400)),
            ],
            query: say("example"),
            total: 1_003,
            previous_href: Some(say("/users?page=1")),
            next_href: Some(say("/users?page=3")),
        }
    }
}

impl Sample for UserForm {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: administrator(say),
            username: say("ichiro san"),
            email: say("ichiro@example.com"),
            admin: true,
            errors: FieldErrors::new()
                .with("username", say("A username has no spaces."))
                .with("password", say("This password is too short.")),
        }
    }
}

impl Sample for UserShow {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: administrator(say).with_notice(say("ichiro is an administrator.")),
            id: say("0192f0c1-5a3e"),
            username: say("ichiro"),
            email: Some(say("ichiro@example.com")),
            admin: true,
            disabled: false,
            is_self: false,
            created: When::new(ago(200 * 86_400), *NOW),
            signed_in: Some(When::new(ago(180), *NOW)),
            new_password: Some(Secret::new(say("k3tz9-qfhw2-mvx7c-pr4yd-n8sgb"))),
            sessions: vec![SessionRow {
                started: When::new(ago(7_300), *NOW),
                last_seen: When::new(ago(5), *NOW),
                current: false,
                agent: say("Firefox on Linux"),
            }],
            applications: vec![AuthorizedRow {
                id: say("0192f0c1-5a3f"),
                application: say("Memo Bot"),
                scopes: vec![ScopeLine::new(say("read"), say("Read your memos"))],
                since: When::new(ago(86_400), *NOW),
                last_used: None,
                disabled: true,
            }],
            owned: vec![(say("0192f0c1-5a3d"), say("Importer"))],
            groups: say("staff\nof the house"),
            errors: FieldErrors::new().with(
                "groups",
                say("`of the house` is no group. A group has 1 to 64 letters, digits, dots, underscores and dashes, and no spaces."),
            ),
        }
    }
}

impl Sample for UserConfirm {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: administrator(say),
            id: say("0192f0c1-5a3e"),
            username: say("ichiro"),
            verb: "Disable",
            deed: "disable",
            sentence: "Every session ends at once, and with it every token that applications hold for the user.",
            is_self: true,
        }
    }
}
