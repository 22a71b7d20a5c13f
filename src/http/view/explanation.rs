//! What an error code means, for the developer of a client.

use askama::Template;

use super::Chrome;
use super::sample::{Sample, Say, anonymous};
use crate::protocol::explanation::{ALL, Explanation};

/// `GET /oauth/errors`.
#[derive(Clone, Debug, Template)]
#[template(path = "explanations.html")]
pub struct Explanations {
    pub chrome: Chrome,
    pub all: &'static [Explanation],
}

/// `GET /oauth/errors/:code`.
#[derive(Clone, Debug, Template)]
#[template(path = "explanation.html")]
pub struct Explained {
    pub chrome: Chrome,
    pub explanation: &'static Explanation,
}

impl Sample for Explanations {
    fn sample_in(_: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            all: ALL,
        }
    }
}

impl Sample for Explained {
    fn sample_in(_: Say<'_>) -> Self {
        Self {
            chrome: anonymous(),
            explanation: &ALL[0],
        }
    }
}
