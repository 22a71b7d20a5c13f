//! The page of an error: what went wrong, who can mend it, which request it was.

use askama::Template;

use super::sample::{Sample, Say, anonymous};
use super::{Chrome, Link};

/// An error a person meets.
#[derive(Clone, Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub chrome: Chrome,
    /// The HTTP status.
    pub status: u16,
    pub title: String,
    /// What went wrong, in plain words.
    pub sentence: String,
    /// Who can mend it and how; may be empty.
    pub who: String,
    pub request_id: String,
    pub back: Option<Link>,
    /// For administrators only: it tells what is registered.
    pub mismatch: Option<Mismatch>,
    pub code: Option<ErrorCode>,
}

/// A redirect URI that is not a registered one.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// As it was sent.
    pub sent: String,
    pub registered: Vec<String>,
    pub application: String,
    /// Where the redirect URIs are edited.
    pub edit_href: String,
    /// What else the application's requests were refused for.
    pub failures_href: String,
}

/// The error in the words of RFC 6749 §4.1.2.1.
#[derive(Clone, Debug)]
pub struct ErrorCode {
    pub error: String,
    pub description: String,
}

impl Sample for ErrorPage {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            status: 400,
            title: say("This link does not lead back to the application"),
            sentence: say(
                "The application asked to send you to an address that is not registered for it, so nothing was authorized.",
            ),
            who: say("Whoever runs the application can mend this; you cannot."),
            request_id: say("0192f0c1-5a3e-7cc2-8f6e-2f9f0a4f5d11"),
            back: Some(Link {
                href: say("/"),
                label: say("Go back"),
            }),
            mismatch: Some(Mismatch {
                sent: say("https://memo.example/callback/"),
                registered: vec![
                    say("https://memo.example/callback"),
                    say("http://localhost:8080/callback"),
                ],
                application: say("Memo Bot"),
                edit_href: say("/oauth/applications/0192f0c1-5a3e/edit"),
                failures_href: say("/oauth/applications/0192f0c1-5a3e/failed_requests"),
            }),
            code: Some(ErrorCode {
                error: say("invalid_request"),
                description: say("redirect_uri is not registered"),
            }),
        }
    }
}
