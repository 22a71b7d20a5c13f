//! The one door through which time comes in.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use time::OffsetDateTime;

/// Tells the time in whole seconds, UTC. The databases keep whole seconds only (SQLite compares
/// times as text), so nothing in Tegata knows a finer one.
#[derive(Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that moves only when told to. Clones share the time.
    Manual(ManualClock),
}

impl Clock {
    pub fn now(&self) -> OffsetDateTime {
        match self {
            #[expect(clippy::disallowed_methods, reason = "this is the door")]
            Self::System => whole(OffsetDateTime::now_utc().unix_timestamp()),
            Self::Manual(manual) => manual.now(),
        }
    }

    /// The time, and how many microseconds of its second have passed, where the clock knows: to order what
    /// happens within a second, whichever process does it.
    pub fn moment(&self) -> (OffsetDateTime, Option<u32>) {
        match self {
            Self::System => {
                #[expect(clippy::disallowed_methods, reason = "this is the door")]
                let now = OffsetDateTime::now_utc();
                (whole(now.unix_timestamp()), Some(now.microsecond()))
            }
            Self::Manual(manual) => (manual.now(), None),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "Clock::System",
            Self::Manual(_) => "Clock::Manual",
        })
    }
}

/// The time of a [`Clock::Manual`], shared by every clone.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at `unix` seconds.
    pub fn at(unix: i64) -> Self {
        Self(Arc::new(AtomicI64::new(unix)))
    }

    pub fn now(&self) -> OffsetDateTime {
        whole(self.0.load(Ordering::SeqCst))
    }

    /// Moves the clock by `seconds`, backwards when negative.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

fn whole(unix: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_for_every_clone() {
        let manual = ManualClock::at(1_700_000_000);
        let clock = Clock::Manual(manual.clone());
        manual.advance(61);
        assert_eq!(clock.now().unix_timestamp(), 1_700_000_061);
    }

    #[test]
    fn the_system_clock_has_whole_seconds() {
        assert_eq!(Clock::System.now().nanosecond(), 0);
    }
}
