//! Slows down who fails too often. Only failures count; success is never refused.
//!
//! Guesses at passwords are counted in the store (a restart must not forget them, and nodes share them);
//! guesses at client secrets of 256 bits only cost us time, so they are counted here, in bounded memory.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::Refusal;

/// So many failures of one client from one address at once, then one every [`INTERVAL`].
const BURST: u32 = 100;
const INTERVAL: Duration = Duration::from_millis(500);
/// Most pairs of client and address remembered.
const MOST: usize = 16_384;

/// The failures counted in this process.
#[derive(Debug)]
pub struct Guard {
    enabled: bool,
    started: Instant,
    /// By client and network: when the bucket is empty again, since `started`.
    failures: Mutex<HashMap<(String, IpAddr), Duration>>,
}

impl Guard {
    pub(super) fn new(enabled: bool) -> Self {
        Self {
            enabled,
            started: Instant::now(),
            failures: Mutex::default(),
        }
    }

    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<(String, IpAddr), Duration>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn check_client(&self, client_id: &str, address: IpAddr) -> Result<(), Refusal> {
        if !self.enabled {
            return Ok(());
        }
        let key = key(client_id, address);
        let Some(full_until) = self.failures().get(&key).copied() else {
            return Ok(());
        };
        let over = full_until
            .saturating_sub(self.started.elapsed())
            .saturating_sub(INTERVAL * (BURST - 1));
        if over.is_zero() {
            return Ok(());
        }
        Err(Refusal::TooMany {
            retry_after: i64::try_from(over.as_secs()).unwrap_or(0) + 1,
        })
    }

    pub(super) fn count_client_failure(&self, client_id: &str, address: IpAddr) {
        if !self.enabled {
            return;
        }
        let now = self.started.elapsed();
        let mut failures = self.failures();
        if failures.len() >= MOST {
            failures.retain(|_, full_until| *full_until > now);
        }
        if failures.len() >= MOST {
            failures.clear();
        }
        let full_until = failures.entry(key(client_id, address)).or_default();
        *full_until = (*full_until).max(now) + INTERVAL;
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
        for _ in 0..BURST + 5 {
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
    fn memory_is_bounded() {
        let guard = Guard::new(true);
        for n in 0..(MOST + 10) {
            guard.count_client_failure(&n.to_string(), address("192.0.2.1"));
        }
        assert!(guard.failures().len() <= MOST);
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
