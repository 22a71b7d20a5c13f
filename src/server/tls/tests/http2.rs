//! HTTP/2 in its own frames (RFC 9113 §4.1), since no client library misbehaves on request.

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ENHANCE_YOUR_CALM: u8 = 11;

struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = length[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// A text as HPACK has it, without Huffman's code (RFC 7541 §5.1 and §5.2).
fn text(text: &str) -> Vec<u8> {
    let mut length = text.len();
    let mut bytes = Vec::new();
    if length < 127 {
        bytes.push(u8::try_from(length).unwrap());
    } else {
        bytes.push(127);
        length -= 127;
        while length >= 128 {
            bytes.push(u8::try_from(length % 128).unwrap() | 128);
            length /= 128;
        }
        bytes.push(u8::try_from(length).unwrap());
    }
    bytes.extend(text.as_bytes());
    bytes
}

/// The header of a GET, with fields of one's own.
fn head(path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let pseudo = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "localhost:1"),
        (":path", path),
    ];
    let mut bytes = Vec::new();
    for (name, value) in pseudo.iter().chain(fields) {
        bytes.push(0);
        bytes.extend(text(name));
        bytes.extend(text(value));
    }
    bytes
}

fn get(stream: u32, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &head(path, fields))
}

struct Connection {
    stream: client::TlsStream<TcpStream>,
}

impl Connection {
    async fn to(server: &Server, settings: &[u8]) -> Self {
        Self::with(server, settings, None).await
    }

    async fn with(server: &Server, settings: &[u8], identity: Option<&self_signed::SelfSigned>) -> Self {
        let config = client(&rustls::version::TLS13, &[HTTP2], identity);
        let mut stream = server.shake_hands(&config).await.unwrap();
        stream.write_all(PREFACE).await.unwrap();
        stream.write_all(&frame(SETTINGS, 0, 0, settings)).await.unwrap();
        Self { stream }
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// `None` when the server has closed the connection.
    async fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        timeout(LONG, self.stream.read_exact(&mut head))
            .await
            .unwrap()
            .ok()?;
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        self.stream.read_exact(&mut payload).await.ok()?;
        Some(Frame {
            kind: head[3],
            flags: head[4],
            stream: u32::from_be_bytes(head[5..].try_into().unwrap()),
            payload,
        })
    }

    /// The next frame of a request, or the server's farewell.
    async fn event(&mut self) -> Frame {
        loop {
            let frame = self.next().await.expect("the connection is open");
            if frame.stream > 0 || frame.kind == GO_AWAY {
                return frame;
            }
        }
    }

    /// The whole body of the answer to a request; no other is answered meanwhile.
    async fn body(&mut self, stream: u32) -> String {
        let mut body = Vec::new();
        loop {
            let frame = self.event().await;
            if frame.kind == GO_AWAY {
                continue;
            }
            assert_eq!(frame.stream, stream);
            assert!(matches!(frame.kind, HEADERS | DATA), "{}", frame.kind);
            if frame.kind == DATA {
                body.extend(frame.payload);
            }
            if frame.flags & END_STREAM != 0 {
                return String::from_utf8(body).unwrap();
            }
        }
    }

    /// Why the server says farewell, before it closes the connection; `None` where it says nothing.
    async fn farewell(&mut self) -> Option<u8> {
        let mut reason = None;
        while let Some(frame) = self.next().await {
            if frame.kind == GO_AWAY {
                reason = Some(frame.payload[7]);
            }
        }
        reason
    }
}

#[tokio::test]
async fn a_request_is_told_as_over_http1() {
    let server = Server::start(true, patient());
    let (pair, thumbprint) = identity();
    let mut connection = Connection::with(&server, &[], Some(&pair)).await;
    for (number, fields) in [
        (1, &[("cookie", "a=1"), ("cookie", "b=2")][..]),
        (3, &[("host", "evil.example"), ("cookie", "a=1; b=2")]),
    ] {
        connection.send(&get(number, "/?q=%20", fields)).await;
        let body = connection.body(number).await;
        let expected = format!("certificate={thumbprint} host=localhost:1 target=/?q=%20 cookie=a=1; b=2");
        assert!(body.ends_with(&expected), "{body}");
    }
}

#[tokio::test]
async fn a_request_waits_for_no_other() {
    let server = Server::start(false, patient());
    let mut connection = Connection::to(&server, &[]).await;
    connection.send(&get(1, "/wait", &[])).await;
    server.begun.notified().await;
    connection.send(&get(3, "/", &[])).await;
    assert!(connection.body(3).await.starts_with("peer="));
    server.go.notify_one();
    assert_eq!(connection.body(1).await, "waited");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_reset_and_the_others_go_on() {
    let server = Server::start(
        false,
        Limits {
            request: SHORT,
            ..patient()
        },
    );
    let mut connection = Connection::to(&server, &[]).await;
    connection.send(&get(1, "/wait", &[])).await;
    let event = connection.event().await;
    assert_eq!((event.kind, event.stream), (RESET, 1));
    connection.send(&get(3, "/", &[])).await;
    assert!(connection.body(3).await.starts_with("peer="));
}

#[tokio::test]
async fn an_answer_that_is_not_taken_ends_the_connection() {
    let server = Server::start(
        false,
        Limits {
            request: SHORT,
            ..patient()
        },
    );
    // no room for a body
    let mut connection = Connection::to(&server, &[0, 4, 0, 0, 0, 0]).await;
    connection.send(&get(1, "/", &[])).await;
    connection.farewell().await;
}

#[tokio::test]
async fn an_idle_connection_is_told_and_closed() {
    let server = Server::start(
        false,
        Limits {
            idle: SHORT,
            ..patient()
        },
    );
    let mut connection = Connection::to(&server, &[]).await;
    connection.send(&get(1, "/", &[])).await;
    connection.body(1).await;
    assert_eq!(connection.farewell().await, Some(0));
}

#[tokio::test]
async fn a_header_that_does_not_end_is_closed() {
    let server = Server::start(
        false,
        Limits {
            head: SHORT,
            ..patient()
        },
    );
    let mut connection = Connection::to(&server, &[]).await;
    connection
        .send(&frame(HEADERS, END_STREAM, 1, &head("/", &[])))
        .await;
    connection.farewell().await;
}

#[tokio::test]
async fn an_idle_connection_makes_room() {
    let server = Server::start(
        false,
        Limits {
            connections: 1,
            ..patient()
        },
    );
    let mut idle = Connection::to(&server, &[]).await;
    idle.send(&get(1, "/", &[])).await;
    idle.body(1).await;
    let mut next = Connection::to(&server, &[]).await;
    next.send(&get(1, "/", &[])).await;
    next.body(1).await;
    assert_eq!(idle.farewell().await, Some(0));
}

#[tokio::test]
async fn a_connection_with_a_request_under_way_keeps_its_place() {
    let server = Server::start(
        false,
        Limits {
            connections: 2,
            ..patient()
        },
    );
    let mut busy = Connection::to(&server, &[]).await;
    busy.send(&get(1, "/wait", &[])).await;
    server.begun.notified().await;
    for _ in 0..2 {
        let mut other = Connection::to(&server, &[]).await;
        other.send(&get(1, "/", &[])).await;
        other.body(1).await;
    }
    server.go.notify_one();
    assert_eq!(busy.body(1).await, "waited");
}

#[tokio::test]
async fn too_large_headers_are_refused_and_the_others_go_on() {
    let server = Server::start(
        false,
        Limits {
            head_size: 8192,
            ..patient()
        },
    );
    let mut connection = Connection::to(&server, &[]).await;
    connection.send(&get(1, "/", &[("a", &"a".repeat(10_000))])).await;
    assert_eq!(connection.body(1).await, "");
    connection.send(&get(3, "/", &[])).await;
    assert!(connection.body(3).await.starts_with("peer="));
}

#[tokio::test]
async fn requests_that_are_taken_back_at_once_end_the_connection() {
    let server = Server::start(false, patient());
    let mut connection = Connection::to(&server, &[]).await;
    let mut flood = Vec::new();
    for number in 0..2000 {
        flood.extend(get(2 * number + 1, "/wait", &[]));
        flood.extend(frame(RESET, 0, 2 * number + 1, &[0, 0, 0, 8]));
    }
    // it may be closed before all is sent
    let _ = connection.stream.write_all(&flood).await;
    assert!(matches!(
        connection.farewell().await,
        None | Some(ENHANCE_YOUR_CALM)
    ));
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way() {
    let server = Server::start(false, patient());
    let mut busy = Connection::to(&server, &[]).await;
    busy.send(&get(1, "/wait", &[])).await;
    server.begun.notified().await;
    let mut idle = Connection::to(&server, &[]).await;
    idle.send(&get(1, "/", &[])).await;
    idle.body(1).await;
    server.stop.request();
    assert_eq!(idle.farewell().await, Some(0));
    server.go.notify_one();
    assert_eq!(busy.body(1).await, "waited");
    busy.farewell().await;
    server.ended().await;
}

#[tokio::test]
async fn a_second_stop_drops_at_once() {
    let server = Server::start(false, patient());
    let mut stuck = Connection::to(&server, &[]).await;
    stuck.send(&get(1, "/wait", &[])).await;
    server.begun.notified().await;
    server.stop.request();
    server.stop.request();
    stuck.farewell().await;
    server.ended().await;
}
