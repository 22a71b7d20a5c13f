//! What an answer consists of, and how it travels (RFC 6749 §3.1.1; OAuth 2.0 Multiple Response Type
//! Encoding Practices §2.1; OAuth 2.0 Form Post Response Mode).

use serde::{Deserialize, Serialize};

use crate::model::grant_type::GrantType;
use crate::model::redirect_uri::RedirectUri;
use crate::protocol::params::Params;

/// `response_type`. There are no combinations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseType {
    /// An authorization code (RFC 6749 §4.1).
    #[default]
    Code,
    /// An access token (RFC 6749 §4.2).
    Token,
}

impl ResponseType {
    pub const ALL: [Self; 2] = [Self::Code, Self::Token];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Token => "token",
        }
    }

    /// The grant that asks for it.
    pub const fn grant(self) -> GrantType {
        match self {
            Self::Code => GrantType::AuthorizationCode,
            Self::Token => GrantType::Implicit,
        }
    }

    /// How it travels where nobody says so.
    pub const fn usual_mode(self) -> ResponseMode {
        match self {
            Self::Code => ResponseMode::Query,
            Self::Token => ResponseMode::Fragment,
        }
    }

    /// A token never goes into a query: servers and proxies write that down, and browsers send it on.
    pub const fn modes(self) -> &'static [ResponseMode] {
        match self {
            Self::Code => &[
                ResponseMode::Query,
                ResponseMode::Fragment,
                ResponseMode::FormPost,
            ],
            Self::Token => &[ResponseMode::Fragment, ResponseMode::FormPost],
        }
    }
}

/// `response_mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    #[default]
    Query,
    Fragment,
    FormPost,
}

impl ResponseMode {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }

    /// The mode in which the request is answered, whatever becomes of it: the one that it asks for, else
    /// the usual one of what it asks for.
    pub(super) fn of(params: &Params, redirect_uri: &str) -> Self {
        let once = |name| params.get(name).filter(|_| !params.repeated(name));
        let kind = once("response_type")
            .and_then(ResponseType::parse)
            .unwrap_or_default();
        let asked = once("response_mode")
            .and_then(|text| kind.modes().iter().copied().find(|mode| mode.as_str() == text));
        asked
            .filter(|mode| *mode != Self::FormPost || RedirectUri::takes_posts(redirect_uri))
            .unwrap_or(kind.usual_mode())
    }
}
