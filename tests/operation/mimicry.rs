//! Requests that pretend to be others: another method, another host, another path.

use crate::world::{Ask, World};

const FORGED: &[(&str, &str)] = &[
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X-Forwarded-Port", "443"),
    ("X-Forwarded-Prefix", "/evil"),
    ("Forwarded", "for=127.0.0.1;host=evil.example;proto=https"),
    ("X-Original-URL", "/evil"),
    ("X-Rewrite-URL", "/evil"),
    ("X-Host", "evil.example"),
];

on_each_database! {

async fn a_method_is_what_the_request_line_says(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    for header in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        for method in ["DELETE", "PUT", "POST"] {
            let answer = world.memos(&tokens.access).header(header, method).await;
            assert_eq!(answer.status, 200, "{header}: {method}: {answer}");
            let answer = world.get("/oauth/token").header(header, method).await;
            assert_eq!(answer.status, 405, "{header}: {method}: {answer}");
        }
    }
    let browser = world.signed_in(&alice).await;
    let path = format!("{}&_method=delete", Ask::of(&app).path());
    let answer = browser.get(&path).await;
    assert!(!answer.header("location").contains("access_denied"), "a GET denies nothing: {answer}");
}

async fn forged_headers_change_nothing(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let expected = world.get("/.well-known/oauth-authorization-server").await.body;
    for (name, value) in FORGED {
        let metadata = world.get("/.well-known/oauth-authorization-server").header(name, value).await;
        assert_eq!(metadata.body, expected, "{name}");
        for path in ["/oauth/applications", "/account", "/oauth/authorized_applications", &Ask::of(&app).path()] {
            let answer = world.get(path).header(name, value).await;
            let location = answer.location().unwrap_or_else(|| panic!("{name}: {answer}"));
            assert_eq!(location.origin(), answer.url.origin(), "{name}: {answer}");
            assert!(!answer.header("location").contains("evil"), "{name}: {answer}");
        }
        let page = world.get("/login").header(name, value).await;
        assert!(!page.body.contains("evil"), "{name}: {page}");
        assert!(!page.header("set-cookie").contains("Secure"), "{name}: {page}");
    }
    let browser = world.signed_in(&alice).await;
    let answer = browser.get(&Ask::of(&app).path()).header("X-Forwarded-Host", "evil.example").await;
    assert!(!answer.body.contains("evil.example"), "{answer}");
}

async fn a_forged_host_changes_nothing(world: World) {
    let app = world.application().create().await;
    let expected = world.get("/.well-known/oauth-authorization-server").await.body;
    for host in ["evil.example", "evil.example:443", "localhost:1", "a@b"] {
        let metadata = world.get("/.well-known/oauth-authorization-server").header("Host", host).await;
        assert!(metadata.status == 400 || metadata.body == expected, "{host}: {metadata}");
        for path in ["/oauth/applications", &Ask::of(&app).path(), "/login"] {
            let answer = world.get(path).header("Host", host).await;
            assert!(!answer.header("location").contains("evil"), "{host}: {answer}");
            assert!(!answer.body.contains("evil"), "{host}: {answer}");
        }
    }
}

with("rate_limits" = "true")
async fn a_forged_address_does_not_buy_more_guesses(world: World) {
    world.user("alice").await;
    let browser = world.browser();
    let page = browser.get("/login").await;
    let form = crate::world::filled_in(&page, "alice", "not the password");
    let mut looked_at = 0;
    for number in 0..20 {
        let address = format!("192.0.2.{number}");
        let request = browser.submit(&page, &form).header("X-Forwarded-For", &address);
        let answer = request.header("Forwarded", &format!("for={address}")).await;
        looked_at += usize::from(answer.status == 422);
    }
    assert_eq!(looked_at, 5);
}

async fn a_trailing_slash_is_the_same_resource(world: World) {
    let alice = world.administrator("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    world.request("POST", "/oauth/token/").fields(&[("grant_type", "client_credentials")]).by(&app).await.tokens();
    let introspected = world.request("POST", "/oauth/introspect/").field("token", &tokens.access).by(&app).await;
    assert_eq!(introspected.json()["active"], true);
    assert_eq!(world.get("/oauth/token/info/").bearer(&tokens.access).await.status, 200);
    assert_eq!(world.get("/api/memos/?limit=1").bearer(&tokens.access).await.status, 200);
    assert_eq!(world.get("/.well-known/oauth-authorization-server/").await.status, 200);
    let browser = world.signed_in(&alice).await;
    for path in ["/account/", "/oauth/authorized_applications/"] {
        assert_eq!(browser.get(path).await.status, 200, "{path}");
    }
    let path = Ask::of(&app).path().replace("/authorize?", "/authorize/?");
    assert!(browser.get(&path).await.status < 400);
    assert_eq!(world.request("POST", "/oauth/revoke/").field("token", &tokens.access).by(&app).await.status, 200);
    assert!(!world.is_active(&app, &tokens.access).await);
}

async fn no_spelling_of_a_path_opens_what_another_does_not(world: World) {
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    for path in [
        "//account",
        "/account//",
        "/./account",
        "/%2e/account",
        "/oauth/../account",
        "/oauth/%2e%2e/account",
        "/%61ccount",
        "/account%2f",
        "/account%00",
        "/account;x=y",
        "/account/.",
        "/account%20",
        "/Account",
        "/api//memos",
        "/api/./memos",
        "/api/memos%2f",
        "/oauth//token",
        "/oauth/token%2finfo",
        "\\account",
    ] {
        for method in ["GET", "POST"] {
            let answer = world.send_bytes(head(method, path).as_bytes()).await;
            assert!(!answer.starts_with("HTTP/1.1 2") && !answer.starts_with("HTTP/1.1 5"), "{path}: {answer}");
            assert!(!answer.contains("alice"), "{path}: {answer}");
        }
    }
    assert_eq!(browser.get("/account").await.status, 200);
    for target in ["http://evil.example/account", "http://evil.example/oauth/applications"] {
        let answer = world.send_bytes(head("GET", target).as_bytes()).await;
        let location = answer.lines().find(|line| line.to_lowercase().starts_with("location:")).unwrap_or("");
        assert!(!location.contains("evil"), "{target}: {answer}");
    }
}

}

fn head(method: &str, target: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}
