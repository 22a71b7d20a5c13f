//! Who wants something done, and from where.

use std::net::{IpAddr, Ipv4Addr};

use super::ids::{ApplicationId, UserId};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Actor {
    User(UserId),
    Application(ApplicationId),
    /// Whoever runs commands on the machine.
    Operator,
    /// The server by itself.
    System,
    /// Somebody who has proven nothing.
    Anonymous,
}

/// Who acts, and the request in which they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub actor: Actor,
    /// The application whose token a user's program acts by.
    pub through: Option<ApplicationId>,
    /// Absent where there is no request.
    pub address: Option<IpAddr>,
    /// Names the request in the log of the server.
    pub request_id: Option<String>,
}

impl Caller {
    pub const OPERATOR: Self = Self::without_request(Actor::Operator);
    pub const SYSTEM: Self = Self::without_request(Actor::System);

    const fn without_request(actor: Actor) -> Self {
        Self {
            actor,
            through: None,
            address: None,
            request_id: None,
        }
    }

    /// Whoever sends a request, before anything is proven.
    pub fn anonymous(address: IpAddr, request_id: String) -> Self {
        Self {
            address: Some(address),
            request_id: Some(request_id),
            ..Self::without_request(Actor::Anonymous)
        }
    }

    /// The same request, now that it is known whose it is.
    #[must_use]
    pub fn as_user(&self, user: UserId) -> Self {
        Self {
            actor: Actor::User(user),
            ..self.clone()
        }
    }

    /// The same request, now that the client is authenticated.
    #[must_use]
    pub fn as_application(&self, application: ApplicationId) -> Self {
        Self {
            actor: Actor::Application(application),
            ..self.clone()
        }
    }

    /// A program that acts in a user's name by a token of `application`.
    #[must_use]
    pub fn through(self, application: ApplicationId) -> Self {
        Self {
            through: Some(application),
            ..self
        }
    }

    /// What failures are counted by. All commands come from one place, this machine.
    pub fn host(&self) -> IpAddr {
        self.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}
