//! Who learns nothing by introspection (RFC 7662 §2.1, §4).

use serde_json::json;

use crate::world::World;

on_each_database! {

async fn a_stranger_learns_nothing(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    world.introspect(&tokens.access).await.refused(401, "invalid_client");
    world.introspect(&tokens.access).basic(&app.client_id, "tgs_wrong").await.refused(401, "invalid_client");
    world.introspect(&tokens.access).bearer(&tokens.access).await.refused(401, "invalid_client");
}

async fn a_public_application_cannot_prove_who_asks(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let answer = world.introspect(&tokens.access).by(&app).await;
    assert!(!answer.body.contains("alice"), "anybody can say this client_id: {answer}");
    assert_ne!(answer.json()["active"], json!(true));
}

async fn another_application_sees_an_inactive_token(world: World) {
    let alice = world.user("alice").await;
    let (app, other) = (world.application().create().await, world.application().create().await);
    let tokens = world.tokens(&alice, &app).await;
    for token in [&tokens.access, tokens.refresh()] {
        assert!(!world.is_active(&other, token).await);
    }
}

async fn every_inactive_answer_is_the_same(world: World) {
    let alice = world.user("alice").await;
    let (app, other) = (world.application().create().await, world.application().create().await);
    let foreign = world.tokens(&alice, &other).await.access;
    let revoked = world.tokens(&alice, &app).await.access;
    world.revoke(&revoked).by(&app).await;
    let expired = world.tokens(&alice, &app).await.access;
    world.clock.advance(3600);
    for token in [&*foreign, &revoked, &expired, "unknown"] {
        assert_eq!(world.introspect(token).by(&app).await.body, "{\"active\":false}");
    }
}

async fn a_token_is_required_and_only_one(world: World) {
    let app = world.application().create().await;
    world.post("/oauth/introspect", &[]).by(&app).await.refused(400, "invalid_request");
    world.introspect("").by(&app).await.refused(400, "invalid_request");
    world.introspect("a").field("token", "b").by(&app).await.refused(400, "invalid_request");
}

async fn get_is_not_allowed(world: World) {
    let app = world.application().create().await;
    let answer = world.get("/oauth/introspect?token=x").by(&app).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{answer}");
}

}
