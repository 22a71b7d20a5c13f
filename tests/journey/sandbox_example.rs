//! The Rust example of docs/testing-clients.md, word by word.

/// `reqwest` with the cryptography that this test run is built with.
mod reqwest {
    pub(super) struct Client;

    impl Client {
        #[expect(
            clippy::new_ret_no_self,
            reason = "the example makes the real one by this name"
        )]
        pub(super) fn new() -> ::reqwest::Client {
            super::client()
        }
    }
}

pub(super) fn client() -> ::reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    ::reqwest::Client::new()
}

use std::error::Error;

use serde_json::{Value, json};

#[tokio::test]
async fn a_token_works_until_it_expires_or_the_resource_fails() -> Result<(), Box<dyn Error>> {
    let sandbox = tegata::sandbox::start().await?;
    let issuer = sandbox.issuer().as_str();
    let http = reqwest::Client::new();
    let steer = async |path: &str, body: Value| {
        let request = http.post(format!("{issuer}/sandbox{path}")).json(&body);
        request.send().await?.error_for_status()?.json::<Value>().await
    };

    let tokens = steer("/tokens", json!({"scope": "read"})).await?;
    let access_token = tokens["access_token"].as_str().ok_or("no token")?;
    let url = format!("{issuer}/api/memos");
    let memos = || http.get(&url).bearer_auth(access_token).send();
    assert_eq!(memos().await?.status(), 200);

    let limited = json!({"endpoint": "memos", "answer": {"status": 429, "retry_after": 7}});
    steer("/scripts", limited).await?;
    assert_eq!(memos().await?.headers()["retry-after"], "7");

    let world = sandbox.sandboxes().root().ok_or("it has stopped")?;
    world.clock().advance(3600);
    assert_eq!(memos().await?.status(), 401);
    sandbox.stop().await;
    Ok(())
}
