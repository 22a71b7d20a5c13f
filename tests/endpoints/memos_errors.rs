//! Who does not get at the memos (RFC 6750 §3), and which memos are refused.

use serde_json::json;

use super::memos::{token, write};
use crate::world::{Answer, World};

on_each_database! {

async fn without_a_token_the_challenge_names_no_error(world: World) {
    for (method, path) in
        [("GET", "/api/memos"), ("POST", "/api/memos"), ("GET", "/api/memos/x"), ("DELETE", "/api/memos/x")]
    {
        world.request(method, path).await.challenged(401, "");
    }
}

async fn a_token_anywhere_but_in_the_header_is_not_seen(world: World) {
    let app = world.application().create().await;
    let token = world.client_credentials(&app).await.tokens().access;
    world.get(&format!("/api/memos?access_token={token}")).await.challenged(401, "");
    world.post("/api/memos", &[("access_token", &token), ("message", "x")]).await.challenged(401, "");
    world.get("/api/memos").header("Cookie", &format!("access_token={token}")).await.challenged(401, "");
}

async fn a_changed_token_is_no_token(world: World) {
    let app = world.application().create().await;
    let token = world.client_credentials(&app).await.tokens().access;
    let mut changed: Vec<String> = (1..token.len()).map(|length| token[..length].to_owned()).collect();
    let last = if token.ends_with('A') { 'B' } else { 'A' };
    changed.push(format!("{}{last}", &token[..token.len() - 1]));
    changed.push(token.to_uppercase());
    changed.push(token.to_lowercase());
    changed.push(format!("{token}A"));
    changed.push(format!("{token}="));
    changed.push(token.replace("tga_", "tgr_"));
    changed.push(token.replacen('_', "%5F", 1));
    for wrong in changed {
        world.memos(&wrong).await.challenged(401, "invalid_token");
    }
    assert_eq!(world.memos(&token).await.status, 200);
}

async fn a_header_that_can_be_read_two_ways_is_refused(world: World) {
    let app = world.application().create().await;
    let token = world.client_credentials(&app).await.tokens().access;
    for header in [
        format!("Bearer {token},"),
        format!("Bearer {token} {token}"),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
    ] {
        let answer = world.get("/api/memos").header("Authorization", &header).await;
        assert!(matches!(answer.status, 400 | 401), "{header:?}: {answer}");
    }
    for header in [format!("BearerX {token}"), format!("Token {token}"), token.clone()] {
        let answer = world.get("/api/memos").header("Authorization", &header).await;
        assert_eq!(answer.status, 401, "{header:?}: {answer}");
    }
    let two = world.memos(&token).header("Authorization", "Bearer tga_other").await;
    assert_eq!((two.status, &two.json()["error"]), (400, &json!("invalid_request")), "{two}");
}

async fn no_other_credential_passes_for_a_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    browser.get("/api/memos").await.challenged(401, "");
    let tokens = world.tokens(&alice, &app).await;
    world.memos(tokens.refresh()).await.challenged(401, "invalid_token");
    world.memos(app.secret()).await.challenged(401, "invalid_token");
    assert_eq!(world.get("/api/memos").basic(&app.client_id, app.secret()).await.status, 401);
    assert_eq!(world.get("/api/memos").basic(&tokens.access, "x-oauth-basic").await.status, 401);
    assert_eq!(world.get("/api/memos").basic("alice", &alice.password).await.status, 401);
}

async fn a_scope_too_small_is_named(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let reader = world.tokens(&alice, &app).await.access;
    let answer = write(&world, &reader, "x").await;
    answer.challenged(403, "insufficient_scope");
    assert!(answer.header("www-authenticate").contains("scope=\"write\""), "{answer}");
    let memo = write(&world, &token(&world, &alice, &app).await, "x").await.json();
    let path = format!("/api/memos/{}", memo["id"].as_str().unwrap());
    world.request("DELETE", &path).bearer(&reader).await.challenged(403, "insufficient_scope");
    let change = world.request("PATCH", &path).bearer(&reader).json(&json!({"message": "y"})).await;
    change.challenged(403, "insufficient_scope");
    assert_eq!(world.get(&path).bearer(&reader).await.status, 200);
}

async fn a_writer_cannot_read(world: World) {
    let app = world.application().create().await;
    let writer = world.client_credentials(&app).field("scope", "write").await.tokens().access;
    world.memos(&writer).await.challenged(403, "insufficient_scope");
    assert_eq!(write(&world, &writer, "x").await.status, 201);
}

async fn the_token_of_a_disabled_user_opens_nothing(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    assert_eq!(world.command(&["user", "disable", "alice"], "").await.exit, 0);
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
}

async fn a_memo_that_is_none_is_refused(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let token = token(&world, &alice, &app).await;
    let bodies = [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        json!({"message": ""}).to_string(),
        json!({"message": 1}).to_string(),
        json!({"message": null}).to_string(),
        json!({"message": "x".repeat(10_001)}).to_string(),
        json!({"message": "a\u{0}b"}).to_string(),
        "{\"message\":\"\\ud800\"}".to_owned(),
        "[".repeat(10_000),
    ];
    for body in bodies {
        let answer =
            world.request("POST", "/api/memos").bearer(&token).body("application/json", body.clone()).await;
        let said = answer.json();
        assert_eq!((answer.status, said["error"].as_str()), (400, Some("invalid_request")), "{answer}");
    }
    assert_eq!(
        write(&world, &token, &"ふ".repeat(10_000)).await.status,
        201,
        "ten thousand characters, not bytes"
    );
}

async fn a_page_that_is_none_is_refused(world: World) {
    let app = world.application().create().await;
    let token = world.client_credentials(&app).await.tokens().access;
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "limit=1e3",
        "limit=1.0",
        "limit=0x10",
        "limit=%2B5",
        "limit=%205",
        "limit=%EF%BC%95",
        "limit=99999999999999999999",
        "limit=50&limit=50",
        "after=x",
        "after=%00",
        "limit=1&limit=2",
    ] {
        let answer = world.get(&format!("/api/memos?{query}")).bearer(&token).await;
        assert_eq!(answer.status, 400, "{query}: {answer}");
    }
    assert_eq!(world.get("/api/memos?limit=100").bearer(&token).await.status, 200);
}

async fn a_page_after_no_memo_of_ones_own_is_refused(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = world.application().create().await;
    let (hers, his) = (token(&world, &alice, &app).await, token(&world, &bob, &app).await);
    let id = |memo: &Answer| memo.json()["id"].as_str().unwrap().to_owned();
    let (gone, kept) = (id(&write(&world, &hers, "gone").await), id(&write(&world, &hers, "kept").await));
    assert_eq!(world.request("DELETE", &format!("/api/memos/{gone}")).bearer(&hers).await.status, 204);
    let after = |token: &str, id: &str| world.get(&format!("/api/memos?after={id}")).bearer(token);
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (token, id) in [(&hers, unknown), (&hers, &*gone), (&his, &*kept)] {
        after(token, id).await.refused(400, "invalid_request");
    }
    assert_eq!(after(&hers, &kept).await.json(), json!({"memos": []}), "the last page");
}

async fn an_unknown_memo_is_not_found(world: World) {
    let app = world.application().create().await;
    let token = world.client_credentials(&app).await.tokens().access;
    for id in ["x", "00000000-0000-0000-0000-000000000000", "%00", "%ff", "..%2Fmemos"] {
        let answer = world.get(&format!("/api/memos/{id}")).bearer(&token).await;
        assert!(matches!(answer.status, 400 | 404), "{id}: {answer}");
    }
}

}
