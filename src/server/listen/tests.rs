use axum::extract::ConnectInfo;
use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::*;

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(40);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

/// Nothing happens by itself within a test.
fn patient() -> Limits {
    let linger = Duration::from_millis(20);
    Limits {
        head: LONG,
        idle: LONG,
        request: LONG,
        drain: LONG,
        linger,
        ..Limits::default()
    }
}

struct Server {
    address: SocketAddr,
    stop: Stop,
    running: JoinHandle<()>,
    /// Lets `/wait` answer.
    go: Arc<Notify>,
    /// Told when `/wait` has begun.
    begun: Arc<Notify>,
}

impl Server {
    fn start(limits: Limits) -> Self {
        let (go, begun) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (let_go, tell) = (Arc::clone(&go), Arc::clone(&begun));
        let wait = async move || {
            tell.notify_one();
            let_go.notified().await;
            "waited"
        };
        let router = Router::new()
            .route(
                "/",
                get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()),
            )
            .route("/wait", get(wait));
        let listeners = bind(Some(&["127.0.0.1:0".parse().unwrap()]), "--listen").unwrap();
        let address = listeners[0].local_addr().unwrap();
        let stop = Stop::default();
        let doors = listeners
            .into_iter()
            .map(|listener| Door { listener, tls: None })
            .collect();
        let running = tokio::spawn(serve(doors, router, limits, stop.clone()));
        Self {
            address,
            stop,
            running,
            go,
            begun,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn ended(self) {
        tokio::time::timeout(LONG, self.running).await.unwrap().unwrap();
    }
}

/// Everything until the server closes, an abort included.
async fn rest(client: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(LONG, client.read_to_end(&mut bytes))
        .await
        .unwrap();
    drop(read);
    String::from_utf8(bytes).unwrap()
}

/// One answer of a connection that stays open.
async fn answer(client: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = client.read(&mut buffer).await.unwrap();
        assert!(read > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return text;
            }
        }
    }
}

#[tokio::test]
async fn a_handler_knows_the_peer_and_the_connection_is_kept() {
    let server = Server::start(patient());
    let mut client = server.connect().await;
    for _ in 0..2 {
        client.write_all(REQUEST).await.unwrap();
        assert!(
            answer(&mut client)
                .await
                .ends_with(&client.local_addr().unwrap().to_string())
        );
    }
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let server = Server::start(Limits {
        head: SHORT,
        ..patient()
    });
    let mut client = server.connect().await;
    assert_eq!(rest(&mut client).await, "");
}

#[tokio::test]
async fn a_header_that_does_not_end_is_closed() {
    let server = Server::start(Limits {
        head: SHORT,
        ..patient()
    });
    let mut client = server.connect().await;
    client.write_all(b"GET / HTTP/1.1\r\nho").await.unwrap();
    assert_eq!(rest(&mut client).await, "");
}

#[tokio::test]
async fn a_second_header_has_no_more_time_than_the_first() {
    let server = Server::start(Limits {
        head: SHORT,
        ..patient()
    });
    let mut client = server.connect().await;
    client.write_all(REQUEST).await.unwrap();
    answer(&mut client).await;
    client.write_all(b"GET / HT").await.unwrap();
    assert_eq!(rest(&mut client).await, "");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Server::start(Limits {
        idle: SHORT,
        ..patient()
    });
    let mut client = server.connect().await;
    client.write_all(REQUEST).await.unwrap();
    assert!(rest(&mut client).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_request_that_does_not_end_is_closed() {
    let server = Server::start(Limits {
        request: SHORT,
        ..patient()
    });
    let mut client = server.connect().await;
    client
        .write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(rest(&mut client).await, "");
}

#[tokio::test]
async fn a_slow_answer_is_not_taken_for_an_idle_connection() {
    let server = Server::start(Limits {
        head: SHORT,
        idle: SHORT,
        ..patient()
    });
    let mut client = server.connect().await;
    client
        .write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    server.begun.notified().await;
    // another connection sees both limits pass
    assert_eq!(rest(&mut server.connect().await).await, "");
    server.go.notify_one();
    assert!(answer(&mut client).await.ends_with("waited"));
}

#[tokio::test]
async fn too_large_headers_are_refused() {
    let server = Server::start(Limits {
        head_size: 8192,
        ..patient()
    });
    let mut client = server.connect().await;
    let request = format!("GET / HTTP/1.1\r\nhost: x\r\na: {}\r\n\r\n", "a".repeat(20_000));
    let _ = client.write_all(request.as_bytes()).await;
    assert!(rest(&mut client).await.starts_with("HTTP/1.1 431"));

    let mut client = server.connect().await;
    let many = "a: a\r\n".repeat(200);
    client
        .write_all(format!("GET / HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes())
        .await
        .unwrap();
    assert!(rest(&mut client).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn the_longest_idle_connection_makes_room() {
    let server = Server::start(Limits {
        connections: 2,
        ..patient()
    });
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    server.begun.notified().await;
    let mut idle = server.connect().await;
    idle.write_all(REQUEST).await.unwrap();
    answer(&mut idle).await;

    let mut third = server.connect().await;
    third.write_all(REQUEST).await.unwrap();
    assert!(answer(&mut third).await.starts_with("HTTP/1.1 200"));
    assert_eq!(rest(&mut idle).await, "");
    server.go.notify_one();
    assert!(answer(&mut busy).await.ends_with("waited"));
}

#[tokio::test]
async fn a_stop_finishes_what_is_under_way_and_says_close() {
    let server = Server::start(patient());
    let mut busy = server.connect().await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    server.begun.notified().await;
    server.stop.request();
    server.go.notify_one();
    let text = rest(&mut busy).await;
    assert!(
        text.contains("connection: close") && text.ends_with("waited"),
        "{text}"
    );
    server.ended().await;
}

#[tokio::test]
async fn a_stop_hears_an_idle_client_once_more_and_closes() {
    let server = Server::start(Limits {
        linger: LONG,
        ..patient()
    });
    let mut idle = server.connect().await;
    idle.write_all(REQUEST).await.unwrap();
    answer(&mut idle).await;
    server.stop.request();
    idle.write_all(REQUEST).await.unwrap();
    let text = rest(&mut idle).await;
    assert!(
        text.starts_with("HTTP/1.1 200") && text.contains("connection: close"),
        "{text}"
    );
    server.ended().await;
}

#[tokio::test]
async fn a_stop_closes_idle_connections_and_the_listener() {
    let server = Server::start(patient());
    let mut idle = server.connect().await;
    idle.write_all(REQUEST).await.unwrap();
    answer(&mut idle).await;
    server.stop.request();
    assert_eq!(rest(&mut idle).await, "");
    let address = server.address;
    server.ended().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn who_has_connected_before_the_stop_is_served() {
    let server = Server::start(Limits {
        linger: LONG,
        ..patient()
    });
    // one thread: the server has not accepted it when the stop comes
    let socket = std::net::TcpStream::connect(server.address).unwrap();
    server.stop.request();
    socket.set_nonblocking(true).unwrap();
    let mut client = TcpStream::from_std(socket).unwrap();
    client.write_all(REQUEST).await.unwrap();
    assert!(rest(&mut client).await.starts_with("HTTP/1.1 200"));
    server.ended().await;
}

#[tokio::test]
async fn what_does_not_finish_is_dropped_in_the_end() {
    let server = Server::start(Limits {
        drain: SHORT,
        ..patient()
    });
    let mut stuck = server.connect().await;
    stuck
        .write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    server.begun.notified().await;
    server.stop.request();
    assert_eq!(rest(&mut stuck).await, "");
    server.ended().await;
}

#[tokio::test]
async fn a_second_stop_drops_at_once() {
    let server = Server::start(patient());
    let mut stuck = server.connect().await;
    stuck
        .write_all(b"GET /wait HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    server.begun.notified().await;
    server.stop.request();
    server.stop.request();
    assert_eq!(rest(&mut stuck).await, "");
    server.ended().await;
}

#[tokio::test]
async fn an_address_in_use_is_named_with_what_to_do() {
    let held = bind(Some(&["127.0.0.1:0".parse().unwrap()]), "--listen").unwrap();
    let address = held[0].local_addr().unwrap();
    let error = bind(Some(&[address]), "--listen").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    let text = error.to_string();
    assert!(
        text.contains(&address.to_string()) && text.contains("--listen"),
        "{text}"
    );
}

#[tokio::test]
async fn port_zero_is_the_same_on_several_addresses() {
    let wanted: Vec<SocketAddr> = vec!["127.0.0.1:0".parse().unwrap(), "127.0.0.2:0".parse().unwrap()];
    let bound = bind(Some(&wanted), "--listen").unwrap();
    let ports: Vec<u16> = bound
        .iter()
        .map(|listener| listener.local_addr().unwrap().port())
        .collect();
    assert_eq!(ports[0], ports[1]);
    let twice: Vec<SocketAddr> = vec!["127.0.0.1:0".parse().unwrap(); 2];
    assert_eq!(bind(Some(&twice), "--listen").unwrap().len(), 2);
}

#[tokio::test]
async fn the_default_pair_shares_a_port() {
    let pair = bind_loopback(0).ok().unwrap();
    let ports: Vec<u16> = pair
        .iter()
        .map(|listener| listener.local_addr().unwrap().port())
        .collect();
    assert!(ports.iter().all(|port| *port == ports[0]), "{ports:?}");
    assert!(pair[0].local_addr().unwrap().is_ipv4());
}

#[tokio::test]
async fn trouble_makes_room_and_waits_longer_each_time() {
    let make_room = Notify::new();
    let mut queued: Vec<_> = (0..ROOM_AT_ONCE)
        .map(|_| Box::pin(make_room.notified()))
        .collect();
    for one in &mut queued {
        one.as_mut().enable();
    }
    let mut trouble = Trouble::default();
    trouble
        .wait(&io::Error::other("no descriptors"), &make_room)
        .await;
    join_all(queued).await;
    assert_eq!(trouble.pause, FIRST_PAUSE * 2);
    trouble.is_over();
    assert_eq!(trouble.pause, FIRST_PAUSE);
}
