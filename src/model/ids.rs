//! Ids: UUIDv7, one type a noun, so that a grant's id cannot be passed for a user's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
        #[sqlx(transparent)]
        pub struct $name(Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// A user. On the wire it is `sub` (RFC 7662 §2.2): never given to another user, even when the name is.
    UserId
);
id!(
    /// An application inside Tegata; on the wire it is known by its `client_id`.
    ApplicationId
);
id!(
    /// One of an application's secrets.
    SecretId
);
id!(
    /// The family root of a code and its tokens.
    GrantId
);
id!(
    /// A kind of refused request; a hash of what makes it one.
    FailedRequestId
);
id!(
    /// An entry of the audit log; made of its time, so that their order is that of time.
    AuditEventId
);
id!(
    /// A memo.
    MemoId
);
