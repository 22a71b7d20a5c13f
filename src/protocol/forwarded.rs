//! Where a request comes from by the word of the proxies in front: `Forwarded` (RFC 7239), and
//! `X-Forwarded-For` that was before it.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::base::address::Network;

/// Most hops of a chain that are looked at.
const MOST_HOPS: usize = 20;

/// The values of the headers of one request, in the order sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forwarding<'a> {
    pub forwarded: &'a [&'a [u8]],
    pub x_forwarded_for: &'a [&'a [u8]],
}

/// The peer, unless it is a trusted proxy: then the last address of the chain that is none. A chain that
/// cannot be read is not believed at all.
pub fn client(peer: IpAddr, said: Forwarding<'_>, trusted: &[Network]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return peer;
    }
    // Most proxies write one of the two headers and hand the client's own other one on: where both are
    // there and disagree, neither is believed.
    let chain = match (said.forwarded, said.x_forwarded_for) {
        (sent, []) => forwarded(sent),
        ([], sent) => x_forwarded_for(sent),
        (sent, other) => forwarded(sent).filter(|chain| x_forwarded_for(other).as_ref() == Some(chain)),
    };
    chain
        .into_iter()
        .flatten()
        .rfind(|hop| !is_trusted(*hop))
        .unwrap_or(peer)
}

fn x_forwarded_for(values: &[&[u8]]) -> Option<Vec<IpAddr>> {
    hops(values, |value| Some(value.split(',').collect()), address)
}

/// `for=192.0.2.1;proto=https, for="[2001:db8::1]:4711"`.
fn forwarded(values: &[&[u8]]) -> Option<Vec<IpAddr>> {
    hops(values, |value| outside_quotes(value, ','), named_for)
}

fn hops<'a>(
    values: &[&'a [u8]],
    split: fn(&'a str) -> Option<Vec<&'a str>>,
    read: fn(&str) -> Option<IpAddr>,
) -> Option<Vec<IpAddr>> {
    let mut hops = Vec::new();
    for value in values {
        let text = std::str::from_utf8(value).ok().filter(|text| text.is_ascii())?;
        for element in split(text)? {
            if hops.len() == MOST_HOPS {
                return None;
            }
            hops.push(read(element.trim())?);
        }
    }
    Some(hops)
}

/// The one `for` of an element (RFC 7239 §4).
fn named_for(element: &str) -> Option<IpAddr> {
    let mut named = None;
    for pair in outside_quotes(element, ';')? {
        if pair.trim().is_empty() {
            continue;
        }
        let (name, value) = pair.split_once('=')?;
        let value = unquoted(value.trim())?;
        if name.trim().eq_ignore_ascii_case("for") && named.replace(address(value)?).is_some() {
            return None;
        }
    }
    named
}

/// The pieces between the separators that stand outside quoted strings (RFC 7230 §3.2.6); `None` where a
/// quote stays open. A proxy may quote what the client chose, such as a host: nothing in there is a hop.
pub(super) fn outside_quotes(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut quoted, mut escaped) = (false, false);
    let pieces = text
        .split(|character| {
            if escaped {
                escaped = false;
            } else if quoted && character == '\\' {
                escaped = true;
            } else if character == '"' {
                quoted = !quoted;
            }
            character == separator && !quoted
        })
        .collect();
    (!quoted).then_some(pieces)
}

/// Without the quotes around it; `None` where they stand anywhere else.
pub(super) fn unquoted(value: &str) -> Option<&str> {
    let Some(rest) = value.strip_prefix('"') else {
        return (!value.contains('"')).then_some(value);
    };
    let inner = rest.strip_suffix('"')?;
    let mut escaped = false;
    let ends_before = inner.chars().any(|character| {
        let ends = character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    });
    (!ends_before).then_some(inner)
}

/// An address, with a port or without; an IPv6 one in brackets (RFC 7239 §6) or bare.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = || {
        text.strip_prefix('[')?
            .strip_suffix(']')?
            .parse::<Ipv6Addr>()
            .ok()
    };
    text.parse::<IpAddr>()
        .ok()
        .or_else(|| bracketed().map(IpAddr::V6))
        .or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROXY: &str = "10.0.0.1";

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn bytes<'a>(values: &[&'a str]) -> Vec<&'a [u8]> {
        values.iter().map(|value| value.as_bytes()).collect()
    }

    fn seen(peer: &str, forwarded: &[&str], x_forwarded_for: &[&str]) -> IpAddr {
        let said = Forwarding {
            forwarded: &bytes(forwarded),
            x_forwarded_for: &bytes(x_forwarded_for),
        };
        client(ip(peer), said, &["10.0.0.0/8".parse().unwrap()])
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(seen("192.0.2.9", &[], &["203.0.113.7"]), ip("192.0.2.9"));
        assert_eq!(seen("192.0.2.9", &["for=203.0.113.7"], &[]), ip("192.0.2.9"));
    }

    #[test]
    fn a_trusted_proxy_is_believed_as_far_as_it_can_be() {
        assert_eq!(
            seen(PROXY, &[], &["1.1.1.1, 203.0.113.7, 10.0.0.2"]),
            ip("203.0.113.7")
        );
        assert_eq!(
            seen(
                PROXY,
                &["for=1.1.1.1", "FOR=203.0.113.7;by=10.0.0.2, for=10.0.0.2"],
                &[]
            ),
            ip("203.0.113.7")
        );
        assert_eq!(
            seen("::ffff:10.0.0.1", &[], &["::ffff:203.0.113.7"]),
            ip("203.0.113.7")
        );
    }

    #[test]
    fn an_ipv6_address_is_read_with_brackets_and_a_port_or_without() {
        for written in ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80"] {
            assert_eq!(seen(PROXY, &[], &[written]), ip("2001:db8::1"), "{written}");
            let quoted = format!("for=\"{written}\";proto=https");
            assert_eq!(seen(PROXY, &[&quoted], &[]), ip("2001:db8::1"), "{quoted}");
        }
    }

    /// A proxy that hands on the client's `Host` in quotes must not thereby hand on an address.
    #[test]
    fn a_hop_inside_a_quoted_string_is_none() {
        for host in [
            "a, for=198.51.100.9",
            "a;for=198.51.100.9",
            r#"a\", for=198.51.100.9;by=\""#,
        ] {
            let element = format!("for=203.0.113.7;host=\"{host}\"");
            assert_eq!(seen(PROXY, &[&element], &[]), ip("203.0.113.7"), "{element}");
        }
    }

    #[test]
    fn one_element_names_one_address() {
        for element in [
            "for=203.0.113.7;for=198.51.100.9",
            "for=unknown;for=198.51.100.9",
            "by=203.0.113.7",
            "for=198.51.100.9\"",
            "for=\"198.51.100.9",
            "for",
        ] {
            assert_eq!(seen(PROXY, &[element], &[]), ip(PROXY), "{element}");
        }
    }

    #[test]
    fn a_header_of_the_clients_own_beside_the_proxys_is_not_believed() {
        assert_eq!(seen(PROXY, &["for=198.51.100.9"], &["203.0.113.7"]), ip(PROXY));
        assert_eq!(seen(PROXY, &["junk"], &["203.0.113.7"]), ip(PROXY));
        assert_eq!(
            seen(PROXY, &["for=203.0.113.7"], &["203.0.113.7"]),
            ip("203.0.113.7")
        );
    }

    #[test]
    fn junk_from_a_trusted_proxy_leaves_the_peer() {
        for junk in ["a", "203.0.113.7, b", "", "unknown", "203.0.113.7,,"] {
            assert_eq!(seen(PROXY, &[], &[junk]), ip(PROXY), "{junk}");
        }
        assert_eq!(seen(PROXY, &[], &["203.0.113.7"; 21]), ip(PROXY));
        assert_eq!(seen(PROXY, &[], &[&["203.0.113.7"; 21].join(",")]), ip(PROXY));
    }
}
