//! Where a request comes from: the peer, or what a trusted proxy says of it (RFC 7239).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue};

use crate::base::address::Network;
use crate::flow::App;
use crate::protocol::forwarded::{self, Forwarding};

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

/// See [`forwarded::client`].
pub(in crate::http) fn client_address(
    extensions: &Extensions,
    headers: &HeaderMap,
    trusted: &[Network],
) -> IpAddr {
    let peer = extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip());
    let said = Forwarding {
        forwarded: &values(headers, "forwarded"),
        x_forwarded_for: &values(headers, "x-forwarded-for"),
    };
    forwarded::client(peer, said, trusted)
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a [u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_headers_of_a_trusted_proxy_are_looked_at_and_no_others() {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4711))));
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let seen = |name: &'static str, value: &'static str| {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static(value))]);
            client_address(&extensions, &headers, &trusted).to_string()
        };
        assert_eq!(seen("forwarded", "for=203.0.113.7"), "203.0.113.7");
        assert_eq!(seen("x-forwarded-for", "203.0.113.7"), "203.0.113.7");
        assert_eq!(seen("x-real-ip", "203.0.113.7"), "10.0.0.1");
    }
}
