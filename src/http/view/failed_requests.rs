//! `GET /oauth/applications/:id/failed_requests`: what an application's requests were refused for.

use std::ops::Range;

use askama::Template;

use super::sample::{NOW, Sample, Say, administrator, ago};
use super::{Chrome, When, counted};
use crate::protocol::explanation;

#[derive(Clone, Debug, Template)]
#[template(path = "applications/failed_requests.html")]
pub struct FailedRequests {
    pub chrome: Chrome,
    /// The application's.
    pub id: String,
    pub name: String,
    /// The last seen first.
    pub rows: Vec<FailureRow>,
}

/// Requests that were refused for one reason.
#[derive(Clone, Debug)]
pub struct FailureRow {
    pub id: String,
    /// What was wrong.
    pub wrong: String,
    /// What would be right; may be empty.
    pub right: String,
    pub section: String,
    pub endpoint: String,
    /// The error code; on those of OAuth 2.0 there is a page.
    pub error: String,
    /// The parameter at fault; may be empty.
    pub parameter: String,
    /// What was sent in it.
    pub sent: Option<Pieces>,
    /// What is registered for it now.
    pub registered: Vec<Pieces>,
    /// The parts in which a redirect URI differs from the most similar registered one.
    pub difference: String,
    /// What was sent is registered by now.
    pub mended: bool,
    pub can_be_added: bool,
    pub first_seen: When,
    pub last_seen: When,
    pub count: u64,
    /// Of the last of them.
    pub request_id: String,
}

impl FailureRow {
    fn times(&self) -> String {
        counted(self.count, "time", "times")
    }

    fn is_explained(&self) -> bool {
        explanation::find(&self.error).is_some()
    }
}

/// A text of which some is marked.
#[derive(Clone, Debug)]
pub struct Pieces(pub Vec<Piece>);

#[derive(Clone, Debug)]
pub struct Piece {
    pub text: String,
    pub marked: bool,
}

impl Pieces {
    pub fn plain(text: &str) -> Self {
        Self::marked(text, 0..0)
    }

    /// `range`: bytes, at the ends of characters.
    pub fn marked(text: &str, range: Range<usize>) -> Self {
        let piece = |text: &str, marked| Piece {
            text: text.to_owned(),
            marked,
        };
        let pieces = [
            piece(&text[..range.start], false),
            piece(&text[range.clone()], true),
            piece(&text[range.end..], false),
        ];
        Self(
            pieces
                .into_iter()
                .filter(|piece| !piece.text.is_empty())
                .collect(),
        )
    }
}

impl Sample for FailedRequests {
    fn sample_in(say: Say<'_>) -> Self {
        let marked = |before: &str, marked: &str| {
            let pieces = [(before, false), (marked, true)];
            Pieces(
                pieces
                    .map(|(text, marked)| Piece {
                        text: say(text),
                        marked,
                    })
                    .to_vec(),
            )
        };
        let mismatch = FailureRow {
            id: say("0192f0c1-5a3e-7cc2-8f6e-2f9f0a4f5d11"),
            wrong: say("The redirect URI that was sent is not registered"),
            right: say("Register it, or have the client send one that is."),
            section: say("RFC 9700 §2.1"),
            endpoint: say("/oauth/authorize"),
            error: say("invalid_request"),
            parameter: say("redirect_uri"),
            sent: Some(marked("https://memo.example/callback", "/")),
            registered: vec![
                Pieces::plain(&say("https://memo.example/callback")),
                Pieces::plain(&say("http://localhost:8080/callback")),
            ],
            difference: say("trailing slash"),
            mended: false,
            can_be_added: true,
            first_seen: When::new(ago(9_000), *NOW),
            last_seen: When::new(ago(120), *NOW),
            count: 1_204,
            request_id: say("0192f0c15a3e7cc28f6e2f9f0a4f5d12"),
        };
        let secret = FailureRow {
            id: say("0192f0c1-5a3e-7cc2-8f6e-2f9f0a4f5d13"),
            wrong: say("The client secret is wrong"),
            right: say("Compare it with the one the application was given, or make a new one."),
            section: say("RFC 6749 §2.3.1"),
            endpoint: say("/oauth/token"),
            error: say("invalid_client"),
            parameter: String::new(),
            sent: None,
            registered: Vec::new(),
            difference: String::new(),
            can_be_added: false,
            count: 1,
            ..mismatch.clone()
        };
        let mended = FailureRow {
            mended: true,
            can_be_added: false,
            difference: String::new(),
            ..mismatch.clone()
        };
        Self {
            chrome: administrator(say),
            id: say("0192f0c1-5a3e"),
            name: say("Memo Bot"),
            rows: vec![mismatch, secret, mended],
        }
    }
}
