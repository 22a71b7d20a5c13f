//! What can go wrong below: for everybody above it is one thing, *the store did not do it*.

use std::fmt;

pub type Result<T> = std::result::Result<T, StoreError>;

/// The store could not be reached, was busy, or refused. Never a client's fault: it is answered with
/// 503 and `Retry-After`, and heals by itself.
#[derive(Debug)]
pub struct StoreError {
    kind: Kind,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Connection,
    Other,
}

impl StoreError {
    /// A fault with a cause of our own finding, in words for an operator.
    pub fn refused(message: impl Into<String>) -> Self {
        Self {
            kind: Kind::Other,
            message: message.into(),
        }
    }

    /// Whether the connection it came over is not to be trusted any more.
    pub(super) fn is_connection(&self) -> bool {
        self.kind == Kind::Connection
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let kind = if breaks_connection(&error) {
            Kind::Connection
        } else {
            Kind::Other
        };
        Self {
            kind,
            message: error.to_string(),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError;
        Self::refused(match error {
            MigrateError::VersionMissing(version) => format!(
                "the database has migration {version}, which this version of Tegata does not know: \
                 it was used by a newer Tegata; start that one, or restore a backup"
            ),
            MigrateError::VersionMismatch(version) => format!(
                "migration {version} in the database differs from ours: the database was migrated by a \
                 modified Tegata"
            ),
            other => other.to_string(),
        })
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}

/// I/O and protocol errors, and the SQLSTATEs of a server that stops, starts, or has become a
/// read-only standby (25006).
fn breaks_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            true
        }
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.starts_with("08") || code.starts_with("57P") || code == "25006"),
        _ => false,
    }
}
