//! Why a deed was not done.

use std::fmt;

use crate::base::password::Busy;
use crate::protocol::error::OAuthError;
use crate::store::StoreError;

/// What an endpoint that speaks OAuth answers instead of what was asked.
#[derive(Debug)]
pub enum Refusal {
    /// The client's doing: an RFC's error.
    OAuth(OAuthError),
    /// Ours: the store is out of reach or we have too much to do. 503, never an OAuth error, since a
    /// client that is told `invalid_grant` throws its tokens away.
    Unavailable(String),
    /// The application changed since it was authenticated; to be done over with what it is now.
    Stale,
    /// Too many failures from there, or too much that waits. 429.
    TooMany { retry_after: i64 },
}

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<Busy> for Refusal {
    fn from(_: Busy) -> Self {
        Self::Unavailable("too many passwords are being checked at once".into())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OAuth(error) => error.fmt(f),
            Self::Unavailable(cause) => f.write_str(cause),
            Self::Stale => f.write_str("the application is being changed"),
            Self::TooMany { retry_after } => {
                write!(
                    f,
                    "too many requests or failures, to be tried again in {retry_after} s"
                )
            }
        }
    }
}

impl std::error::Error for Refusal {}
