//! The pages of the device grant (RFC 8628 §3.3): a code is typed, what asks is told, the person decides.

use askama::Template;

use super::sample::{NOW, Sample, Say, ago, anonymous};
use super::{Chrome, ScopeLine, When};

/// `GET /oauth/device`, and its answer to a code that leads nowhere.
#[derive(Clone, Debug, Template)]
#[template(path = "device.html")]
pub struct Device {
    pub chrome: Chrome,
    /// Who is signed in and would authorize.
    pub username: String,
    /// What stands in the field: what was typed, or came with the address.
    pub user_code: String,
    /// Why the last code led nowhere, as a sentence.
    pub error: Option<String>,
    /// Where to go on after signing in as somebody else.
    pub here: String,
}

/// What the person is asked who typed a code.
#[derive(Clone, Debug, Template)]
#[template(path = "device_confirm.html")]
pub struct DeviceConfirm {
    pub chrome: Chrome,
    pub application: String,
    /// The user who owns it; `None`: the administrators do.
    pub owner: Option<String>,
    pub username: String,
    /// In the spelling that the device shows.
    pub user_code: String,
    pub scopes: Vec<ScopeLine>,
    /// Where it may be used; empty: anywhere.
    pub resources: Vec<String>,
    /// The address of the device.
    pub requested_from: String,
    pub requested: When,
    /// Names this page to the server; sent back with the decision.
    pub confirmation: String,
}

/// The end: the device goes on by itself.
#[derive(Clone, Debug, Template)]
#[template(path = "device_done.html")]
pub struct DeviceDone {
    pub chrome: Chrome,
    pub application: String,
    pub authorized: bool,
}

impl Sample for Device {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            username: say("hanako"),
            user_code: say("WDJB-MJHT"),
            error: Some(say(
                "There is no such code, or it has expired. Compare it with what the device shows.",
            )),
            here: say("/oauth/device?user_code=WDJB-MJHT"),
        }
    }
}

impl Sample for DeviceConfirm {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            application: say("Memo Bot for the television"),
            owner: Some(say("ichiro")),
            username: say("hanako"),
            user_code: say("WDJB-MJHT"),
            scopes: vec![
                ScopeLine::new(say("read"), say("Read your memos")),
                ScopeLine::new(say("write"), say("Write and delete memos in your name")),
            ],
            resources: vec![say("https://memo.example/api")],
            requested_from: say("2001:db8:85a3::8a2e:370:7334"),
            requested: When::new(ago(120), *NOW),
            confirmation: say("q0Yd4mV3s9XbG7hJt2LwZ8nRkP5cE1uFaT6iOyBvMxK"),
        }
    }
}

impl Sample for DeviceDone {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            application: say("Memo Bot for the television"),
            authorized: true,
        }
    }
}
