//! A client's redirect URI: a listener on a loopback port that keeps what a browser brings it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::{Url, form_urlencoded};

/// Longer than a browser takes to follow a redirect.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Callback {
    address: SocketAddr,
    arrivals: UnboundedReceiver<(Url, String)>,
    /// The body with which the browser came last.
    body: String,
    listening: JoinHandle<()>,
}

impl Callback {
    pub(crate) async fn listen() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, arrivals) = unbounded_channel();
        Self {
            address,
            arrivals,
            body: String::new(),
            listening: tokio::spawn(serve(listener, sender)),
        }
    }

    /// Its redirect URI, with the port it has.
    pub(crate) fn uri(&self) -> String {
        format!("http://{}/callback", self.address)
    }

    /// Another redirect URI, at which the browser is told to stay where it is.
    pub(crate) fn silent_uri(&self) -> String {
        format!("http://{}/silent", self.address)
    }

    /// The next address with which a browser comes to the redirect URI.
    pub(crate) async fn arrival(&mut self) -> Url {
        let arrival = timeout(PATIENCE, self.arrivals.recv()).await;
        let (url, body) = arrival
            .expect("the browser arrives at the application")
            .expect("it listens as long as it lives");
        self.body = body;
        url
    }

    /// A field of the form with which the browser came last.
    #[track_caller]
    pub(crate) fn posted(&self, name: &str) -> String {
        let mut found = form_urlencoded::parse(self.body.as_bytes()).filter(|(known, _)| known == name);
        let (_, value) = found
            .next()
            .unwrap_or_else(|| panic!("no {name} in {}", self.body));
        assert!(found.next().is_none(), "{name} stands twice in {}", self.body);
        value.into_owned()
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(listener: TcpListener, arrivals: UnboundedSender<(Url, String)>) {
    let address = listener.local_addr().unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let arrivals = arrivals.clone();
        tokio::spawn(async move {
            // A browser may open a connection and not use it.
            let Some((target, body)) = answer(stream).await else {
                return;
            };
            let url = Url::parse(&format!("http://{address}{target}")).unwrap();
            if matches!(url.path(), "/callback" | "/silent") {
                let _ = arrivals.send((url, body));
            }
        });
    }
}

/// Answers one request; gives what it asked for, and what it brought.
async fn answer(stream: TcpStream) -> Option<(String, String)> {
    const PAGE: &str = "<!doctype html><title>Arrived</title><p id=arrived>Arrived";
    let mut stream = BufReader::new(stream);
    let mut lines = (&mut stream).lines();
    let first = lines.next_line().await.ok()??;
    let mut length = 0;
    loop {
        let line = lines.next_line().await.ok()??;
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let target = first.split(' ').nth(1)?;
    let answer = if target.starts_with("/silent") {
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned()
    } else {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{PAGE}",
            PAGE.len()
        )
    };
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.flush().await.ok()?;
    Some((target.to_owned(), String::from_utf8(body).ok()?))
}
