//! The one door through which time comes in.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

/// Tells the time in whole seconds, UTC. The databases keep whole seconds only (SQLite compares
/// times as text), so nothing in Tegata knows a finer one.
#[derive(Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// One that is led: in tests and sandboxes. Clones share the time.
    Steered(SteeredClock),
}

impl Clock {
    pub fn now(&self) -> OffsetDateTime {
        match self {
            Self::System => whole(machine()),
            Self::Steered(steered) => steered.now(),
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
            Self::Steered(steered) => (steered.now(), None),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "Clock::System",
            Self::Steered(_) => "Clock::Steered",
        })
    }
}

/// The time of a [`Clock::Steered`], shared by every clone: it runs until it is frozen, and can be set and
/// moved whether it runs or stands.
#[derive(Clone, Debug, Default)]
pub struct SteeredClock(Arc<Mutex<Steering>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steering {
    /// So many seconds ahead of the machine.
    Runs(i64),
    /// At this time, in unix seconds.
    Stands(i64),
}

impl Default for Steering {
    fn default() -> Self {
        Self::Runs(0)
    }
}

/// In unix seconds: what is counted from the time, a year or a hundred on, is still a date that both stores
/// can hold.
const LATEST: i64 = 7_258_118_400;

impl SteeredClock {
    /// Stands at `unix` seconds, and moves only when told to.
    pub fn at(unix: i64) -> Self {
        Self(Arc::new(Mutex::new(Steering::Stands(unix))))
    }

    pub fn now(&self) -> OffsetDateTime {
        whole(self.steering().now())
    }

    pub fn is_frozen(&self) -> bool {
        matches!(*self.steering(), Steering::Stands(_))
    }

    pub fn freeze(&self) {
        let mut steering = self.steering();
        *steering = Steering::Stands(steering.now());
    }

    /// Lets it run on from where it stands.
    pub fn resume(&self) {
        let mut steering = self.steering();
        *steering = Steering::Runs(steering.now() - machine());
    }

    /// Sets it to `unix` seconds, between 1970 and 2200: it runs on from there, or stands there.
    pub fn set(&self, unix: i64) {
        let mut steering = self.steering();
        *steering = steering.at(unix);
    }

    /// Moves it by `seconds`, backwards when negative, as far as [`Self::set`] would.
    pub fn advance(&self, seconds: i64) {
        let mut steering = self.steering();
        *steering = steering.at(steering.now().saturating_add(seconds));
    }

    fn steering(&self) -> MutexGuard<'_, Steering> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Steering {
    fn now(self) -> i64 {
        match self {
            Self::Runs(ahead) => machine().saturating_add(ahead),
            Self::Stands(unix) => unix,
        }
    }

    fn at(self, unix: i64) -> Self {
        let unix = unix.clamp(0, LATEST);
        match self {
            Self::Runs(_) => Self::Runs(unix - machine()),
            Self::Stands(_) => Self::Stands(unix),
        }
    }
}

/// In unix seconds.
fn machine() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    let now = OffsetDateTime::now_utc();
    now.unix_timestamp()
}

fn whole(unix: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steered_clock_stands_moves_and_runs_on() {
        let steered = SteeredClock::at(1_700_000_000);
        let clock = Clock::Steered(steered.clone());
        steered.advance(61);
        assert_eq!(clock.now().unix_timestamp(), 1_700_000_061);
        steered.resume();
        steered.freeze();
        steered.set(1_700_000_000);
        assert!(steered.is_frozen());
        steered.advance(-1);
        assert_eq!(clock.now().unix_timestamp(), 1_699_999_999);
        steered.advance(i64::MAX);
        assert_eq!(clock.now().unix_timestamp(), LATEST);
        steered.set(1_700_000_000);
        steered.resume();
        assert!(!steered.is_frozen());
        assert!((1_700_000_000..1_700_000_060).contains(&clock.now().unix_timestamp()));
        steered.advance(365 * 86_400);
        assert!(clock.now().unix_timestamp() >= 1_731_536_000);
    }

    #[test]
    fn the_system_clock_has_whole_seconds() {
        assert_eq!(Clock::System.now().nanosecond(), 0);
    }
}
