//! One HTTP/1.1 connection, as little of it as a prepared request and a short answer take.
//!
//! A full client would spend as much CPU on an answer as the server does, on the server's cores.

use std::fmt;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::error::{Failure, Result};

/// Of an answer shown in a failure.
const SHOWN: usize = 2_000;

/// A keep-alive connection with one request under way at a time.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    received: Vec<u8>,
}

/// A whole answer.
pub(crate) struct Answer<'c> {
    pub(crate) status: u16,
    head: &'c str,
    pub(crate) body: &'c str,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        Ok(Self {
            address,
            stream: connect(address).await?,
            received: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends a request and reads its answer; connects again where the last answer closed the connection.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let head = self.receive_head().await?;
        let length = content_length(text(&self.received[..head])?)?;
        self.receive(head + length).await?;
        if self.received.len() > head + length {
            return Err("the server sent more than was announced".into());
        }
        let (head, body) = (text(&self.received[..head])?, text(&self.received[head..])?);
        let answer = Answer {
            status: status(head)?,
            head,
            body,
        };
        if answer
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
        {
            self.stream = connect(self.address).await?;
        }
        Ok(answer)
    }

    /// Receives at least the head, and says how long it is.
    async fn receive_head(&mut self) -> Result<usize> {
        let mut searched = 0;
        loop {
            let length = self.received.len();
            self.receive(length + 1).await?;
            if let Some(found) = find(&self.received[searched..], b"\r\n\r\n") {
                return Ok(searched + found + 4);
            }
            searched = self.received.len().saturating_sub(3);
        }
    }

    async fn receive(&mut self, length: usize) -> Result<()> {
        while self.received.len() < length {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err("the server closed the connection in the middle of an answer".into());
            }
        }
        Ok(())
    }
}

impl Answer<'_> {
    /// The first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// Every header of this name.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        named
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The answer as a failure, when it is not what was asked for.
    pub(crate) fn unless(&self, good: bool, wanted: &str) -> Result<()> {
        if good {
            return Ok(());
        }
        Err(Failure::when(format_args!("no {wanted}"), self))
    }

    /// The text of a JSON member that holds a plain string.
    ///
    /// Finds it by its name instead of parsing: this happens once an operation.
    pub(crate) fn member(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("\"{name}\":\""))?;
        rest.split_once('"').map(|(value, _)| value)
    }
}

impl fmt::Display for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body: String = self.body.chars().take(SHOWN).collect();
        write!(f, "the server answered\n{}{body}", self.head)
    }
}

/// A request without a body.
pub(crate) fn get(host: &str, path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n").into_bytes()
}

/// A form. `headers` are whole lines.
pub(crate) fn post(host: &str, path: &str, headers: &str, form: &str) -> Vec<u8> {
    with_body(host, path, headers, "application/x-www-form-urlencoded", form)
}

/// A request with a body of any kind.
pub(crate) fn with_body(host: &str, path: &str, headers: &str, kind: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|error| Failure::when("an answer is not text", error))
}

fn status(head: &str) -> Result<u16> {
    let code = head
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok());
    code.ok_or_else(|| Failure::when("not an answer in HTTP/1.1", head))
}

/// The server announces the length of everything it says here; without it there is no body.
fn content_length(head: &str) -> Result<usize> {
    let answer = Answer {
        status: 0,
        head,
        body: "",
    };
    if answer.header("transfer-encoding").is_some() {
        return Err(Failure::when("the length is not announced", head));
    }
    let Some(length) = answer.header("content-length") else {
        return Ok(0);
    };
    length
        .parse()
        .map_err(|error| Failure::when("the announced length cannot be read", error))
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
