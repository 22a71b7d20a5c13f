//! The one door through which chance comes in.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rand::rngs::{StdRng, SysRng};
use rand::{Rng, SeedableRng, TryRng};
use time::OffsetDateTime;
use uuid::Uuid;

/// A source of random bytes, cryptographically strong unless seeded by a test.
#[derive(Clone, Default)]
pub enum Entropy {
    /// The operating system's generator.
    #[default]
    System,
    /// Repeatable bytes for tests and sandboxes. Clones share the stream.
    Seeded(Arc<Mutex<StdRng>>),
}

impl Entropy {
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    /// Fills `buffer` with random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: going on would mint guessable tokens.
    pub fn fill(&self, buffer: &mut [u8]) {
        match self {
            #[expect(clippy::expect_used, reason = "without randomness nothing safe can be done")]
            Self::System => SysRng
                .try_fill_bytes(buffer)
                .expect("the operating system gives random bytes"),
            Self::Seeded(rng) => rng
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .fill_bytes(buffer),
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A UUIDv7: ids sort by the time they were made at, and within a second by the order in which this
    /// process made them.
    pub fn id(&self, now: OffsetDateTime) -> Uuid {
        self.id_at((now, None))
    }

    /// The same for a moment that a [`Clock`](super::clock::Clock) gave: where that knows the microsecond, ids
    /// also sort by it.
    pub fn id_at(&self, (now, micros): (OffsetDateTime, Option<u32>)) -> Uuid {
        let second = u64::try_from(now.unix_timestamp()).unwrap_or(0);
        let place = micros.map_or_else(next_place, |micros| (u64::from(micros) << 12) / 1000);
        let millis = second.saturating_mul(1000) + (place >> 12);
        let mut random = self.bytes::<10>();
        random[0] = u8::try_from((place >> 8) & 0xf).unwrap_or(0);
        random[1] = u8::try_from(place & 0xff).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

/// Where in its second the next id stands: the milliseconds and the 12 bits after them. Counted on from
/// second to second, so that a clock that steps back changes nothing; once in four million ids it starts over.
fn next_place() -> u64 {
    static MADE: AtomicU64 = AtomicU64::new(0);
    MADE.fetch_add(1, Ordering::Relaxed) % (1000 << 12)
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats() {
        assert_eq!(Entropy::seeded(7).bytes::<32>(), Entropy::seeded(7).bytes::<32>());
        assert_ne!(Entropy::System.bytes::<32>(), Entropy::System.bytes::<32>());
    }

    #[test]
    fn ids_are_version_seven_and_sort_by_time() {
        let early = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let late = OffsetDateTime::from_unix_timestamp(1_700_000_001).unwrap();
        let ids = (Entropy::System.id(early), Entropy::System.id(late));
        assert_eq!(ids.0.get_version_num(), 7);
        assert!(ids.0 < ids.1);
    }

    #[test]
    fn ids_of_one_second_sort_by_the_microsecond_where_it_is_known() {
        let second = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let id = |micros| Entropy::System.id_at((second, Some(micros)));
        let ids = [0, 1, 999, 1_000, 1_001, 500_000, 999_999].map(id);
        assert!(ids.is_sorted_by(|earlier, later| earlier < later), "{ids:?}");
        let next = OffsetDateTime::from_unix_timestamp(1_700_000_001).unwrap();
        assert!(ids[6] < Entropy::System.id_at((next, Some(0))));
    }

    #[test]
    fn ids_of_one_second_sort_as_they_were_made_whatever_other_clocks_say() {
        let (here, elsewhere) = (1_700_000_000, 1_600_000_000);
        let at = |second| Entropy::System.id(OffsetDateTime::from_unix_timestamp(second).unwrap());
        let mut last = at(here);
        for _ in 0..100 {
            at(elsewhere);
            let next = at(here);
            assert!(last < next);
            last = next;
        }
    }
}
