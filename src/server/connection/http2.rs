//! HTTP/2 (RFC 9113): many requests at a time.
//!
//! The streams of a connection run in its own task, so whoever drops the connection drops them, as over
//! HTTP/1.1. What comes of a connection apart from requests (pings, settings) moves no deadline.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Request, Response, Uri, header, uri};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;

use super::watch::Deadline;
use super::{Answer, Client};
use crate::server::listen::{Limits, Shared};

/// Requests at a time on one connection (RFC 9113 §6.5.2 asks for no fewer).
const STREAMS: u32 = 100;
/// Streams that the client took back before they were looked at; more is an attack ("rapid reset").
const TAKEN_BACK: usize = 20;
/// Streams that were reset for a fault of the client's own.
const FAULTY: usize = 100;
/// Bytes of request bodies that may wait to be read: of one stream, and of all of a connection.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 256 * 1024;
/// Bytes of one stream's answer that may wait to be sent.
const SEND_BUFFER: usize = 64 * 1024;

/// `until` is when the first request must have come.
pub(super) async fn serve<S>(stream: S, until: Instant, client: Client, shared: &Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let load = Load::new(&shared.limits, until);
    let (sender, begun) = mpsc::unbounded_channel();
    let service = service_fn(|request| {
        let underway = load.begin();
        answer(request, client.clone(), Arc::clone(shared), underway)
    });
    let connection =
        pin!(builder(Streams(sender), &shared.limits).serve_connection(TokioIo::new(stream), service));
    let mut connection = Together {
        connection,
        begun,
        running: FuturesUnordered::new(),
    };
    let mut overdue = pin!(load.overdue());

    let stopping = tokio::select! {
        biased;
        () = &mut connection => return,
        () = overdue.as_mut() => false,
        () = shared.stop.requested() => true,
        () = load.wanted_while_idle(&shared.make_room) => false,
    };
    connection.connection.as_mut().graceful_shutdown();
    if !stopping {
        // the client hears that it was not its last request that broke off
        let _ = (&mut connection).now_or_never();
        return;
    }
    tokio::select! {
        biased;
        () = &mut connection => {}
        () = overdue => {}
        () = idle_for(shared.limits.linger, &load) => {}
        () = shared.stop.forced() => {}
    }
}

/// Returns when no request is under way at the beginning and at the end of `time`. A client that says nothing
/// more is not waited for.
async fn idle_for(time: Duration, load: &Load) {
    loop {
        load.idle().await;
        sleep(time).await;
        if load.is_idle() {
            return;
        }
    }
}

fn builder(streams: Streams, limits: &Limits) -> http2::Builder<Streams> {
    let mut builder = http2::Builder::new(streams);
    builder
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(limits.head_size).unwrap_or(u32::MAX))
        .max_pending_accept_reset_streams(TAKEN_BACK)
        .max_local_error_reset_streams(FAULTY)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER);
    builder
}

async fn answer(
    mut request: Request<Incoming>,
    client: Client,
    shared: Arc<Shared>,
    underway: Underway,
) -> Result<Response<Answer<Underway>>, Overdue> {
    in_the_shape_of_http1(&mut request);
    client.introduce(request.extensions_mut());
    let response = timeout(shared.limits.request, shared.router.clone().oneshot(request));
    let Ok(Ok(response)) = response.await else {
        return Err(Overdue);
    };
    Ok(response.map(|body| Answer {
        body,
        _underway: underway,
    }))
}

/// The stream is reset; the others of the connection go on.
#[derive(Debug)]
struct Overdue;

impl fmt::Display for Overdue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request took too long")
    }
}

impl std::error::Error for Overdue {}

/// A request is told alike over either version: the authority in `Host` alone, the target as a path, cookies
/// in one line (RFC 9113 §8.2.3 and §8.3.1).
fn in_the_shape_of_http1(request: &mut Request<Incoming>) {
    let (target, authority) = split(mem::take(request.uri_mut()));
    *request.uri_mut() = target;
    let host = authority.and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    let headers = request.headers_mut();
    if let Some(host) = host {
        headers.insert(header::HOST, host);
    }
    join_cookies(headers);
}

fn split(target: Uri) -> (Uri, Option<uri::Authority>) {
    let mut parts = target.into_parts();
    let authority = parts.authority.take();
    parts.scheme = None;
    (Uri::from_parts(parts).unwrap_or_default(), authority)
}

fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if cookies.len() < 2 {
        return;
    }
    if let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
    }
}

type Stream = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Hands new streams to their connection's task.
#[derive(Clone)]
struct Streams(mpsc::UnboundedSender<Stream>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        // a connection that has ended drops what it had begun
        let _ = self.0.send(Box::pin(stream));
    }
}

/// A connection and its streams.
struct Together<'a, C> {
    connection: Pin<&'a mut C>,
    begun: mpsc::UnboundedReceiver<Stream>,
    running: FuturesUnordered<Stream>,
}

impl<C: Future> Future for Together<'_, C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            while let Poll::Ready(Some(stream)) = self.begun.poll_recv(cx) {
                self.running.push(stream);
            }
            let mut some_ended = false;
            while let Poll::Ready(Some(())) = self.running.poll_next_unpin(cx) {
                some_ended = true;
            }
            // what they left is sent before anybody takes the connection for idle
            if !some_ended {
                return Poll::Pending;
            }
        }
    }
}

/// The requests of a connection that are under way. Clones tell of the same connection.
#[derive(Clone)]
struct Load(Arc<Loaded>);

struct Loaded {
    now: Mutex<Requests>,
    idle: Duration,
    request: Duration,
}

struct Requests {
    /// When each must have ended, the oldest first.
    underway: BTreeMap<u64, Instant>,
    begun: u64,
    /// When the next must have come.
    idle_until: Instant,
}

impl Load {
    fn new(limits: &Limits, until: Instant) -> Self {
        Self(Arc::new(Loaded {
            now: Mutex::new(Requests {
                underway: BTreeMap::new(),
                begun: 0,
                idle_until: until,
            }),
            idle: limits.idle,
            request: limits.request,
        }))
    }

    /// The handler has the time of a request, and then the client as long again to take the answer.
    fn begin(&self) -> Underway {
        let mut now = self.now();
        let number = now.begun;
        now.begun += 1;
        now.underway
            .insert(number, Instant::now() + self.0.request + self.0.request);
        Underway {
            load: self.clone(),
            number,
        }
    }

    /// Returns when no request is under way. To be polled after the connection.
    async fn idle(&self) {
        std::future::poll_fn(|_| {
            if self.is_idle() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    fn now(&self) -> MutexGuard<'_, Requests> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deadline for Load {
    fn deadline(&self) -> Instant {
        let now = self.now();
        now.underway
            .first_key_value()
            .map_or(now.idle_until, |(_, deadline)| *deadline)
    }

    fn is_idle(&self) -> bool {
        self.now().underway.is_empty()
    }
}

/// A request from its header to the end of its answer, however that comes.
struct Underway {
    load: Load,
    number: u64,
}

impl Drop for Underway {
    fn drop(&mut self) {
        let mut now = self.load.now();
        now.underway.remove(&self.number);
        if now.underway.is_empty() {
            now.idle_until = Instant::now() + self.load.0.idle;
        }
    }
}
