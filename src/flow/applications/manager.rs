//! Who manages which applications.

use crate::flow::App;
use crate::model::application::Application;
use crate::model::ids::UserId;
use crate::model::user::User;

/// Who registers, changes and deletes applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Manages every application, and may set everything.
    Administrator,
    /// Manages what is theirs, within what the server's settings allow.
    Owner(UserId),
}

impl Manager {
    /// `None`: the user manages no application.
    pub fn of(app: &App, user: &User) -> Option<Self> {
        Self::acting_for(app, user.id, user.admin)
    }

    /// The same for a token that acts for a user.
    pub fn acting_for(app: &App, user: UserId, admin: bool) -> Option<Self> {
        if admin {
            return Some(Self::Administrator);
        }
        app.config.user_applications.then_some(Self::Owner(user))
    }

    pub fn is_administrator(self) -> bool {
        self == Self::Administrator
    }

    pub fn manages(self, application: &Application) -> bool {
        match self {
            Self::Administrator => true,
            Self::Owner(user) => application.owner_id == Some(user),
        }
    }

    /// Whose applications; `None`: everybody's.
    pub(super) fn owner(self) -> Option<UserId> {
        match self {
            Self::Administrator => None,
            Self::Owner(user) => Some(user),
        }
    }
}
