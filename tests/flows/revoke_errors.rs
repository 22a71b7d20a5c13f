//! Who cannot revoke (RFC 7009 §2.1).

use crate::world::World;

on_each_database! {

async fn a_confidential_application_must_prove_itself(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let named = world.revoke(&tokens.access).field("client_id", &app.client_id);
    named.await.refused(401, "invalid_client");
    world.revoke(&tokens.access).basic(&app.client_id, "tgs_wrong").await.refused(401, "invalid_client");
    world.revoke(&tokens.access).await.refused(401, "invalid_client");
    world.revoke(&tokens.access).bearer(&tokens.access).await.refused(401, "invalid_client");
    assert!(world.is_active(&app, &tokens.access).await);
}

async fn a_public_application_must_name_itself(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let answer = world.revoke(&tokens.access).await;
    assert!(matches!(answer.status, 400 | 401), "{answer}");
    assert_eq!(world.memos(&tokens.access).await.status, 200);
}

async fn the_token_of_another_application_is_left_alone_without_a_word(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    for other in [world.application().create().await, world.application().public().create().await] {
        for token in [&tokens.access, tokens.refresh()] {
            let answer = world.revoke(token).by(&other).await;
            assert_eq!((answer.status, &*answer.body), (200, "{}"));
        }
    }
    assert!(world.is_active(&app, &tokens.access).await);
    world.refresh(&app, tokens.refresh()).await.tokens();
}

async fn a_token_is_required_and_only_one(world: World) {
    let app = world.application().create().await;
    world.post("/oauth/revoke", &[]).by(&app).await.refused(400, "invalid_request");
    world.revoke("").by(&app).await.refused(400, "invalid_request");
    world.revoke("a").field("token", "b").by(&app).await.refused(400, "invalid_request");
}

async fn a_token_in_the_query_is_not_read(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let path = format!("/oauth/revoke?token={}&callback=steal", tokens.access);
    let get = world.get(&path).by(&app).await;
    assert_eq!((get.status, get.header("allow")), (405, "POST"), "{get}");
    world.post(&path, &[]).by(&app).await.refused(400, "invalid_request");
    assert!(world.is_active(&app, &tokens.access).await);
}

}
