//! SIGTERM: what is under way is finished, nothing that was accepted is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::process::Process;
use crate::world::{Application, World};

/// Asks for tokens one after the other; returns how many were answered, when nobody listens any more.
async fn ask_until_refused(
    world: World,
    app: Application,
    count: Arc<AtomicUsize>,
    warm: Arc<Notify>,
) -> usize {
    let mut own = 0;
    loop {
        match world.client_credentials(&app).send_or_refused().await {
            Ok(answer) => answer.tokens(),
            Err(refused) => {
                assert!(refused, "a request that had been taken was dropped");
                return own;
            }
        };
        own += 1;
        if count.fetch_add(1, Ordering::SeqCst) + 1 == 100 {
            warm.notify_one();
        }
    }
}

on_each_database! {

async fn nothing_is_dropped_when_it_is_told_to_stop(world: World) {
    let app = world.application().create().await;
    let process = Process::start(&world, &[]).await;
    let (count, warm) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let asking: Vec<_> = (0..6)
        .map(|_| tokio::spawn(ask_until_refused(process.world.clone(), app.clone(), count.clone(), warm.clone())))
        .collect();
    warm.notified().await;
    process.signal("TERM");
    for client in asking {
        assert!(client.await.unwrap() > 0);
    }
    let (status, told) = process.ended().await;
    assert!(status.success(), "{status}: {told}");
    assert!(!told.contains("panicked"), "{told}");
}

async fn a_stopping_server_is_not_ready_and_finishes_what_it_has(world: World) {
    let app = world.application().create().await;
    let process = Process::start(&world, &[]).await;
    let address = process.world.base_url.replace("http://localhost", "127.0.0.1");

    // Two connections that are open before the stop: one in the middle of a request, one idle.
    let body = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        app.client_id,
        app.secret()
    );
    let mut slow = TcpStream::connect(&address).await.unwrap();
    let head = format!(
        "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        body.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    slow.read_exact(&mut interim).await.unwrap();
    assert!(interim.starts_with(b"HTTP/1.1 100"), "the server waits for the body");
    let mut idle = TcpStream::connect(&address).await.unwrap();
    idle.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut first = vec![0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(first, b"HTTP/1.1 200");

    process.signal("TERM");
    process.says("told to stop").await;
    idle.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut rest = String::new();
    idle.read_to_string(&mut rest).await.unwrap();
    assert!(rest.contains("HTTP/1.1 503") && rest.contains("stopping"), "{rest}");
    assert!(rest.to_lowercase().contains("connection: close"), "{rest}");

    slow.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("HTTP/1.1 200") && answer.contains("tga_"), "{answer}");
    let (status, told) = process.ended().await;
    assert!(status.success(), "{status}: {told}");
}

}
