//! The answer that a form carries to the application (OAuth 2.0 Form Post Response Mode §2).

use askama::Template;

use super::Chrome;
use super::sample::{Sample, Say, anonymous};
use crate::base::secret::Secret;

/// Goes on by itself where scripts run, and by a button where they do not.
#[derive(Clone, Debug, Template)]
#[template(path = "form_post.html")]
pub struct FormPost {
    pub chrome: Chrome,
    pub application: String,
    /// The redirect URI.
    pub action: String,
    /// Its host.
    pub host: String,
    pub fields: Vec<(String, Secret)>,
    /// What the page's policy knows the script by.
    pub nonce: String,
}

impl Sample for FormPost {
    fn sample_in(say: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            application: say("Memo Bot"),
            action: say("https://memo.example/callback"),
            host: say("memo.example"),
            fields: vec![
                (
                    "code".to_owned(),
                    Secret::new(say("tgc_q0Yd4mV3s9XbG7hJt2LwZ8nRkP5cE1uFaT6iOyBvMxK")),
                ),
                ("state".to_owned(), Secret::new(say("af0ifjsldkj"))),
            ],
            nonce: "c2FtcGxl".to_owned(),
        }
    }
}
