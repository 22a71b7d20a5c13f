//! Networks of IP addresses, as a list of trusted proxies names them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// One address or one CIDR block (RFC 4632).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

impl Network {
    /// Whether `address` lies in the block. An IPv4 address written as an IPv6 one (`::ffff:a.b.c.d`)
    /// counts as the IPv4 address it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                masked(base.to_bits().into(), 32, self.prefix)
                    == masked(address.to_bits().into(), 32, self.prefix)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                masked(base.to_bits(), 128, self.prefix) == masked(address.to_bits(), 128, self.prefix)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    /// # Errors
    /// Words on what is wrong: no address, a prefix out of range, bits set behind the prefix, or a
    /// block that holds every address there is.
    fn from_str(text: &str) -> Result<Self, String> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let base: IpAddr = address
            .parse()
            .map_err(|_| format!("{address:?} is no IP address"))?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let Some(prefix) = prefix else {
            return Ok(Self {
                base: base.to_canonical(),
                prefix: width_of(base.to_canonical()),
            });
        };
        let prefix: u8 = prefix
            .parse()
            .ok()
            .filter(|bits| *bits <= width)
            .ok_or_else(|| format!("the prefix of {text} is not from 1 to {width}"))?;
        if prefix == 0 {
            return Err(format!("{text} would believe every address there is"));
        }
        let bits = match base {
            IpAddr::V4(base) => u128::from(base.to_bits()),
            IpAddr::V6(base) => base.to_bits(),
        };
        if bits != masked(bits, width, prefix) {
            return Err(format!("{text} has bits set behind its prefix"));
        }
        Ok(Self { base, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

fn width_of(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first `prefix` of `width` bits, the others zero. `prefix` is from 1 to `width`.
fn masked(bits: u128, width: u8, prefix: u8) -> u128 {
    let behind = u32::from(width - prefix);
    bits.checked_shr(behind)
        .and_then(|kept| kept.checked_shl(behind))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(network: &str, address: &str) -> bool {
        network
            .parse::<Network>()
            .unwrap()
            .contains(address.parse().unwrap())
    }

    #[test]
    fn a_block_holds_its_addresses_and_no_other() {
        assert!(holds("10.0.0.0/8", "10.255.0.1"));
        assert!(!holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("2001:db8::/32", "2001:db8:1::1"));
        assert!(!holds("2001:db8::/32", "2001:db9::1"));
        assert!(holds("192.0.2.7", "192.0.2.7"));
        assert!(!holds("192.0.2.7", "192.0.2.6"));
        assert!(!holds("::1", "127.0.0.1"));
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_address_it_is() {
        assert!(holds("192.0.2.0/24", "::ffff:192.0.2.9"));
        assert!(holds("::ffff:192.0.2.9", "192.0.2.9"));
    }

    #[test]
    fn wrong_blocks_are_refused() {
        for text in [
            "",
            "proxy",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.1/8",
            "0.0.0.0/0",
            "::/0",
            "::/129",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text:?}");
        }
    }
}
