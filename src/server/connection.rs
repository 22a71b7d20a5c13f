//! One connection: the handshake where there is TLS, then its requests, and the time each phase may take.

mod http1;
mod http2;
mod watch;

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::ConnectInfo;
use axum::http::Extensions;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::server::TlsStream;

use super::listen::Shared;
use super::tls::{Acceptor, HTTP2};
use crate::model::certificate::PresentedCertificate;
use watch::{Deadline, Watch};

/// Serves until the client closes the connection, a phase of it takes too long, its place is needed
/// while it is idle, or the server stops.
pub(super) async fn serve(
    stream: TcpStream,
    address: SocketAddr,
    acceptor: Option<&Acceptor>,
    shared: &Arc<Shared>,
) {
    // answers are written whole; without it they wait for the client's acknowledgements
    let _ = stream.set_nodelay(true);
    let watch = Watch::new(&shared.limits);
    match acceptor {
        None => http1::serve(stream, &watch, &Client::at(address), shared).await,
        // on the heap, so that a connection without TLS has no room for it
        Some(acceptor) => Box::pin(serve_tls(stream, address, acceptor, &watch, shared)).await,
    }
}

async fn serve_tls(
    stream: TcpStream,
    address: SocketAddr,
    acceptor: &Acceptor,
    watch: &Watch,
    shared: &Arc<Shared>,
) {
    let Some(stream) = shake_hands(stream, acceptor, watch, shared).await else {
        return;
    };
    let (_, session) = stream.get_ref();
    let client = Client {
        address,
        certificate: session.peer_certificates().and_then(presented),
    };
    if session.alpn_protocol() == Some(HTTP2) {
        http2::serve(stream, watch.deadline(), client, shared).await;
    } else {
        http1::serve(stream, watch, &client, shared).await;
    }
}

/// The handshake, which has the time of a first request's header, and gives its place away as if nothing had
/// come yet: what came so far is nobody's request.
async fn shake_hands(
    stream: TcpStream,
    acceptor: &Acceptor,
    watch: &Watch,
    shared: &Shared,
) -> Option<TlsStream<TcpStream>> {
    tokio::select! {
        biased;
        accepted = acceptor.accept(stream) => accepted,
        () = watch.overdue() => None,
        () = async { shared.stop.requested().await; sleep(shared.limits.linger).await } => None,
        () = watch.wanted_while_idle(&shared.make_room) => None,
    }
}

/// Who is at the other end.
#[derive(Clone, Debug)]
struct Client {
    address: SocketAddr,
    certificate: Option<Arc<PresentedCertificate>>,
}

impl Client {
    fn at(address: SocketAddr) -> Self {
        Self {
            address,
            certificate: None,
        }
    }

    /// Names the client to the handlers of a request.
    fn introduce(&self, extensions: &mut Extensions) {
        extensions.insert(ConnectInfo(self.address));
        if let Some(certificate) = &self.certificate {
            extensions.insert(PresentedCertificate::clone(certificate));
        }
    }
}

fn presented(chain: &[rustls_pki_types::CertificateDer<'_>]) -> Option<Arc<PresentedCertificate>> {
    let (leaf, rest) = chain.split_first()?;
    Some(Arc::new(PresentedCertificate {
        leaf: leaf.to_vec(),
        chain: rest.iter().map(|certificate| certificate.to_vec()).collect(),
    }))
}

/// The body of an answer. hyper drops it when it has taken all of it, and what is under way ends with it.
struct Answer<U> {
    body: axum::body::Body,
    _underway: U,
}

impl<U: Unpin> Body for Answer<U> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        pin!(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
