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

/// The PIN of OAuth 1.0a (RFC 5849 §2.2), to be copied by hand.
#[derive(Clone, Debug, Template)]
#[template(path = "oauth1_pin.html")]
pub struct Pin {
    pub chrome: Chrome,
    pub application: String,
    pub pin: Secret,
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

impl Sample for Pin {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            application: say("Memo Bot for the terminal"),
            pin: Secret::new(say("7q0yd4mv3s9xbg7hjt2zwz8nrk")),
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
