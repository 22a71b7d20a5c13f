//! `/oauth/applications/:id/grants`: what people granted an application, and what came of each grant.

use askama::Template;

use super::sample::{NOW, Sample, Say, administrator, ago};
use super::{Chrome, When, counted};

/// `GET /oauth/applications/:id/grants`.
#[derive(Clone, Debug, Template)]
#[template(path = "applications/grants.html")]
pub struct GrantsList {
    pub chrome: Chrome,
    /// The application's.
    pub id: String,
    pub name: String,
    /// Newest first.
    pub rows: Vec<GrantRow>,
    /// What was searched for; empty for all.
    pub query: String,
    /// How many match, on all pages; `most_counted` for as many or more, and the same of own tokens.
    pub total: u64,
    pub most_counted: u64,
    /// Where this page is not the first.
    pub first_href: Option<String>,
    pub next_href: Option<String>,
    /// Newest first; not all where there are many.
    pub own_tokens: Vec<OwnTokenRow>,
    pub own_tokens_total: u64,
    /// The application is, so that nothing of it works.
    pub disabled: bool,
}

#[derive(Clone, Debug)]
pub struct GrantRow {
    pub id: String,
    pub username: String,
    pub grant_type: &'static str,
    pub scopes: String,
    pub since: When,
    pub last_used: Option<When>,
    pub ends: When,
    pub live_tokens: u64,
}

/// A token that the application has on its own behalf.
#[derive(Clone, Debug)]
pub struct OwnTokenRow {
    pub fingerprint: String,
    pub scopes: String,
    pub created: When,
    pub ends: When,
    /// The first digits of the certificate that it is bound to.
    pub certificate: Option<String>,
}

impl GrantsList {
    fn count(&self) -> String {
        self.or_more(self.total, "live grant", "live grants")
    }

    fn own_count(&self) -> String {
        self.or_more(self.own_tokens_total, "live token", "live tokens")
    }

    fn or_more(&self, count: u64, one: &str, many: &str) -> String {
        let counted = counted(count, one, many);
        if count < self.most_counted {
            return counted;
        }
        format!("{counted} or more")
    }

    fn is_empty(&self) -> bool {
        let all = self.query.is_empty() && self.first_href.is_none();
        all && self.rows.is_empty() && self.own_tokens.is_empty()
    }
}

impl Sample for GrantsList {
    fn sample_in(say: Say<'_>) -> Self {
        let row = |id: &str, username: &str, grant_type, last_used: Option<i64>| GrantRow {
            id: say(id),
            username: say(username),
            grant_type,
            scopes: say("read write"),
            since: When::new(ago(200 * 86_400), *NOW),
            last_used: last_used.map(|seconds| When::new(ago(seconds), *NOW)),
            ends: When::new(ago(-165 * 86_400), *NOW),
            live_tokens: 2,
        };
        Self {
            chrome: administrator(say),
            id: say("0192f0c1-5a3e"),
            name: say("Memo Bot"),
            rows: vec![
                row("0192f0c1-5a3e", "hanako", "authorization_code", Some(180)),
                row("0192f0c1-5a3f", "taro", "device_code", None),
            ],
            query: say("o"),
            total: 10_000,
            most_counted: 10_000,
            first_href: Some(say("/oauth/applications/0192f0c1-5a3e/grants?q=o")),
            next_href: Some(say(
                "/oauth/applications/0192f0c1-5a3e/grants?after=0192f0c1-5a3f",
            )),
            own_tokens: vec![OwnTokenRow {
                fingerprint: say("9f86d081"),
                scopes: say("read"),
                created: When::new(ago(600), *NOW),
                ends: When::new(ago(-3_000), *NOW),
                certificate: Some(say("e3b0c442")),
            }],
            own_tokens_total: 1,
            disabled: true,
        }
    }
}

/// `GET /oauth/applications/:id/grants/revoke`.
#[derive(Clone, Debug, Template)]
#[template(path = "applications/grants_revoke.html")]
pub struct GrantsRevoke {
    pub chrome: Chrome,
    /// The application's.
    pub id: String,
    pub name: String,
    pub users: u64,
    pub live_tokens: u64,
}

impl GrantsRevoke {
    fn loss(&self) -> String {
        format!(
            "{} and {} stop working at once.",
            counted(self.live_tokens, "live access token", "live access tokens"),
            counted(self.users, "user’s grants", "users’ grants"),
        )
    }
}

impl Sample for GrantsRevoke {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: administrator(say),
            id: say("0192f0c1-5a3e"),
            name: say("Memo Bot"),
            users: 1_204,
            live_tokens: 1,
        }
    }
}

/// `GET /oauth/applications/:id/grants/:grant`.
#[derive(Clone, Debug, Template)]
#[template(path = "applications/grant.html")]
pub struct GrantShow {
    pub chrome: Chrome,
    pub application_id: String,
    pub application: String,
    pub id: String,
    pub username: String,
    pub grant_type: &'static str,
    pub scopes: String,
    /// Separated by spaces; may be empty.
    pub resources: String,
    /// `None`: it is live.
    pub why_not: Option<String>,
    pub revocable: bool,
    pub since: When,
    pub last_used: Option<When>,
    pub ends: When,
    pub live_access_tokens: u64,
    pub live_refresh_tokens: u64,
    /// The first digits of the certificate that its tokens are bound to.
    pub certificate: Option<String>,
    /// Newest last.
    pub steps: Vec<Step>,
    pub earlier_href: Option<String>,
    pub later_href: Option<String>,
    /// Which page of the timeline this is, where there are several.
    pub pages: String,
}

/// One thing that happened to a grant.
#[derive(Clone, Debug)]
pub struct Step {
    pub at: When,
    pub what: String,
    /// May be empty.
    pub detail: String,
}

impl GrantShow {
    fn loss(&self) -> String {
        if self.why_not.is_none() {
            return format!("{} stop working at once.", self.tokens());
        }
        "It is without effect for now. Revoked, it stays so.".to_owned()
    }

    fn tokens(&self) -> String {
        format!(
            "{}, {}",
            counted(self.live_access_tokens, "live access token", "live access tokens"),
            counted(
                self.live_refresh_tokens,
                "live refresh token",
                "live refresh tokens"
            ),
        )
    }
}

impl Sample for GrantShow {
    fn sample_in(say: Say<'_>) -> Self {
        let step = |seconds, what: &str, detail: &str| Step {
            at: When::new(ago(seconds), *NOW),
            what: say(what),
            detail: say(detail),
        };
        Self {
            chrome: administrator(say),
            application_id: say("0192f0c1-5a3e"),
            application: say("Memo Bot"),
            id: say("0192f0c1-5a3f"),
            username: say("hanako"),
            grant_type: "authorization_code",
            scopes: say("read write"),
            resources: say("https://api.example/"),
            why_not: Some(say("The application is disabled.")),
            revocable: true,
            since: When::new(ago(9_000), *NOW),
            last_used: Some(When::new(ago(120), *NOW)),
            ends: When::new(ago(-300 * 86_400), *NOW),
            live_access_tokens: 1,
            live_refresh_tokens: 1,
            certificate: Some(say("e3b0c442")),
            steps: vec![
                step(9_000, "hanako authorized the application", "Granted: read write."),
                step(8_990, "Authorization code redeemed", ""),
                step(120, "Access renewed", "Refresh token 9f86d081 replaced 2c26b46b."),
            ],
            earlier_href: Some(say(
                "/oauth/applications/0192f0c1-5a3e/grants/0192f0c1-5a3f?page=1",
            )),
            later_href: Some(say(
                "/oauth/applications/0192f0c1-5a3e/grants/0192f0c1-5a3f?page=3",
            )),
            pages: say("Page 2 of 200"),
        }
    }
}
