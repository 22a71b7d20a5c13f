//! The page that asks for consent.

use askama::Template;

use super::sample::{NOW, Sample, Say, ago, anonymous};
use super::{Chrome, ScopeLine, When};

/// What the resource owner sees at `GET /oauth/authorize` (RFC 6749 §4.1.1).
#[derive(Clone, Debug, Template)]
#[template(path = "consent.html")]
pub struct Consent {
    pub chrome: Chrome,
    /// The application's name.
    pub application: String,
    /// The user who owns it; `None`: the administrators do.
    pub owner: Option<String>,
    /// Where both answers lead: a host, or the scheme of a native application.
    pub redirect_host: String,
    /// Who is signed in and would authorize.
    pub username: String,
    pub scopes: Vec<ScopeLine>,
    /// Where alone it will be able to (RFC 8707); empty: anywhere.
    pub resources: Vec<String>,
    /// Since when this user has authorized this application.
    pub known_since: Option<When>,
    /// Whether authorizing is remembered.
    pub remembers: bool,
    /// Whether a code is shown in place of a redirect.
    pub native: bool,
    /// Whether it was authorized with nothing ticked, and is asked again.
    pub nothing_ticked: bool,
    /// The handle of the request, kept on the server; `None`: the action says which it is.
    pub authorization: Option<String>,
    /// Where the answer is sent, with what it needs to be found there.
    pub action: String,
    /// Name and value of the field by which whoever signs in as somebody else comes back.
    pub onward: (&'static str, String),
}

impl Consent {
    /// What can only be authorized as a whole.
    fn required(&self) -> Vec<&ScopeLine> {
        self.scopes
            .iter()
            .filter(|scope| scope.ticked.is_none())
            .collect()
    }

    /// What may be unticked, with whether it is ticked.
    fn optional(&self) -> Vec<(&ScopeLine, bool)> {
        self.scopes
            .iter()
            .filter_map(|scope| Some((scope, scope.ticked?)))
            .collect()
    }

    /// Whether a known application asks for scopes it never had.
    fn asks_more(&self) -> bool {
        self.scopes.iter().any(|scope| scope.is_new)
    }
}

impl Sample for Consent {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            application: say("Memo Bot"),
            owner: Some(say("ichiro")),
            redirect_host: say("memo.example"),
            username: say("hanako"),
            scopes: vec![
                ScopeLine::new(say("read"), say("Read your memos")),
                ScopeLine::new(say("write"), say("Write and delete memos in your name")).new_this_time(),
                ScopeLine::new(say("share"), say("Show memos to others")).optional(true),
            ],
            resources: vec![say("https://memo.example/api")],
            known_since: Some(When::new(ago(200 * 86_400), *NOW)),
            remembers: true,
            native: false,
            nothing_ticked: false,
            authorization: Some(say("0192f0c1-5a3e-7cc2-8f6e-2f9f0a4f5d11")),
            action: say("/oauth/authorize"),
            onward: ("continue", say("0192f0c1-5a3e-7cc2-8f6e-2f9f0a4f5d11")),
        }
    }
}
