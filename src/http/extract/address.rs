//! Where a request comes from: the peer, or what a trusted proxy says of it (RFC 7239).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap};

use crate::base::address::Network;
use crate::flow::App;

/// Most hops of a forwarding chain that are looked at.
const MOST_HOPS: usize = 20;

/// The client's address, for limits and logs.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct ClientAddress(pub(in crate::http) IpAddr);

impl<S: Sync> FromRequestParts<S> for ClientAddress
where
    App: FromRef<S>,
{
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let app = App::from_ref(state);
        Ok(Self(client_address(
            &parts.extensions,
            &parts.headers,
            &app.config.trusted_proxies,
        )))
    }
}

/// The peer, unless it is a trusted proxy: then the last address of the chain that is none. A chain that
/// cannot be read is not believed at all.
pub(in crate::http) fn client_address(
    extensions: &Extensions,
    headers: &HeaderMap,
    trusted: &[Network],
) -> IpAddr {
    let peer = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| {
            peer.ip().to_canonical()
        });
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return peer;
    }
    // Most proxies write one of the two headers and hand the client's own other one on: where both are
    // there and disagree, neither is believed.
    let chain = match (forwarded_for(headers), x_forwarded_for(headers)) {
        (Some(one), Some(other)) if one != other => None,
        (Some(chain), _) if !headers.contains_key("x-forwarded-for") => Some(chain),
        (_, Some(chain)) if !headers.contains_key("forwarded") => Some(chain),
        (Some(chain), Some(_)) => Some(chain),
        _ => None,
    };
    let Some(chain) = chain else { return peer };
    chain
        .iter()
        .rev()
        .copied()
        .find(|hop| !is_trusted(*hop))
        .unwrap_or(peer)
}

fn x_forwarded_for(headers: &HeaderMap) -> Option<Vec<IpAddr>> {
    let hops = values(headers, "x-forwarded-for")?;
    hops.iter().map(|hop| address(hop)).collect()
}

/// `Forwarded: for=192.0.2.1;proto=https, for="[2001:db8::1]:4711"`.
fn forwarded_for(headers: &HeaderMap) -> Option<Vec<IpAddr>> {
    let elements = values(headers, "forwarded")?;
    elements
        .iter()
        .map(|element| {
            element.split(';').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                name.trim()
                    .eq_ignore_ascii_case("for")
                    .then(|| address(value.trim().trim_matches('"')))?
            })
        })
        .collect()
}

fn values(headers: &HeaderMap, name: &str) -> Option<Vec<String>> {
    let mut all = Vec::new();
    for value in headers.get_all(name) {
        all.extend(value.to_str().ok()?.split(',').map(|part| part.trim().to_owned()));
    }
    (!all.is_empty() && all.len() <= MOST_HOPS).then_some(all)
}

fn address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    text.parse::<SocketAddr>()
        .map(|socket| socket.ip().to_canonical())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn seen(peer: &str, header: (&'static str, &str), trusted: &[&str]) -> IpAddr {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 4711)));
        let mut headers = HeaderMap::new();
        headers.insert(header.0, HeaderValue::from_str(header.1).unwrap());
        let trusted: Vec<Network> = trusted.iter().map(|network| network.parse().unwrap()).collect();
        client_address(&extensions, &headers, &trusted)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_stranger_is_not_believed() {
        assert_eq!(
            seen("192.0.2.9", ("x-forwarded-for", "203.0.113.7"), &["10.0.0.0/8"]),
            ip("192.0.2.9")
        );
    }

    #[test]
    fn a_trusted_proxy_is_believed_as_far_as_it_can_be() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(
            seen(
                "10.0.0.1",
                ("x-forwarded-for", "1.1.1.1, 203.0.113.7, 10.0.0.2"),
                &trusted
            ),
            ip("203.0.113.7")
        );
        assert_eq!(
            seen(
                "10.0.0.1",
                ("forwarded", "for=\"[2001:db8::1]:80\";proto=https"),
                &trusted
            ),
            ip("2001:db8::1")
        );
    }

    #[test]
    fn a_header_of_the_clients_own_beside_the_proxys_is_not_believed() {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(ip("10.0.0.1"), 4711)));
        let mut headers = HeaderMap::new();
        headers.insert("forwarded", HeaderValue::from_static("for=198.51.100.9"));
        headers.insert("x-forwarded-for", HeaderValue::from_static("203.0.113.7"));
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(client_address(&extensions, &headers, &trusted), ip("10.0.0.1"));
    }

    #[test]
    fn junk_from_a_trusted_proxy_leaves_the_peer() {
        for junk in ["a", "203.0.113.7, b", "", "unknown"] {
            assert_eq!(
                seen("10.0.0.1", ("x-forwarded-for", junk), &["10.0.0.0/8"]),
                ip("10.0.0.1"),
                "{junk}"
            );
        }
        let many = vec!["203.0.113.7"; 1000].join(",");
        assert_eq!(
            seen("10.0.0.1", ("x-forwarded-for", &many), &["10.0.0.0/8"]),
            ip("10.0.0.1")
        );
    }
}
