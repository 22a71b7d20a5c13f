//! What keeps a fault of Postgres short: answers are not waited for without an end, and connections from
//! before a fault are not trusted blindly.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::error::Elapsed;
use tokio::time::timeout;

use super::error::{Result, StoreError};

/// How long a request waits for Postgres to answer a statement before it is answered with 503.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// The same for housekeeping, which nobody waits for.
const UNHURRIED_TIMEOUT: Duration = Duration::from_secs(10);
/// After a fault, connections opened before it are tried out before use for this long.
const SUSPICION: Duration = Duration::from_mins(1);
/// After a request was given up in the midst of a statement, connections that come back are tried out for
/// this long.
const DOUBT: Duration = Duration::from_secs(10);

/// When Postgres last failed us, so that connections from before are not trusted blindly.
#[derive(Debug)]
pub struct Faults {
    started: Instant,
    /// Milliseconds since `started`, plus one; 0 = never.
    last: AtomicU64,
    /// The same of a statement whose answer nobody waited for any more.
    abandoned: AtomicU64,
}

/// An answer that is being waited for.
struct Wait<'f> {
    faults: &'f Faults,
    over: bool,
}

/// The client hung up. Whether the statement would have been answered is not known, and its connection goes
/// back to the pool.
impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.faults
                .abandoned
                .store(self.faults.elapsed() + 1, Ordering::Relaxed);
        }
    }
}

impl Faults {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            last: AtomicU64::new(0),
            abandoned: AtomicU64::new(0),
        }
    }

    fn note<T>(&self, result: sqlx::Result<T>) -> Result<T> {
        result.map_err(|error| {
            let error = StoreError::from(error);
            if error.is_connection() {
                self.last.store(self.elapsed() + 1, Ordering::Relaxed);
            }
            error
        })
    }

    /// How a statement is waited for, unless it is [`Statement::unhurried`].
    pub(super) fn patient(&self) -> Patience<'_> {
        Patience {
            faults: self,
            timeout: ANSWER_TIMEOUT,
        }
    }

    /// What `work` gives, or a fault of the connection when it takes longer than `most`. That, or that it was
    /// given up, is noted before `work` is dropped, so that the pool looks at the connection that it gets back.
    async fn within<T>(&self, most: Duration, work: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
        let mut work = pin!(work);
        let mut wait = Wait {
            faults: self,
            over: false,
        };
        let result = timeout(most, work.as_mut()).await;
        wait.over = true;
        self.note(result.map_err(silent).flatten())
    }

    /// Whether a connection that comes back to the pool may have an answer outstanding that never comes.
    pub(super) fn doubts_returned(&self, connection_age: Duration) -> bool {
        let abandoned = self.abandoned.load(Ordering::Relaxed);
        let lately =
            abandoned != 0 && Duration::from_millis(self.elapsed().saturating_sub(abandoned - 1)) < DOUBT;
        lately || self.suspects(connection_age)
    }

    pub(super) fn suspects(&self, connection_age: Duration) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        if last == 0 {
            return false;
        }
        let since = Duration::from_millis(self.elapsed().saturating_sub(last - 1));
        since < SUSPICION && connection_age >= since
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX - 1)
    }
}

/// How long an answer of Postgres is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience<'f> {
    faults: &'f Faults,
    timeout: Duration,
}

impl Patience<'_> {
    pub(super) fn is_unhurried(&mut self) {
        self.timeout = UNHURRIED_TIMEOUT;
    }

    /// What `work` gives, or a fault of the connection when it takes too long.
    pub(super) async fn wait<T>(self, work: impl Future<Output = sqlx::Result<T>>) -> Result<T> {
        self.faults.within(self.timeout, work).await
    }
}

pub(super) fn silent(_: Elapsed) -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(
        io::ErrorKind::TimedOut,
        "the database does not answer",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_fault_older_connections_are_suspect_and_newer_ones_are_not() {
        let faults = Faults::new();
        assert!(!faults.suspects(Duration::from_hours(1)));
        let failed: Result<()> = faults.note(Err(sqlx::Error::Io(io::ErrorKind::BrokenPipe.into())));
        assert!(failed.unwrap_err().is_connection());
        assert!(faults.suspects(Duration::from_hours(1)));
        assert!(!Faults::new().suspects(Duration::ZERO));
    }

    #[test]
    fn a_fault_of_a_statement_says_nothing_of_the_connection() {
        let faults = Faults::new();
        assert!(faults.note::<()>(Err(sqlx::Error::RowNotFound)).is_err());
        assert!(!faults.suspects(Duration::from_hours(1)));
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_is_a_fault_of_the_connection() {
        let faults = Faults::new();
        let impatient = Patience {
            faults: &faults,
            timeout: Duration::ZERO,
        };
        let never = std::future::pending::<sqlx::Result<()>>();
        assert!(impatient.wait(never).await.unwrap_err().is_connection());
        assert!(faults.suspects(Duration::from_hours(1)));
        assert_eq!(faults.patient().wait(async { Ok(1) }).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn an_answer_that_is_not_waited_for_has_the_connection_tried_out_when_it_comes_back() {
        let faults = Faults::new();
        assert_eq!(faults.patient().wait(async { Ok(1) }).await.unwrap(), 1);
        assert!(!faults.doubts_returned(Duration::ZERO));
        let never = faults.patient().wait(std::future::pending::<sqlx::Result<()>>());
        assert!(timeout(Duration::ZERO, never).await.is_err());
        assert!(faults.doubts_returned(Duration::ZERO));
        assert!(
            !faults.suspects(Duration::from_hours(1)),
            "a hasty client is no fault of the store"
        );
    }
}
