//! A wire between Tegata and PostgreSQL that can be cut, taken away, and held up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinHandle;
use url::Url;

/// What the wire does with connections, those that it has and those to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    Whole,
    /// Connections are cut as soon as they are made, as by a server that starts or stops.
    Cut,
    /// Connections are made, and not a byte passes: the other end is gone without a word.
    Held,
}

/// What happens to the next transaction that is to be committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commit {
    /// The order never arrives.
    Lost,
    /// It is done, and nobody is told.
    Unanswered,
}

#[derive(Clone)]
struct Ways {
    wire: watch::Receiver<Wire>,
    server: SocketAddr,
    lose: Arc<AtomicBool>,
    unanswer: Arc<AtomicBool>,
}

/// The wire. What is connected through it ends with it.
pub(super) struct Proxy {
    /// The database's URL by way of the wire.
    pub(super) url: String,
    address: SocketAddr,
    wire: watch::Sender<Wire>,
    /// Of connections that are silent for good.
    gone: Vec<watch::Sender<Wire>>,
    ways: Ways,
    accepting: Mutex<Option<JoinHandle<()>>>,
}

impl Proxy {
    pub(super) async fn to(database_url: &str) -> Self {
        let mut url = Url::parse(database_url).unwrap();
        let host = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let server = tokio::net::lookup_host(host).await.unwrap().next().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(address.port())).unwrap();
        let (wire, seen) = watch::channel(Wire::Whole);
        let ways = Ways {
            wire: seen,
            server,
            lose: Arc::default(),
            unanswer: Arc::default(),
        };
        let accepting = tokio::spawn(accept(listener, ways.clone()));
        Self {
            url: url.into(),
            address,
            wire,
            gone: Vec::new(),
            ways,
            accepting: Mutex::new(Some(accepting)),
        }
    }

    pub(super) fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }

    /// Every connection is cut and nobody listens any more.
    pub(super) async fn take_away(&self) {
        if let Some(accepting) = self.accepting.lock().await.take() {
            accepting.abort();
            let _ = accepting.await;
        }
        self.set(Wire::Cut);
    }

    /// The wire is whole again, at the same address.
    pub(super) async fn mend(&self) {
        self.set(Wire::Whole);
        let mut accepting = self.accepting.lock().await;
        if accepting.is_none() {
            let listener = TcpListener::bind(self.address).await.unwrap();
            *accepting = Some(tokio::spawn(accept(listener, self.ways.clone())));
        }
    }

    /// Connections that there are stay silent for good, as those to a machine that is gone; new ones are
    /// whole.
    pub(super) async fn replace_the_silent(&mut self) {
        if let Some(accepting) = self.accepting.lock().await.take() {
            accepting.abort();
            let _ = accepting.await;
        }
        let (wire, seen) = watch::channel(Wire::Whole);
        self.gone.push(std::mem::replace(&mut self.wire, wire));
        self.ways.wire = seen;
        self.mend().await;
    }

    /// Cuts the connection of the next commit.
    pub(super) fn cut_at(&self, commit: Commit) {
        match commit {
            Commit::Lost => self.ways.lose.store(true, Ordering::SeqCst),
            Commit::Unanswered => self.ways.unanswer.store(true, Ordering::SeqCst),
        }
    }

    /// Whether the connection that [`Self::cut_at`] waits for was there.
    pub(super) fn has_cut(&self) -> bool {
        !self.ways.lose.load(Ordering::SeqCst) && !self.ways.unanswer.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, ways: Ways) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(carry(client, ways.clone()));
    }
}

/// Carries bytes both ways until one end is done or the wire is cut.
async fn carry(mut client: TcpStream, mut ways: Ways) -> Option<()> {
    let mut server: Option<TcpStream> = None;
    let (mut up, mut down) = (vec![0; 65536], vec![0; 65536]);
    loop {
        let now = *ways.wire.borrow_and_update();
        match now {
            Wire::Cut => return None,
            Wire::Held => {
                ways.wire.changed().await.ok()?;
                continue;
            }
            Wire::Whole => {}
        }
        if server.is_none() {
            server = Some(TcpStream::connect(ways.server).await.ok()?);
        }
        let server = server.as_mut()?;
        tokio::select! {
            changed = ways.wire.changed() => changed.ok()?,
            read = client.read(&mut up) => {
                let sent = &up[..some(read)?];
                let commits = sent.windows(6).any(|word| word == b"COMMIT");
                if commits && ways.lose.swap(false, Ordering::SeqCst) {
                    return None;
                }
                server.write_all(sent).await.ok()?;
                if commits && ways.unanswer.swap(false, Ordering::SeqCst) {
                    some(server.read(&mut down).await)?;
                    return None;
                }
            }
            read = server.read(&mut down) => {
                let sent = &down[..some(read)?];
                client.write_all(sent).await.ok()?;
            }
        }
    }
}

fn some(read: std::io::Result<usize>) -> Option<usize> {
    read.ok().filter(|count| *count > 0)
}
