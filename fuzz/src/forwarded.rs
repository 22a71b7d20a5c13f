//! Forwarding headers: a client may write into them what it likes, the address that counts is what the
//! trusted proxy appended, or the proxy's own.

use std::net::IpAddr;

use tegata::base::address::Network;
use tegata::protocol::forwarded::{Forwarding, client};

use super::lines;

const REAL: &str = "203.0.113.7";

/// `Forwarded` and `X-Forwarded-For` as a client sends them.
pub fn holds(input: &[u8]) {
    let [forwarded, x_forwarded_for] = lines(input);
    let proxy: IpAddr = [10, 0, 0, 1].into();
    let stranger: IpAddr = [192, 0, 2, 9].into();
    let sent = Forwarding {
        forwarded: &[forwarded],
        x_forwarded_for: &[x_forwarded_for],
    };
    assert_eq!(client(stranger, sent, &trusted()), stranger);
    assert_eq!(client(proxy, Forwarding::default(), &trusted()), proxy);
    for said in [
        sent,
        Forwarding {
            forwarded: &[],
            ..sent
        },
        Forwarding {
            x_forwarded_for: &[],
            ..sent
        },
    ] {
        is_written_there(
            client(proxy, said, &trusted()),
            proxy,
            &[forwarded, x_forwarded_for],
        );
    }
    the_last_word_counts(proxy, forwarded, x_forwarded_for);
    if let Ok(host) = std::str::from_utf8(forwarded) {
        what_is_quoted_is_no_hop(proxy, host);
    }
}

/// An address comes from nowhere but the headers, and is none that is trusted.
fn is_written_there(seen: IpAddr, proxy: IpAddr, headers: &[&[u8]]) {
    if seen == proxy {
        return;
    }
    assert!(!trusted().iter().any(|network| network.contains(seen)));
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':');
    let is_seen = |text: &str| {
        let address = text.parse().ok();
        address.is_some_and(|address: IpAddr| address.to_canonical() == seen)
    };
    let found = headers.iter().any(|header| {
        header.split(|byte| !is_part(byte)).any(|word| {
            let word = std::str::from_utf8(word).unwrap();
            is_seen(word) || word.rsplit_once(':').is_some_and(|(address, _)| is_seen(address))
        })
    });
    assert!(
        found || headers.iter().any(|header| header.contains(&b'%')),
        "{seen}"
    );
}

/// The proxy appends to the client's header, on its line or on one of its own.
fn the_last_word_counts(proxy: IpAddr, forwarded: &[u8], x_forwarded_for: &[u8]) {
    let hop = format!("for={REAL}");
    let one_line = [forwarded, b", ", hop.as_bytes()].concat();
    for written in [&[one_line.as_slice()][..], &[forwarded, hop.as_bytes()]] {
        is_honest(proxy, written, &[]);
    }
    let one_line = [x_forwarded_for, b", ", REAL.as_bytes()].concat();
    for written in [&[one_line.as_slice()][..], &[x_forwarded_for, REAL.as_bytes()]] {
        is_honest(proxy, &[], written);
        is_honest(proxy, &[forwarded], written);
    }
}

fn is_honest(proxy: IpAddr, forwarded: &[&[u8]], x_forwarded_for: &[&[u8]]) {
    let said = Forwarding {
        forwarded,
        x_forwarded_for,
    };
    let seen = client(proxy, said, &trusted());
    assert!(seen == proxy || seen.to_string() == REAL, "{seen}");
}

/// A proxy quotes the host that the client chose (RFC 7239 §5.3).
fn what_is_quoted_is_no_hop(proxy: IpAddr, host: &str) {
    let real: IpAddr = REAL.parse().unwrap();
    let quoted = host.replace('\\', "\\\\").replace('"', "\\\"");
    let element = format!("for={REAL};host=\"{quoted}\";proto=https");
    let said = Forwarding {
        forwarded: &[element.as_bytes()],
        x_forwarded_for: &[],
    };
    let expected = if host.is_ascii() { real } else { proxy };
    assert_eq!(client(proxy, said, &trusted()), expected, "{element}");
}

fn trusted() -> [Network; 2] {
    ["10.0.0.0/8", "fd00::/8"].map(|network| network.parse().unwrap())
}
