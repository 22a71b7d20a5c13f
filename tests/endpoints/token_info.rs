//! `GET /oauth/token/info`: what a bearer token says of itself.

use serde_json::json;

use crate::world::{Ask, World};

on_each_database! {

async fn a_token_tells_about_itself(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let ask = Ask::of(&app).with("scope", "read write");
    let code = world.browser().authorize_as(&alice, &ask).await.code();
    let tokens = world.redeem(&app, &code).await.tokens();
    let made = world.clock.now().unix_timestamp();
    world.clock.advance(100);
    let answer = world.get("/oauth/token/info").bearer(&tokens.access).await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(
        answer.json(),
        json!({
            "resource_owner_id": alice.id,
            "scope": ["read", "write"],
            "expires_in": 3500,
            "application": {"uid": app.client_id},
            "created_at": made,
        })
    );
    assert_eq!(answer.header("cache-control"), "no-store");
}

async fn a_token_without_a_user_has_no_resource_owner(world: World) {
    let app = world.application().create().await;
    let tokens = world.client_credentials(&app).await.tokens();
    let json = world.get("/oauth/token/info").bearer(&tokens.access).await.json();
    assert_eq!((json.get("resource_owner_id"), &json["application"]["uid"]), (None, &json!(app.client_id)));
}

async fn a_dead_token_tells_nothing(world: World) {
    let app = world.application().create().await;
    let token = world.client_credentials(&app).await.tokens().access;
    world.get("/oauth/token/info").await.challenged(401, "");
    world.get("/oauth/token/info").bearer("tga_unknown").await.challenged(401, "invalid_token");
    world.revoke(&token).by(&app).await;
    world.get("/oauth/token/info").bearer(&token).await.challenged(401, "invalid_token");
}

async fn a_refresh_token_is_no_bearer_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    world.get("/oauth/token/info").bearer(tokens.refresh()).await.challenged(401, "invalid_token");
}

}
