//! The answers to an application that has no redirect URI of its own
//! (`urn:ietf:wg:oauth:2.0:oob`).

use askama::Template;

use crate::base::secret::Secret;

use super::Chrome;
use super::sample::{Sample, Say, anonymous};

/// `GET /oauth/authorize/native`: the authorization code, to be copied by hand.
#[derive(Clone, Debug, Template)]
#[template(path = "native_code.html")]
pub struct NativeCode {
    pub chrome: Chrome,
    pub application: String,
    pub code: Secret,
}

/// The error or denial of such a flow.
#[derive(Clone, Debug, Template)]
#[template(path = "native_error.html")]
pub struct NativeError {
    pub chrome: Chrome,
    pub application: String,
    /// Whether it was the person who said no.
    pub denied: bool,
    /// Whether an administrator does not let this user use the application.
    pub not_allowed: bool,
    /// RFC 6749 §4.1.2.1.
    pub error: String,
    /// The error in words, for developers.
    pub description: String,
}

impl Sample for NativeCode {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            application: say("Memo Bot for the terminal"),
            code: Secret::new(say("tgc_q0Yd4mV3s9XbG7hJt2LwZ8nRkP5cE1uFaT6iOyBvMxK")),
        }
    }
}

impl Sample for NativeError {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            application: say("Memo Bot for the terminal"),
            denied: true,
            not_allowed: false,
            error: say("access_denied"),
            description: say("The user denied the request"),
        }
    }
}
