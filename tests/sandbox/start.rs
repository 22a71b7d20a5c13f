//! The command: what it says, and when it does not start.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use crate::world::{Pair, Sandbox, World, at_once};

fn sandbox_command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tegata"));
    command
        .arg("sandbox")
        .args(arguments)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// What a process has.
#[derive(Debug)]
struct Held {
    threads: u64,
    /// In KiB.
    memory: u64,
}

impl Held {
    fn by(pid: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        Self {
            threads: number("Threads:"),
            memory: number("VmRSS:"),
        }
    }
}

/// What it says instead of starting.
async fn refusal(command: &mut Command) -> String {
    let ended = command.output().await.unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(ended.stdout.is_empty());
    told
}

in_a_sandbox! {

async fn the_command_says_where_it_is_and_keeps_nothing(_: Sandbox) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tegata.toml"), "database_url = \"sqlite://kept.db\"\n").unwrap();
    let mut child = sandbox_command(&["--listen", "127.0.0.1:0"])
        .env("DATABASE_URL", "postgres://somebody@example.test/else")
        .current_dir(folder.path())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_eq!(ready["event"], "ready");
    let sandbox = Sandbox::at(ready["issuer"].as_str().unwrap());
    assert_eq!(sandbox.token("client_credentials").await.status, 200);
    let here: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(here, ["tegata.toml"]);
    child.kill().await.unwrap();
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).await.unwrap();
    assert_eq!(told, "", "a quiet start");
}

async fn a_thousand_worlds_leave_nothing_behind(_: Sandbox) {
    const AT_ONCE: usize = 50;
    let mut child = sandbox_command(&["--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let sandbox = Sandbox::at(ready["issuer"].as_str().unwrap());
    let pid = child.id().unwrap();
    let mut held = Vec::new();
    for _ in 0..1000 / AT_ONCE {
        at_once(AT_ONCE, |_| {
            let sandbox = sandbox.clone();
            async move {
                let world = sandbox.another().await;
                assert_eq!(world.token("client_credentials").await.status, 200);
                assert_eq!(world.control("DELETE", "").await.status, 204);
            }
        })
        .await;
        held.push(Held::by(pid));
    }
    let (early, late) = (&held[held.len() / 4], &held[held.len() - 1]);
    assert!(late.threads <= early.threads + 4, "{held:?}");
    assert!(late.memory * 4 <= early.memory * 5, "{held:?}");
    child.kill().await.unwrap();
}

async fn it_takes_no_store(_: Sandbox) {
    for url in ["sqlite://data/tegata.db", "postgres://tegata@127.0.0.1:1/tegata"] {
        let told = refusal(&mut sandbox_command(&["--listen", "127.0.0.1:0", "--database-url", url])).await;
        assert!(told.contains("--database-url") && told.contains("takes no store"), "{told}");
    }
}

async fn a_file_that_is_named_counts(_: Sandbox) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tests.toml");
    let named = ["--config", file.to_str().unwrap()];
    std::fs::write(&file, "listen = \"127.0.0.1:0\"\naccess_token_ttl = \"61s\"\n").unwrap();
    let mut child = sandbox_command(&named).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    assert_ne!(ready["listen"], "127.0.0.1:3801");
    let sandbox = Sandbox::at(ready["issuer"].as_str().unwrap());
    assert_eq!(sandbox.token("client_credentials").await.json()["expires_in"], 61);
    child.kill().await.unwrap();
    std::fs::write(&file, "database_url = \"sqlite://data/tegata.db\"\n").unwrap();
    let told = refusal(&mut sandbox_command(&named)).await;
    assert!(told.contains("tests.toml") && told.contains("takes no store"), "{told}");
}

async fn an_address_for_certificates_is_an_address_too(_: Sandbox) {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::self_signed("localhost", |_| {});
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
    std::fs::write(&certificate, &pair.certificate_pem).unwrap();
    std::fs::write(&key, &pair.key_pem).unwrap();
    let told = refusal(
        sandbox_command(&["--listen", "127.0.0.1:0", "--mtls-listen", "0.0.0.0:0"])
            .arg("--tls-certificate")
            .arg(&certificate)
            .arg("--tls-key")
            .arg(&key),
    )
    .await;
    assert!(told.contains("--beyond-loopback"), "{told}");
}

async fn it_leaves_the_machine_only_by_a_word_and_with_a_token(_: Sandbox) {
    let token = ("TEGATA_CONTROL_TOKEN", "0123456789abcdef");
    for arguments in [
        &["--listen", "0.0.0.0:0"][..],
        &["--listen", "127.0.0.1:0", "--public-url", "https://sandbox.example"],
    ] {
        let told = refusal(&mut sandbox_command(arguments)).await;
        assert!(told.contains("--beyond-loopback"), "{told}");
        refusal(sandbox_command(arguments).arg("--beyond-loopback")).await;
        refusal(sandbox_command(arguments).env(token.0, token.1)).await;
    }
    let mut child = sandbox_command(&["--listen", "0.0.0.0:0", "--beyond-loopback"]).env(token.0, token.1).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let ready: Value = serde_json::from_str(&lines.next_line().await.unwrap().unwrap()).unwrap();
    let port = ready["listen"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    let sandbox = Sandbox::at(&format!("http://127.0.0.1:{port}"));
    sandbox.control("GET", "").await.refused(403, "forbidden");
    sandbox.control("GET", "").bearer("0123456789abcdeF").await.refused(403, "forbidden");
    assert_eq!(sandbox.control("GET", "").bearer(token.1).await.status, 200);
    assert_eq!(sandbox.token("client_credentials").await.status, 200, "the server itself needs none");
    let page = sandbox.get("/sandbox/debugger").await;
    assert_eq!(page.status, 401, "{page}");
    assert!(page.header("www-authenticate").starts_with("Basic "), "a browser asks for it: {page}");
    assert_eq!(sandbox.get("/sandbox/debugger").basic("me", "0123456789abcdeF").await.status, 401);
    assert_eq!(sandbox.get("/sandbox/debugger").basic("me", token.1).await.status, 200);
    let foreign = sandbox.get("/sandbox/debugger").basic("me", token.1).header("Sec-Fetch-Site", "cross-site").await;
    assert_eq!(foreign.status, 403, "what the browser remembers is of no use to another page: {foreign}");
    child.kill().await.unwrap();
}

}

on_each_database! {

async fn serve_has_none_of_it(world: World) {
    for path in ["", "/clock", "/users", "/applications", "/authorize", "/tokens", "/scripts", "/requests", "/openapi.json", "/debugger"] {
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            let answer = world.request(method, &format!("/sandbox{path}")).json(&json!({})).await;
            assert_eq!(answer.status, 404, "{method} {path}: {answer}");
        }
    }
    assert_eq!(world.get("/s/1/healthz").await.status, 404);
    let login = world.get("/login").await;
    assert!(!login.body.contains("sandbox"), "{login}");
}

}
