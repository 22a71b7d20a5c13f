//! An application on its own behalf (RFC 6749 §4.4), and what it does not get.

use crate::world::World;

on_each_database! {

async fn an_application_gets_a_token_of_its_own(world: World) {
    let app = world.application().scope("read write").create().await;
    let tokens = world.client_credentials(&app).field("scope", "read write").await.tokens();
    assert!(!tokens.has_refresh(), "RFC 6749 section 4.4.3");
    assert_eq!(tokens.json["scope"], "read write");
    let said = world.introspect(&tokens.access).by(&app).await.json();
    assert_eq!((said["sub"].as_str(), said.get("username")), (Some(&*app.client_id), None));
    assert_eq!(world.memos(&tokens.access).await.status, 200);
}

async fn the_secret_may_come_in_the_body(world: World) {
    let app = world.application().create().await;
    let request = world.token(&[("grant_type", "client_credentials")]);
    request.secret_in_body(&app.client_id, app.secret()).await.tokens();
}

async fn without_scope_the_default_is_granted(world: World) {
    let app = world.application().scope("read write").create().await;
    assert_eq!(world.client_credentials(&app).await.tokens().json["scope"], "read");
}

async fn an_application_keeps_memos_of_its_own(world: World) {
    let alice = world.user("alice").await;
    let (app, other) = (world.application().create().await, world.application().create().await);
    let write = async |app| world.client_credentials(app).field("scope", "read write").await.tokens().access;
    let token = write(&app).await;
    let memo = serde_json::json!({"message": "mine"});
    assert_eq!(world.request("POST", "/api/memos").bearer(&token).json(&memo).await.status, 201);
    assert_eq!(world.memos(&token).await.json()["memos"].as_array().unwrap().len(), 1);
    assert_eq!(world.memos(&write(&other).await).await.json()["memos"], serde_json::json!([]));
    let hers = world.tokens(&alice, &app).await;
    assert_eq!(world.memos(&hers.access).await.json()["memos"], serde_json::json!([]));
}

async fn a_public_application_has_no_credentials_to_show(world: World) {
    let app = world.application().public().create().await;
    let answer = world.client_credentials(&app).await;
    let error = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(["unauthorized_client", "invalid_client"].contains(&&*error), "{answer}");
}

async fn a_scope_that_is_unknown_or_not_allowed_is_refused(world: World) {
    let app = world.application().scope("read").create().await;
    for scope in ["write", "read write", "unknown", "openid"] {
        world.client_credentials(&app).field("scope", scope).await.refused(400, "invalid_scope");
    }
}

async fn an_application_without_the_grant_is_refused(world: World) {
    let app = world.application().grant("authorization_code").create().await;
    world.client_credentials(&app).await.refused(400, "unauthorized_client");
}

async fn the_lifetime_of_an_application_is_its_own(world: World) {
    let app = world.application().access_token_ttl("60s").create().await;
    let tokens = world.client_credentials(&app).await.tokens();
    assert_eq!(tokens.json["expires_in"], 60);
    world.clock.advance(59);
    assert_eq!(world.memos(&tokens.access).await.status, 200);
    world.clock.advance(1);
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
}

}
