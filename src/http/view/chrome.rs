//! What stands around every page.

use crate::base::secret::Secret;
use crate::flow::App;

use super::assets;

const SANDBOX: &str =
    "This is a sandbox for tests: nothing here is real, and everything is gone when it stops.";

/// The frame of a page: who is here, what just happened, where the assets are.
#[derive(Clone, Debug)]
pub struct Chrome {
    /// The issuer's path, which stands before every path of ours: empty, or `/auth`.
    pub base: String,
    /// Goes into every form as `csrf_token`.
    pub csrf: Secret,
    /// The user name of who is signed in.
    pub username: Option<String>,
    /// Whether who is signed in is an administrator.
    pub admin: bool,
    /// Whether who is signed in may manage applications, be it only their own.
    pub manages: bool,
    pub site_name: String,
    pub stylesheet_href: String,
    pub mark_href: String,
    pub favicon_href: String,
    /// Something every visitor should know, above the page.
    pub banner: Option<String>,
    /// What just happened, in a line at the top of the page.
    pub notice: Option<String>,
}

impl Chrome {
    /// The frame for somebody who is not signed in.
    pub fn new(csrf: Secret) -> Self {
        Self {
            base: String::new(),
            csrf,
            username: None,
            admin: false,
            manages: false,
            site_name: "Tegata".to_owned(),
            stylesheet_href: assets::STYLESHEET.href(),
            mark_href: assets::MARK.href(),
            favicon_href: assets::FAVICON.href(),
            banner: None,
            notice: None,
        }
    }

    /// Around a page of `app`.
    #[must_use]
    pub fn of(mut self, app: &App) -> Self {
        self.banner = app.is_sandbox.then(|| SANDBOX.to_owned());
        self.under(app.issuer.path())
    }

    /// The server's own paths begin with `base`.
    #[must_use]
    pub fn under(mut self, base: impl Into<String>) -> Self {
        self.base = base.into();
        self
    }

    /// Somebody is signed in.
    #[must_use]
    pub fn signed_in(mut self, username: impl Into<String>, admin: bool) -> Self {
        self.username = Some(username.into());
        self.admin = admin;
        self.manages = admin;
        self
    }

    /// Who is signed in may manage applications.
    #[must_use]
    pub fn managing(mut self, manages: bool) -> Self {
        self.manages = manages;
        self
    }

    /// Something has just happened.
    #[must_use]
    pub fn with_notice(mut self, notice: impl Into<String>) -> Self {
        self.notice = Some(notice.into());
        self
    }
}

/// A link of ours with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub href: String,
    pub label: String,
}
