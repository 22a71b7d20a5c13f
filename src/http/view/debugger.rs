//! A flow that is walked by hand in a sandbox.

use askama::Template;

use super::Chrome;
use super::sample::{Sample, Say, anonymous};

/// `GET {issuer}/sandbox/debugger`: where a walk begins.
#[derive(Clone, Debug, Template)]
#[template(path = "debugger.html")]
pub struct Debugger {
    pub chrome: Chrome,
    pub issuer: String,
    pub redirect_uri: String,
    pub applications: Vec<Choice>,
    pub scopes: String,
    pub username: String,
    pub password: String,
}

/// An application to walk as.
#[derive(Clone, Debug)]
pub struct Choice {
    pub client_id: String,
    pub client_secret: String,
    pub about: String,
}

/// `GET {issuer}/sandbox/debugger/{walk}`: what was asked and answered so far, and what can be done next.
#[derive(Clone, Debug, Template)]
#[template(path = "debugger_walk.html")]
pub struct DebuggerWalk {
    pub chrome: Chrome,
    pub title: String,
    pub id: String,
    pub steps: Vec<Step>,
    /// What the person does next in the browser, and where.
    pub visit: Option<Visit>,
    pub actions: Vec<Action>,
}

/// One request and its answer, as they were on the wire.
#[derive(Clone, Debug)]
pub struct Step {
    pub title: String,
    /// What it is for, and the section that says so.
    pub about: String,
    pub request: String,
    /// Empty where the browser brought it.
    pub answer: String,
}

/// A page to go to.
#[derive(Clone, Debug)]
pub struct Visit {
    pub href: String,
    pub label: String,
    pub about: String,
}

/// Something that the application may do next.
#[derive(Clone, Debug)]
pub struct Action {
    pub name: String,
    pub label: String,
}

impl Sample for Debugger {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            issuer: say("http://127.0.0.1:3801"),
            redirect_uri: say("http://127.0.0.1:3801/sandbox/debugger/callback"),
            applications: vec![Choice {
                client_id: say("confidential"),
                client_secret: say("confidential-secret-of-the-sandbox"),
                about: say("confidential, with a secret"),
            }],
            scopes: say("read write"),
            username: say("alice"),
            password: say("alice-in-wonderland"),
        }
    }
}

impl Sample for DebuggerWalk {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            title: say("An authorization code flow"),
            id: say("7f3a9c"),
            steps: vec![Step {
                title: say("The code for tokens"),
                about: say("RFC 6749 §4.1.3"),
                request: say(
                    "POST /oauth/token HTTP/1.1\nHost: 127.0.0.1:3801\n\ngrant_type=authorization_code",
                ),
                answer: say(
                    "HTTP/1.1 200 OK\ncontent-type: application/json\n\n{\n  \"token_type\": \"Bearer\"\n}",
                ),
            }],
            visit: Some(Visit {
                href: "/oauth/authorize".to_owned(),
                label: say("Go to the authorization page"),
                about: say("Sign in as alice and decide."),
            }),
            actions: vec![Action {
                name: say("memos"),
                label: say("Call /api/memos"),
            }],
        }
    }
}
