//! Worlds are apart from one another, and gone when they are dropped.

use std::collections::HashSet;

use crate::world::{Sandbox, at_once};

async fn access_token(sandbox: &Sandbox) -> String {
    sandbox.token("client_credentials").await.tokens().access
}

async fn opens_memos(sandbox: &Sandbox, token: &str) -> bool {
    sandbox.get("/api/memos").bearer(token).await.status == 200
}

in_a_sandbox! {

async fn it_tells_what_a_test_needs(sandbox: Sandbox) {
    let told = sandbox.control("GET", "").await.json();
    assert_eq!(told["issuer"], sandbox.issuer);
    assert_eq!(told["control"], format!("{}/sandbox", sandbox.issuer));
    let (user, confidential) = (&told["users"][0], &told["applications"][0]);
    let browser = sandbox.browser();
    let (name, password) = (user["username"].as_str().unwrap(), user["password"].as_str().unwrap());
    assert_eq!(browser.try_to_sign_in(name, password).await.status, 303);
    let (id, secret) = (confidential["client_id"].as_str().unwrap(), confidential["client_secret"].as_str().unwrap());
    let tokens = sandbox.request("POST", "/oauth/token").field("grant_type", "client_credentials").basic(id, secret);
    assert_eq!(tokens.await.status, 200);
    assert!(told["applications"][1].get("client_secret").is_none());
    assert_eq!(told["scopes"], serde_json::json!(["read", "write"]));
}

async fn each_world_has_its_own_issuer_and_metadata(sandbox: Sandbox) {
    let other = sandbox.another().await;
    let path = other.issuer.strip_prefix(&sandbox.issuer).unwrap();
    for address in [
        format!("{}/.well-known/oauth-authorization-server{path}", sandbox.issuer),
        format!("{}/.well-known/oauth-authorization-server", other.issuer),
    ] {
        let metadata = sandbox.get(&address).await.json();
        assert_eq!(metadata["issuer"], other.issuer);
        assert_eq!(metadata["token_endpoint"], format!("{}/oauth/token", other.issuer));
    }
    let memos = format!("{}/.well-known/oauth-protected-resource{path}/api/memos", sandbox.issuer);
    assert_eq!(sandbox.get(&memos).await.json()["resource"], format!("{}/api/memos", other.issuer));
    let root = sandbox.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(root["issuer"], sandbox.issuer);
}

async fn a_token_of_one_world_means_nothing_in_another(sandbox: Sandbox) {
    let other = sandbox.another().await;
    let (here, there) = (access_token(&sandbox).await, access_token(&other).await);
    assert!(opens_memos(&sandbox, &here).await && opens_memos(&other, &there).await);
    assert!(!opens_memos(&sandbox, &there).await && !opens_memos(&other, &here).await);
}

async fn a_session_of_one_world_means_nothing_in_another(sandbox: Sandbox) {
    let (one, two) = (sandbox.another().await, sandbox.another().await);
    let browser = one.browser();
    browser.sign_in(&Sandbox::alice()).await;
    assert_eq!(browser.get("/account").await.status, 200);
    assert_ne!(browser.get(&format!("{}/account", two.issuer)).await.status, 200);
    browser.get(&format!("{}/login", two.issuer)).await;
    assert_eq!(browser.get("/account").await.status, 200, "nor does the other take its cookie away");
}

async fn a_dropped_world_is_gone_and_the_others_stay(sandbox: Sandbox) {
    let (kept, dropped) = (sandbox.another().await, sandbox.another().await);
    let token = access_token(&kept).await;
    assert_eq!(dropped.control("DELETE", "").await.status, 204);
    dropped.get("/healthz").await.refused(404, "not_found");
    dropped.control("GET", "").await.refused(404, "not_found");
    assert!(opens_memos(&kept, &token).await);
    sandbox.control("DELETE", "").await.refused(409, "conflict");
    assert_eq!(sandbox.get("/healthz").await.status, 200);
}

async fn a_reset_begins_anew_under_the_same_issuer(sandbox: Sandbox) {
    let other = sandbox.another().await;
    let (here, there) = (access_token(&sandbox).await, access_token(&other).await);
    other.steer("PATCH", "/clock", &serde_json::json!({"frozen": true, "advance": "1d"})).await;
    let reset = other.control("POST", "/reset").await;
    assert_eq!((reset.status, &reset.json()["issuer"]), (200, &other.issuer.clone().into()));
    assert_eq!(reset.json()["clock"]["frozen"], false);
    assert!(!opens_memos(&other, &there).await);
    let fresh = access_token(&other).await;
    assert!(opens_memos(&other, &fresh).await);
    assert!(opens_memos(&sandbox, &here).await, "the other worlds go on");
}

async fn a_world_may_have_settings_of_its_own(sandbox: Sandbox) {
    let settings = serde_json::json!({
        "access_token_ttl": "61s", "scopes": ["read=Look", "sign"], "default_scopes": "sign", "require_pkce": true,
        "grants": ["authorization_code", "client_credentials"], "session_ttl": 3600,
    });
    let body = serde_json::json!({"frozen": true, "now": 1_893_553_445, "settings": settings});
    let made = sandbox.steer("POST", "", &body).await;
    assert_eq!(made.status, 201, "{made}");
    assert_eq!(made.json()["scopes"], serde_json::json!(["read", "sign"]));
    let other = Sandbox::at(made.json()["issuer"].as_str().unwrap());
    for _ in 0..2 {
        let tokens = other.token("client_credentials").await.json();
        assert_eq!((&tokens["expires_in"], &tokens["scope"]), (&61.into(), &"sign".into()), "{tokens}");
        assert_eq!(tokens["created_at"], 1_893_553_445);
        let metadata = other.get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(metadata["grant_types_supported"], serde_json::json!(["authorization_code", "client_credentials"]));
        assert_eq!(other.control("POST", "/reset").await.status, 200, "it begins anew as it began");
    }
    assert_eq!(sandbox.token("client_credentials").await.json()["expires_in"], 3600, "the others have the process's");

    let machines = serde_json::json!({"settings": {"grants": ["client_credentials"], "oauth1": true}});
    let machines = sandbox.steer("POST", "", &machines).await.json();
    let named: Vec<_> = machines["applications"].as_array().unwrap().iter().map(|app| app["client_id"].clone()).collect();
    assert_eq!(named, ["confidential"], "a public application could do nothing");
    for list in [serde_json::json!(["read=Look,write"]), serde_json::json!([["read"]])] {
        let refused = sandbox.steer("POST", "", &serde_json::json!({"settings": {"scopes": list}})).await;
        refused.refused(400, "invalid_request");
    }
    for (name, value) in [
        ("access_token_ttl", "soon"), ("database_url", "sqlite://kept.db"), ("listen", "0.0.0.0:0"), ("colour", "red"),
        ("default_scopes", "nothing"),
    ] {
        let refused = sandbox.steer("POST", "", &serde_json::json!({"settings": {name: value}})).await;
        refused.refused(400, "invalid_request");
        assert!(refused.body.contains(name), "{refused}");
    }
}

async fn many_are_made_at_once_each_of_its_own(sandbox: Sandbox) {
    let made = at_once(20, |_| {
        let sandbox = sandbox.clone();
        async move {
            let other = sandbox.another().await;
            let token = access_token(&other).await;
            assert!(opens_memos(&other, &token).await);
            other.issuer
        }
    })
    .await;
    assert_eq!(made.into_iter().collect::<HashSet<_>>().len(), 20);
}

async fn a_seeded_application_takes_any_loopback_redirect_uri_and_no_other(sandbox: Sandbox) {
    let browser = sandbox.browser();
    browser.sign_in(&Sandbox::alice()).await;
    let ask = |redirect_uri: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", "confidential")
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("state", "x")
            .finish();
        browser.get(&format!("/oauth/authorize?{query}"))
    };
    for uri in ["http://127.0.0.1:4567/some/path", "http://localhost:3000/cb?a=1", "http://[::1]:9/", "http://127.0.0.1/callback"] {
        let page = ask(uri).await;
        assert!(crate::form::Form::with_id(&page.body, "authorize").is_some(), "{uri}: {page}");
    }
    for uri in ["https://app.example/cb", "http://127.0.0.1.evil.test/cb", "http://localhost@evil.test/cb"] {
        let refused = ask(uri).await;
        assert_eq!(refused.status, 400, "{uri}: {refused}");
    }
    let own = serde_json::json!({ "client_id": "own", "redirect_uris": ["https://app.example/cb"], "localhost_any_port": false });
    assert_eq!(sandbox.steer("POST", "/applications", &own).await.status, 201);
    let refused = browser
        .get("/oauth/authorize?response_type=code&client_id=own&redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcb")
        .await;
    assert_eq!(refused.status, 400, "of another application what is registered counts: {refused}");
}

async fn many_clients_bring_a_redirect_uri_of_their_own_at_once(sandbox: Sandbox) {
    let answers = at_once(16, |number| {
        let address = format!(
            "/oauth/authorize?response_type=code&client_id=confidential&login_hint=alice\
             &redirect_uri=http%3A%2F%2F127.0.0.1%3A9%2Fcb{number}"
        );
        let request = sandbox.get(&address);
        async move { request.await }
    })
    .await;
    for answer in answers {
        assert_eq!(answer.status, 302, "{answer}");
    }
}

async fn every_page_says_that_it_is_a_sandbox(sandbox: Sandbox) {
    let browser = sandbox.browser();
    for path in ["/login", "/", "/nowhere", "/oauth/authorize", "/oauth/errors/invalid_grant"] {
        let page = browser.get(path).await;
        let page = match page.location() {
            Some(next) => browser.get(next.as_str()).await,
            None => page,
        };
        assert!(page.body.contains("This is a sandbox"), "{path}: {page}");
    }
}

}
