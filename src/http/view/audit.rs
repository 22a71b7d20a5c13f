//! `/audit`: who did what to what.

use askama::Template;

use super::sample::{NOW, Sample, Say, administrator, ago};
use super::{Chrome, FieldErrors, When};

/// `GET /audit`.
#[derive(Clone, Debug, Template)]
#[template(path = "audit.html")]
pub struct AuditLog {
    pub chrome: Chrome,
    /// Newest first.
    pub rows: Vec<AuditRow>,
    pub events: Vec<EventChoice>,
    /// What was searched for, as typed.
    pub user: String,
    pub application: String,
    pub address: String,
    pub since: String,
    pub until: String,
    /// Of the fields of the search.
    pub errors: FieldErrors,
    /// Whether anything was searched for.
    pub searched: bool,
    pub newest_href: Option<String>,
    pub older_href: Option<String>,
    /// The same search, for programs.
    pub export_href: String,
}

/// An event that can be searched for.
#[derive(Clone, Debug)]
pub struct EventChoice {
    pub name: &'static str,
    pub words: &'static str,
    pub chosen: bool,
}

#[derive(Clone, Debug)]
pub struct AuditRow {
    pub at: When,
    /// `2026-01-31`, in UTC.
    pub day: String,
    /// `09:00:00`.
    pub time: String,
    /// What happened, in plain words.
    pub what: String,
    pub failed: bool,
    /// More of it, a sentence each.
    pub details: Vec<String>,
    pub actor: Party,
    /// To whom it was done, where that is not the actor.
    pub user: Option<Party>,
    pub application: Option<Party>,
    pub grant_href: Option<String>,
    /// May be empty.
    pub address: String,
    pub request_id: Option<String>,
}

/// Somebody or something that an event tells of.
#[derive(Clone, Debug)]
pub struct Party {
    pub name: String,
    /// Where everything that is told of them is found.
    pub href: Option<String>,
}

impl AuditLog {
    fn is_bare(&self) -> bool {
        self.rows.is_empty() && !self.searched && self.newest_href.is_none()
    }
}

impl Sample for AuditLog {
    fn sample_in(say: Say<'_>) -> Self {
        let party = |name: &str| Party {
            name: say(name),
            href: Some(say("/audit?user=0192f0c1-5a3e")),
        };
        let row = |seconds, what: &str, actor: Party| AuditRow {
            at: When::new(ago(seconds), *NOW),
            day: say("2027-01-15"),
            time: say("08:00:00"),
            what: what.to_owned(),
            failed: false,
            details: Vec::new(),
            actor,
            user: None,
            application: None,
            grant_href: None,
            address: say("203.0.113.7"),
            request_id: Some(say("0192f0c15a3e7d21a3e5c0ffee000001")),
        };
        Self {
            chrome: administrator(say),
            rows: vec![
                AuditRow {
                    details: vec![say("Changed: name, redirect_uris.")],
                    application: Some(party("Memo Bot")),
                    ..row(60, "Application changed", party("hanako"))
                },
                AuditRow {
                    failed: true,
                    details: vec![say("57 times, the last one 2027-01-15T07:59:00Z.")],
                    user: Some(party("taro")),
                    address: say("2001:db8::/64"),
                    ..row(
                        3_600,
                        "Sign-in failed",
                        Party {
                            name: "Unknown".to_owned(),
                            href: None,
                        },
                    )
                },
                AuditRow {
                    details: vec![say("Scopes: read write.")],
                    user: Some(party("taro")),
                    application: Some(party("Memo Bot")),
                    grant_href: Some(say("/oauth/applications/0192f0c1-5a3e/grants/0192f0c1-5a3f")),
                    ..row(86_400, "Application authorized", party("taro"))
                },
            ],
            events: vec![
                EventChoice {
                    name: "signed_in",
                    words: "Signed in",
                    chosen: false,
                },
                EventChoice {
                    name: "application_changed",
                    words: "Application changed",
                    chosen: true,
                },
            ],
            user: say("hanako"),
            application: say("memo-bot"),
            address: say("somewhere"),
            since: say("7d"),
            until: say("2027-01-15"),
            errors: FieldErrors::new().with("address", say("Enter an address like 192.0.2.7.")),
            searched: true,
            newest_href: Some(say("/audit?event=application_changed")),
            older_href: Some(say("/audit?event=application_changed&before=0192f0c1-5a3e")),
            export_href: say("/audit.jsonl?event=application_changed"),
        }
    }
}
