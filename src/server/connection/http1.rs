//! HTTP/1.1 (RFC 9112): one request after the other.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use axum::http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;
use tower::ServiceExt;

use super::watch::{Deadline, Watch};
use super::{Answer, Client};
use crate::server::listen::Shared;

const SMALLEST_BUFFER: usize = 8192;

pub(super) async fn serve<S>(stream: S, watch: &Watch, client: &Client, shared: &Shared)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let io = TokioIo::new(Watched {
        stream,
        watch: watch.clone(),
    });
    let service = service_fn(|request| answer(request, client, shared, watch));
    let mut connection = pin!(
        http1::Builder::new()
            .header_read_timeout(None)
            .max_buf_size(shared.limits.head_size.max(SMALLEST_BUFFER))
            .serve_connection(io, service)
    );
    let mut overdue = pin!(watch.overdue());

    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = overdue.as_mut() => return,
        () = shared.stop.requested() => {}
        () = watch.wanted_while_idle(&shared.make_room) => return,
    }
    // answers say `Connection: close` from now on; an idle client gets a moment to hear it
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = overdue.as_mut() => return,
        () = shared.stop.forced() => return,
        () = sleep(shared.limits.linger) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = overdue => {}
        () = shared.stop.forced() => {}
    }
}

async fn answer(
    mut request: Request<Incoming>,
    client: &Client,
    shared: &Shared,
    watch: &Watch,
) -> Result<Response<Answer<Underway>>, Infallible> {
    let underway = Underway::begin(watch);
    client.introduce(request.extensions_mut());
    let mut response = shared.router.clone().oneshot(request).await?;
    if shared.stop.is_requested() {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Answer {
        body,
        _underway: underway,
    }))
}

/// A request from its header to the end of its answer, however that comes.
struct Underway(Watch);

impl Underway {
    fn begin(watch: &Watch) -> Self {
        watch.request_began();
        Self(watch.clone())
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.answer_ended();
    }
}

/// A stream that tells its watch when bytes come.
struct Watched<S> {
    stream: S,
    watch: Watch,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.watch.bytes_came();
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
