//! One connection: its requests, one after the other, and the time each phase of it may take.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Request, Response, header};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::time::{Instant, sleep, sleep_until};
use tower::ServiceExt;

use super::listen::{Limits, Shared};

const SMALLEST_BUFFER: usize = 8192;

/// Serves until the client closes the connection, a phase of it takes too long, its place is needed
/// while it is idle, or the server stops.
pub(super) async fn serve(stream: TcpStream, peer: SocketAddr, shared: &Shared) {
    // answers are written whole; without it they wait for the client's acknowledgements
    let _ = stream.set_nodelay(true);
    let watch = Watch::new(&shared.limits);
    let io = TokioIo::new(Watched {
        stream,
        watch: watch.clone(),
    });
    let service = service_fn(|request| answer(request, peer, shared, &watch));
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
    peer: SocketAddr,
    shared: &Shared,
    watch: &Watch,
) -> Result<Response<Answer>, Infallible> {
    let underway = Underway::begin(watch);
    request.extensions_mut().insert(ConnectInfo(peer));
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Connected; not a byte came.
    Silent,
    /// The last answer is out; not a byte of the next request came.
    Idle,
    /// A request's header is coming.
    Head,
    /// From the end of the header to the end of the answer.
    Request,
}

/// The phase of a connection and when it ends. Clones watch the same connection.
#[derive(Clone)]
struct Watch(Arc<Watching>);

struct Watching {
    now: Mutex<(Phase, Instant)>,
    head: Duration,
    idle: Duration,
    request: Duration,
}

impl Watch {
    fn new(limits: &Limits) -> Self {
        Self(Arc::new(Watching {
            now: Mutex::new((Phase::Silent, Instant::now() + limits.head)),
            head: limits.head,
            idle: limits.idle,
            request: limits.request,
        }))
    }

    fn now(&self) -> MutexGuard<'_, (Phase, Instant)> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deadline(&self) -> Instant {
        self.now().1
    }

    fn is_idle(&self) -> bool {
        matches!(self.now().0, Phase::Silent | Phase::Idle)
    }

    fn bytes_came(&self) {
        let mut now = self.now();
        match now.0 {
            Phase::Silent => now.0 = Phase::Head,
            Phase::Idle => *now = (Phase::Head, Instant::now() + self.0.head),
            Phase::Head | Phase::Request => {}
        }
    }

    fn request_began(&self) {
        *self.now() = (Phase::Request, Instant::now() + self.0.request);
    }

    fn answer_ended(&self) {
        *self.now() = (Phase::Idle, Instant::now() + self.0.idle);
    }

    /// Returns when a phase took too long. To be polled after the connection: what moves the deadline
    /// happens while that is polled.
    async fn overdue(&self) {
        let mut timer = pin!(sleep_until(self.deadline()));
        poll_fn(|cx| {
            let deadline = self.deadline();
            // a deadline that has moved further away is looked at when the timer fires
            if deadline < timer.deadline() {
                timer.as_mut().reset(deadline);
            }
            loop {
                ready!(timer.as_mut().poll(cx));
                let deadline = self.deadline();
                if deadline <= timer.deadline() {
                    return Poll::Ready(());
                }
                timer.as_mut().reset(deadline);
            }
        })
        .await;
    }

    /// Returns when `make_room` asks for this connection's place. Only an idle connection queues for
    /// that, so that the one idle for the longest is the first to go.
    async fn wanted_while_idle(&self, make_room: &Notify) {
        let mut queued = pin!(None::<Notified<'_>>);
        poll_fn(|cx| {
            if !self.is_idle() {
                queued.set(None);
                return Poll::Pending;
            }
            if queued.is_none() {
                queued.set(Some(make_room.notified()));
            }
            queued
                .as_mut()
                .as_pin_mut()
                .map_or(Poll::Pending, |queued| queued.poll(cx))
        })
        .await;
    }
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

/// The body of an answer; hyper drops it when it has taken all of it.
struct Answer {
    body: axum::body::Body,
    _underway: Underway,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that tells its watch when bytes come.
struct Watched {
    stream: TcpStream,
    watch: Watch,
}

impl AsyncRead for Watched {
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

impl AsyncWrite for Watched {
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
