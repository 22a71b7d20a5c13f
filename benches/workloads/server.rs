//! The server under load: the real binary, as a process of its own.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::error::{Failure, Result};
use super::postgres::free_port;
use super::process::Tree;
use super::store::Store;

/// A start that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two attempts to reach a server that starts.
const ATTEMPTS: Duration = Duration::from_micros(200);

/// A server that is ready.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// As its metadata says it.
    pub(crate) issuer: String,
    pub(crate) processes: Tree,
    /// From the start of the process to the first 200 of `/healthz`.
    pub(crate) started_in: Duration,
}

/// The one line on its stdout.
#[derive(Debug, Deserialize)]
struct Ready {
    issuer: String,
    pid: u32,
}

impl Server {
    pub(crate) async fn start(store: &Store<'_>, log: &str) -> Result<Self> {
        let mut command = store.tegata(&["serve", "--log", log]);
        command
            .args(["--rate-limits", "false", "--access-token-ttl", "1d"])
            .stderr(store.log(log == "off")?);
        let started = Self::launch(command).await;
        started.map_err(|error| Failure::when(error, store.logged()))
    }

    /// The binary at `path`, as a sandbox.
    pub(crate) async fn start_sandbox(path: &Path) -> Result<Self> {
        let mut command = Command::new(path);
        command
            .arg("sandbox")
            .env_clear()
            .stdin(Stdio::null())
            .kill_on_drop(true);
        Self::launch(command).await
    }

    /// Adds the address.
    async fn launch(mut command: Command) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        command
            .args(["--listen", &address.to_string()])
            .stdout(Stdio::piped());
        let begun = Instant::now();
        let mut child = command.spawn()?;
        healthy(address, begun)?;
        let started_in = begun.elapsed();
        let ready = ready(&mut child).await?;
        Ok(Self {
            child,
            address,
            issuer: ready.issuer,
            processes: Tree { root: ready.pid },
            started_in,
        })
    }

    /// What goes into `Host`.
    pub(crate) fn host(&self) -> &str {
        self.issuer.trim_start_matches("http://")
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let pid = self.processes.root.to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await?;
        let status = tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .map_err(|_| Failure::from("the server does not stop"))??;
        if status.success() {
            return Ok(());
        }
        Err(Failure::when("the server did not stop well", status))
    }
}

/// Waits for the first 200 of `/healthz`. Nothing else is going on, so it may well block.
fn healthy(address: SocketAddr, begun: Instant) -> Result<()> {
    while begun.elapsed() < PATIENCE {
        if answers(address) {
            return Ok(());
        }
        std::thread::sleep(ATTEMPTS);
    }
    Err("the server does not start".into())
}

fn answers(address: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else {
        return false;
    };
    let request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    let mut answer = Vec::new();
    let read = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.write_all(request))
        .and_then(|()| stream.read_to_end(&mut answer));
    read.is_ok() && answer.starts_with(b"HTTP/1.1 200 ")
}

async fn ready(child: &mut Child) -> Result<Ready> {
    let stdout = child.stdout.take().ok_or("the server has no stdout")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).await?;
    serde_json::from_str(&line).map_err(|error| Failure::when("the server's ready line", error))
}
