//! The certificate of the client: of the connection, or by the word of a trusted proxy in front (RFC 9440).
//!
//! Both are found among the request's extensions, as the listener put them there and as [`settle`] leaves them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue};

use crate::flow::App;
use crate::model::certificate::PresentedCertificate;
use crate::protocol::client_auth::ClientCertificate;
use crate::protocol::client_certificate::{self, Sent};

/// A trusted proxy sent something that is no certificate.
#[derive(Clone, Copy, Debug)]
struct Unreadable;

/// Where a proxy that is trusted ends TLS, its word takes the place of the connection's own certificate, which is
/// the proxy's. The peer is who is connected: what else a header says of where a request is from decides nothing
/// here, and the header of anybody else is passed over.
pub(in crate::http) fn settle(app: &App, request: &mut Request) {
    let Some(name) = app.config.client_certificate_header.as_deref() else {
        return;
    };
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_trusted = peer.is_some_and(|ConnectInfo(peer)| {
        let networks = &app.config.trusted_proxies;
        networks.iter().any(|network| network.contains(peer.ip()))
    });
    if !is_trusted {
        return;
    }
    let said = client_certificate::read(Sent {
        certificate: &values(request.headers(), name),
        chain: &values(request.headers(), "client-cert-chain"),
    });
    let extensions = request.extensions_mut();
    extensions.remove::<PresentedCertificate>();
    match said {
        Ok(None) => {}
        Ok(Some(certificate)) => drop(extensions.insert(certificate)),
        Err(client_certificate::Unreadable) => drop(extensions.insert(Unreadable)),
    }
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a [u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes).collect()
}

impl<S: Sync> FromRequestParts<S> for ClientCertificate {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(of(&parts.extensions))
    }
}

fn of(extensions: &Extensions) -> ClientCertificate {
    if extensions.get::<Unreadable>().is_some() {
        return ClientCertificate::Unreadable;
    }
    extensions
        .get::<PresentedCertificate>()
        .map_or(ClientCertificate::Absent, |certificate| {
            ClientCertificate::Presented(Arc::new(certificate.clone()))
        })
}
