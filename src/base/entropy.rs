//! The one door through which chance comes in.

use std::fmt;
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

    /// A UUIDv7: ids sort by the time they were made at.
    pub fn id(&self, now: OffsetDateTime) -> Uuid {
        let millis = u64::try_from(now.unix_timestamp())
            .unwrap_or(0)
            .saturating_mul(1000);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.bytes()).into_uuid()
    }
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
}
