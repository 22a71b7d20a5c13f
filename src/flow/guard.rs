//! Slows down who fails too often, and who asks for too much without saying who they are.
//!
//! Guesses at passwords are counted in the store (a restart must not forget them, and nodes share them);
//! guesses at client secrets of 256 bits only cost us time, so they are counted here, in bounded memory, as are
//! the authorization requests of people who have not signed in.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::error::Refusal;

/// Failures of one client from one network.
const FAILURES: Rate = Rate {
    burst: 100,
    interval: Duration::from_millis(500),
};
/// Authorization requests that are kept for people of one network who have not signed in: each is a row. A whole
/// office may come at nine o'clock.
const ANONYMOUS: Rate = Rate {
    burst: 600,
    interval: Duration::from_millis(100),
};
/// Most keys remembered by each of the three.
const MOST: usize = 16_384;

/// So many at once, then one every interval.
#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: u32,
    interval: Duration,
}

/// What is counted in this process.
#[derive(Debug)]
pub struct Guard {
    enabled: bool,
    started: Instant,
    failures: Buckets<(String, IpAddr)>,
    signatures: Buckets<(String, IpAddr)>,
    anonymous: Buckets<IpAddr>,
}

impl Guard {
    pub(super) fn new(enabled: bool) -> Self {
        Self {
            enabled,
            started: Instant::now(),
            failures: Buckets::new(FAILURES),
            signatures: Buckets::new(FAILURES),
            anonymous: Buckets::new(ANONYMOUS),
        }
    }

    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    pub(super) fn check_client(&self, client_id: &str, address: IpAddr) -> Result<(), Refusal> {
        if !self.enabled {
            return Ok(());
        }
        self.failures
            .check(&key(client_id, address), self.started.elapsed())
    }

    pub(super) fn count_client_failure(&self, client_id: &str, address: IpAddr) {
        if self.enabled {
            self.failures
                .count(key(client_id, address), self.started.elapsed());
        }
    }

    /// Counts a wrong signature of OAuth 1.0a. Anybody can send one in the name of any consumer, so it counts against
    /// further wrong ones alone: neither against a right one, nor against the client's way in by OAuth 2.0.
    pub(super) fn admit_wrong_signature(&self, consumer_key: &str, address: IpAddr) -> Result<(), Refusal> {
        if !self.enabled {
            return Ok(());
        }
        let (key, now) = (key(consumer_key, address), self.started.elapsed());
        self.signatures.check(&key, now)?;
        self.signatures.count(key, now);
        Ok(())
    }

    /// Counts an authorization request that is to be kept for somebody who has not signed in.
    pub(super) fn admit_anonymous(&self, address: IpAddr) -> Result<(), Refusal> {
        if !self.enabled {
            return Ok(());
        }
        let (key, now) = (network(address), self.started.elapsed());
        self.anonymous.check(&key, now)?;
        self.anonymous.count(key, now);
        Ok(())
    }
}

/// Leaky buckets, bounded in number.
#[derive(Debug)]
struct Buckets<K> {
    rate: Rate,
    /// When the bucket is empty again, since the start.
    empty_at: Mutex<HashMap<K, Duration>>,
}

impl<K: Eq + Hash> Buckets<K> {
    fn new(rate: Rate) -> Self {
        Self {
            rate,
            empty_at: Mutex::default(),
        }
    }

    fn check(&self, key: &K, now: Duration) -> Result<(), Refusal> {
        let kept = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(empty_at) = kept.get(key).copied() else {
            return Ok(());
        };
        let over = empty_at
            .saturating_sub(now)
            .saturating_sub(self.rate.interval * (self.rate.burst - 1));
        if over.is_zero() {
            return Ok(());
        }
        Err(Refusal::TooMany {
            retry_after: i64::try_from(over.as_secs()).unwrap_or(0) + 1,
        })
    }

    fn count(&self, key: K, now: Duration) {
        let mut kept = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.retain(|_, empty_at| *empty_at > now);
        }
        if kept.len() >= MOST {
            kept.clear();
        }
        let empty_at = kept.entry(key).or_default();
        *empty_at = (*empty_at).max(now) + self.rate.interval;
    }
}

fn key(client_id: &str, address: IpAddr) -> (String, IpAddr) {
    (client_id.chars().take(128).collect(), network(address))
}

/// The network that an address is counted under: one host has a whole IPv6 /64 to itself.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
            || {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            },
            IpAddr::V4,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn failures_are_counted_by_client_and_address() {
        let guard = Guard::new(true);
        for _ in 0..FAILURES.burst + 5 {
            guard.count_client_failure("a", address("192.0.2.1"));
        }
        assert!(guard.check_client("a", address("192.0.2.1")).is_err());
        assert!(guard.check_client("a", address("192.0.2.2")).is_ok());
        assert!(guard.check_client("b", address("192.0.2.1")).is_ok());
    }

    #[test]
    fn switched_off_it_refuses_nobody() {
        let guard = Guard::new(false);
        for _ in 0..1000 {
            guard.count_client_failure("a", address("192.0.2.1"));
        }
        assert!(guard.check_client("a", address("192.0.2.1")).is_ok());
    }

    #[test]
    fn wrong_signatures_are_counted_apart_from_wrong_secrets() {
        let guard = Guard::new(true);
        let guess = || guard.admit_wrong_signature("a", address("192.0.2.1"));
        assert!((0..FAILURES.burst).all(|_| guess().is_ok()));
        assert!((0..5).any(|_| guess().is_err()));
        assert!(guard.check_client("a", address("192.0.2.1")).is_ok());
        assert!(guard.admit_wrong_signature("a", address("192.0.2.2")).is_ok());
    }

    #[test]
    fn people_who_have_not_signed_in_are_counted_by_network() {
        let guard = Guard::new(true);
        let flood = || guard.admit_anonymous(address("2001:db8::1"));
        assert!((0..ANONYMOUS.burst).all(|_| flood().is_ok()));
        assert!((0..50).any(|_| flood().is_err()));
        assert!(guard.admit_anonymous(address("2001:db8:0:1::1")).is_ok());
    }

    #[test]
    fn memory_is_bounded() {
        let guard = Guard::new(true);
        for n in 0..(MOST + 10) {
            guard.count_client_failure(&n.to_string(), address("192.0.2.1"));
        }
        assert!(guard.failures.empty_at.lock().unwrap().len() <= MOST);
    }

    #[test]
    fn a_host_is_its_64_bit_network() {
        assert_eq!(
            network(address("2001:db8::1")),
            network(address("2001:db8::ffff:1"))
        );
        assert_ne!(
            network(address("2001:db8::1")),
            network(address("2001:db8:0:1::1"))
        );
        assert_eq!(network(address("::ffff:192.0.2.1")), address("192.0.2.1"));
    }
}
