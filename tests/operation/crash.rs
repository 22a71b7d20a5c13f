//! `kill -9` in the middle of the work: whatever was answered is there afterwards, and no client loses
//! its chain of refresh tokens (RFC 6749 §6).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::process::Process;
use crate::world::{Application, Ask, Tokens, User, World};

/// A client that works until its server dies, and what it was promised.
struct Client {
    /// The last refresh token it knows of.
    refresh: String,
    /// Every access token it was answered with, the newest last.
    access: Vec<String>,
    memos: Vec<String>,
    /// Sent when the server died, and never answered.
    code_in_doubt: Option<String>,
}

/// What the clients have done together.
#[derive(Default)]
struct Progress {
    answers: AtomicUsize,
    enough: Notify,
}

impl Progress {
    fn one_more(&self, enough: usize) {
        if self.answers.fetch_add(1, Ordering::SeqCst) + 1 == enough {
            self.enough.notify_one();
        }
    }
}

const ENOUGH: usize = 60;

async fn work(
    world: World,
    app: Application,
    first: Tokens,
    codes: Vec<String>,
    progress: Arc<Progress>,
) -> Client {
    let mut client = Client {
        refresh: first.refresh().to_owned(),
        access: vec![first.access],
        memos: Vec::new(),
        code_in_doubt: None,
    };
    let mut codes = codes.into_iter();
    loop {
        let Some(answer) = world.refresh(&app, &client.refresh).try_send().await else {
            break;
        };
        let tokens = answer.tokens();
        client.refresh = tokens.refresh().to_owned();
        client.access.push(tokens.access.clone());
        progress.one_more(ENOUGH);
        let message = serde_json::json!({"message": "ふじ"});
        let posting = world
            .request("POST", "/api/memos")
            .bearer(&tokens.access)
            .json(&message);
        let Some(answer) = posting.try_send().await else {
            break;
        };
        assert_eq!(answer.status, 201, "{answer}");
        client
            .memos
            .push(answer.json()["id"].as_str().unwrap().to_owned());
        progress.one_more(ENOUGH);
        let Some(code) = codes.next() else { continue };
        let Some(answer) = world.redeem(&app, &code).try_send().await else {
            client.code_in_doubt = Some(code);
            break;
        };
        client.access.push(answer.tokens().access);
        progress.one_more(ENOUGH);
    }
    client
}

async fn check(world: &World, app: &Application, client: Client) {
    for memo in &client.memos {
        let newest = client.access.last().unwrap();
        let answer = world.get(&format!("/api/memos/{memo}")).bearer(newest).await;
        assert_eq!(answer.status, 200, "it was answered 201: {answer}");
    }
    for access in &client.access {
        assert!(world.is_active(app, access).await, "it was answered 200");
    }
    let next = world.refresh(app, &client.refresh).await.tokens();
    assert!(world.is_active(app, &next.access).await);
    world.refresh(app, next.refresh()).await.tokens();
    if let Some(code) = client.code_in_doubt {
        let answer = world.redeem(app, &code).await;
        assert!(
            matches!(answer.status, 200 | 400),
            "redeemed or still good, and nothing between: {answer}"
        );
    }
}

async fn codes(world: &World, user: &User, app: &Application, count: usize) -> Vec<String> {
    let browser = world.signed_in(user).await;
    let mut codes = Vec::new();
    for _ in 0..count {
        codes.push(
            browser
                .authorize(&Ask::of(app).with("scope", "read write"))
                .await
                .code(),
        );
    }
    codes
}

on_each_database! {

// The window is long: a loaded machine may take its time to start again.
async fn what_was_answered_survives_a_kill(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    world.stop().await;
    let settings = ["--refresh-token-retry-window", "60s", "--authorization-code-ttl", "10m"];
    for _ in 0..2 {
        let mut process = Process::start(&world, &settings).await;
        let progress = Arc::new(Progress::default());
        let mut clients = Vec::new();
        for mut codes in [
            codes(&process.world, &alice, &app, 10).await,
            codes(&process.world, &alice, &app, 10).await,
        ] {
            let first = process.world.redeem(&app, &codes.pop().unwrap()).await.tokens();
            let working = work(process.world.clone(), app.clone(), first, codes, progress.clone());
            clients.push(tokio::spawn(working));
        }
        progress.enough.notified().await;
        process.kill();
        let process = Process::start(&world, &settings).await;
        for client in clients {
            check(&process.world, &app, client.await.unwrap()).await;
        }
    }
}

}
