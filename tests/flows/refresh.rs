//! Refreshing (RFC 6749 §6) with rotation (RFC 9700 §4.14.2).

use crate::world::{Ask, World};

on_each_database! {

async fn a_refresh_gives_a_new_pair(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let first = world.tokens(&alice, &app).await;
    world.clock.advance(3600);
    world.memos(&first.access).await.challenged(401, "invalid_token");
    let second = world.refresh(&app, first.refresh()).await.tokens();
    assert_ne!((&*second.access, second.refresh()), (&*first.access, first.refresh()));
    assert_eq!(second.json["scope"], "read");
    assert_eq!(world.memos(&second.access).await.status, 200);
    let third = world.refresh(&app, second.refresh()).await.tokens();
    assert_ne!(third.refresh(), second.refresh());
}

async fn a_public_application_refreshes_too(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    assert_ne!(second.refresh(), first.refresh(), "a public application's token always rotates");
}

async fn a_refresh_can_narrow_and_come_back_to_what_was_granted(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let ask = Ask::of(&app).with("scope", "read write");
    let code = world.browser().authorize_as(&alice, &ask).await.code();
    let first = world.redeem(&app, &code).await.tokens();
    let narrow = world.refresh(&app, first.refresh()).field("scope", "read").await.tokens();
    assert_eq!(narrow.json["scope"], "read");
    let memo = serde_json::json!({"message": "ふじ"});
    let written = world.request("POST", "/api/memos").bearer(&narrow.access).json(&memo).await;
    written.challenged(403, "insufficient_scope");
    let whole = world.refresh(&app, narrow.refresh()).field("scope", "").await.tokens();
    assert_eq!(whole.json["scope"], "read write");
}

async fn a_lost_answer_is_given_again(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    world.clock.advance(9);
    let again = world.refresh(&app, first.refresh()).await.tokens();
    assert_eq!((&again.access, again.refresh()), (&second.access, second.refresh()));
    assert!(world.is_active(&app, &again.access).await);
    world.refresh(&app, again.refresh()).await.tokens();
}

async fn a_lost_answer_outlives_a_restart(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    world.restart().await;
    let again = world.refresh(&app, first.refresh()).await.tokens();
    assert_eq!(again.refresh(), second.refresh());
}

async fn what_introspection_says_of_a_rotated_access_token_is_true(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    world.refresh(&app, first.refresh()).await.tokens();
    let active = world.is_active(&app, &first.access).await;
    assert_eq!(world.memos(&first.access).await.status == 200, active);
}

async fn daily_use_keeps_a_grant_alive(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let mut tokens = world.tokens(&alice, &app).await;
    for _ in 0..5 {
        world.clock.advance(29 * 24 * 3600);
        tokens = world.refresh(&app, tokens.refresh()).await.tokens();
    }
    assert_eq!(world.memos(&tokens.access).await.status, 200);
}

}
