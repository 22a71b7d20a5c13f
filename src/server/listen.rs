//! Listening and accepting (HTTP/1.1, RFC 9112; HTTP/2, RFC 9113; both over TLS where there is a certificate).
//!
//! An own accept loop, for what a server on the open internet needs: a cap on connections that gives
//! the place of the longest idle one to a new one, survival when file descriptors run out, and an end
//! that drops no request under way.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use futures_util::future::join_all;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::connection;
use super::stop::Stop;
use super::tls::Acceptor;

const DEFAULT_PORT: u16 = 3801;
const BACKLOG: i32 = 1024;
/// Attempts to find a port that is free on several addresses.
const ATTEMPTS: usize = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Idle connections closed when file descriptors have run out.
const ROOM_AT_ONCE: usize = 16;
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// What a client may take of the server.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at a time. At least 1.
    pub connections: usize,
    /// From a new connection, its TLS handshake included, or from a request's first byte, to the end of the
    /// request's header.
    pub head: Duration,
    /// Between an answer and the next request.
    pub idle: Duration,
    /// From the end of a request's header to the end of the answer. Over HTTP/2 a client has as long again to
    /// take the answer.
    pub request: Duration,
    /// Bytes of a request's header; more is answered with 431 (RFC 6585 §5). At least 8192.
    pub head_size: usize,
    /// When stopping: for clients to hear `Connection: close` before an idle connection is cut.
    pub linger: Duration,
    /// When stopping: for everything under way.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(65),
            request: Duration::from_secs(30),
            head_size: 64 * 1024,
            linger: Duration::from_millis(500),
            drain: Duration::from_secs(25),
        }
    }
}

/// An address that clients reach, and what is spoken there.
#[derive(Debug)]
pub struct Door {
    pub listener: TcpListener,
    /// `None`: HTTP/1.1 without TLS.
    pub tls: Option<Acceptor>,
}

/// What the listeners share.
pub(super) struct Shared {
    pub(super) router: Router,
    pub(super) limits: Limits,
    pub(super) stop: Stop,
    /// Wakes the connection that has been idle for the longest, to make room.
    pub(super) make_room: Notify,
    places: Arc<Semaphore>,
}

/// Listens on `addresses`; on `None`, on port 3801 of 127.0.0.1 and, where there is IPv6, of `[::1]`.
/// Several addresses with port 0 get the same port if one is free on all. Needs a tokio runtime. `flag` is
/// where the addresses are chosen: `--listen`.
///
/// # Errors
/// Names the address and says what to do.
pub fn bind(addresses: Option<&[SocketAddr]>, flag: &str) -> io::Result<Vec<TcpListener>> {
    let bound = addresses.map_or_else(|| bind_loopback(DEFAULT_PORT), bind_several);
    bound.map_err(|refused| refused.explained(flag))
}

/// Serves `router` at `doors` until `stop` is asked; returns when the last connection is closed, at
/// most `limits.drain` later. Every request carries the peer's address as
/// `axum::extract::ConnectInfo<SocketAddr>`.
pub async fn serve(doors: Vec<Door>, router: Router, limits: Limits, stop: Stop) {
    let places = limits.connections.clamp(1, Semaphore::MAX_PERMITS);
    let shared = Arc::new(Shared {
        router,
        limits,
        stop,
        make_room: Notify::new(),
        places: Arc::new(Semaphore::new(places)),
    });
    let accepting = doors
        .into_iter()
        .map(|door| accept_until_stopped(door, Arc::clone(&shared)));
    join_all(accepting).await;

    let all = u32::try_from(places).unwrap_or(u32::MAX);
    if tokio::time::timeout(shared.limits.drain, shared.places.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!("some requests did not finish in time; they are dropped");
        shared.stop.force();
        drop(shared.places.acquire_many(all).await);
    }
}

async fn accept_until_stopped(door: Door, shared: Arc<Shared>) {
    let Door { listener, tls } = door;
    let mut trouble = Trouble::default();
    let mut stop = pin!(shared.stop.requested());
    loop {
        let accepted = tokio::select! {
            () = stop.as_mut() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                trouble.is_over();
                let Some(place) = place(&shared).await else { break };
                start(stream, peer, tls.clone(), place, &shared);
            }
            Err(error) if is_of_one_client(&error) => {}
            Err(error) => trouble.wait(&error, &shared.make_room).await,
        }
    }
    if let Err(error) = accept_last(listener, tls.as_ref(), &shared) {
        tracing::debug!(%error, "no more connections are accepted");
    }
}

/// The server's own failures to accept, as when file descriptors run out.
struct Trouble {
    pause: Duration,
    told: Option<Instant>,
}

impl Default for Trouble {
    fn default() -> Self {
        Self {
            pause: FIRST_PAUSE,
            told: None,
        }
    }
}

impl Trouble {
    fn is_over(&mut self) {
        self.pause = FIRST_PAUSE;
    }

    /// Lets idle connections make room, then waits: a little at first, longer while it goes on.
    async fn wait(&mut self, error: &io::Error, make_room: &Notify) {
        if self.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            tracing::warn!(%error, "connections cannot be accepted; idle ones are closed to make room");
            self.told = Some(Instant::now());
        }
        for _ in 0..ROOM_AT_ONCE {
            make_room.notify_one();
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

/// Who had connected before the stop is served. Asks the system itself: the runtime may not have heard
/// of them yet.
fn accept_last(listener: TcpListener, tls: Option<&Acceptor>, shared: &Arc<Shared>) -> io::Result<()> {
    let listener = listener.into_std()?;
    while let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() {
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_client(&error) => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        };
        stream.set_nonblocking(true)?;
        start(TcpStream::from_std(stream)?, peer, tls.cloned(), place, shared);
    }
    Ok(())
}

/// A place for one more connection; an idle one makes room if there is none. `None` when the server stops.
async fn place(shared: &Shared) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = Arc::clone(&shared.places).try_acquire_owned() {
        return Some(place);
    }
    shared.make_room.notify_one();
    tokio::select! {
        place = Arc::clone(&shared.places).acquire_owned() => place.ok(),
        () = shared.stop.requested() => None,
    }
}

fn start(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Acceptor>,
    place: OwnedSemaphorePermit,
    shared: &Arc<Shared>,
) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        connection::serve(stream, peer, tls.as_ref(), &shared).await;
        drop(place);
    });
}

/// Errors that one client made for itself, before it was accepted.
fn is_of_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

/// An address that cannot be listened on.
struct Refused {
    address: SocketAddr,
    error: io::Error,
}

impl Refused {
    fn explained(self, flag: &str) -> io::Error {
        let Self { address, error } = self;
        let todo = match error.kind() {
            io::ErrorKind::AddrInUse => format!(
                "another program listens there; stop it, or choose another address with {flag} \
                 (port 0 picks a free one)"
            ),
            io::ErrorKind::AddrNotAvailable => {
                format!("this machine has no such address; choose one it has with {flag}")
            }
            io::ErrorKind::PermissionDenied => {
                format!("ports under 1024 need a privilege; choose another with {flag}")
            }
            _ => format!("choose another address with {flag}"),
        };
        io::Error::new(
            error.kind(),
            format!("cannot listen on {address}: {error}: {todo}"),
        )
    }
}

fn bind_several(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, Refused> {
    for _ in 1..ATTEMPTS {
        if let Ok(listeners) = bind_all(addresses, true) {
            return Ok(listeners);
        }
    }
    bind_all(addresses, false)
}

fn bind_loopback(port: u16) -> Result<Vec<TcpListener>, Refused> {
    let first = bind_one((Ipv4Addr::LOCALHOST, port).into())?;
    let port = local_address(&first, (Ipv4Addr::LOCALHOST, port).into())?.port();
    match bind_one((Ipv6Addr::LOCALHOST, port).into()) {
        Ok(second) => Ok(vec![first, second]),
        Err(refused) if has_no_ipv6(&refused.error) => Ok(vec![first]),
        Err(refused) => Err(refused),
    }
}

fn has_no_ipv6(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
    )
}

/// `strictly`: the second and every further port 0 is the same as the first, or it fails.
fn bind_all(addresses: &[SocketAddr], strictly: bool) -> Result<Vec<TcpListener>, Refused> {
    let mut listeners = Vec::new();
    let mut bound: Vec<SocketAddr> = Vec::new();
    let mut picked = None;
    for address in addresses {
        let mut wanted = *address;
        if let Some(port) = picked.filter(|_| strictly && address.port() == 0) {
            wanted.set_port(port);
        }
        if bound.contains(&wanted) {
            wanted.set_port(0);
        }
        let listener = bind_one(wanted)?;
        let local = local_address(&listener, wanted)?;
        if address.port() == 0 {
            picked = picked.or(Some(local.port()));
        }
        bound.push(local);
        listeners.push(listener);
    }
    Ok(listeners)
}

fn bind_one(address: SocketAddr) -> Result<TcpListener, Refused> {
    open(address).map_err(|error| Refused { address, error })
}

fn local_address(listener: &TcpListener, address: SocketAddr) -> Result<SocketAddr, Refused> {
    listener.local_addr().map_err(|error| Refused { address, error })
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // elsewhere it would let another program take the port over
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests;
