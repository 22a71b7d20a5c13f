//! Giving a token back (RFC 7009).

use crate::world::World;

on_each_database! {

async fn a_revoked_refresh_token_takes_its_grant_with_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    let answer = world.revoke(second.refresh()).by(&app).await;
    assert_eq!((answer.status, &*answer.body), (200, "{}"));
    for token in [&first.access, &second.access, second.refresh()] {
        assert!(!world.is_active(&app, token).await);
    }
    world.memos(&second.access).await.challenged(401, "invalid_token");
    world.refresh(&app, second.refresh()).await.refused(400, "invalid_grant");
}

async fn a_revoked_access_token_takes_its_grant_with_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    assert_eq!(world.revoke(&tokens.access).by(&app).await.status, 200);
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
}

async fn another_grant_of_the_same_user_lives_on(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let (kept, given_back) = (world.tokens(&alice, &app).await, world.tokens(&alice, &app).await);
    assert_eq!(world.revoke(given_back.refresh()).by(&app).await.status, 200);
    assert_eq!(world.memos(&kept.access).await.status, 200);
}

async fn a_public_application_revokes_its_own(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().create().await;
    let tokens = world.tokens(&alice, &app).await;
    assert_eq!(world.revoke(&tokens.access).by(&app).await.status, 200);
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
}

async fn a_token_without_a_user_is_revoked_alike(world: World) {
    let app = world.application().create().await;
    let (given_back, kept) =
        (world.client_credentials(&app).await.tokens(), world.client_credentials(&app).await.tokens());
    assert_eq!(world.revoke(&given_back.access).by(&app).await.status, 200);
    world.memos(&given_back.access).await.challenged(401, "invalid_token");
    assert_eq!(world.memos(&kept.access).await.status, 200);
}

async fn a_hint_is_only_a_hint(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    for hint in ["refresh_token", "access-token", "nonsense", ""] {
        let tokens = world.tokens(&alice, &app).await;
        let answer = world.revoke(&tokens.access).field("token_type_hint", hint).by(&app).await;
        assert_eq!(answer.status, 200, "{answer}");
        world.memos(&tokens.access).await.challenged(401, "invalid_token");
    }
}

async fn what_is_not_there_is_revoked_already(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let expired = world.client_credentials(&app).await.tokens().access;
    world.clock.advance(3600);
    for token in ["unknown", "tga_", &expired, tokens.refresh(), tokens.refresh(), &tokens.access] {
        let answer = world.revoke(token).by(&app).await;
        assert_eq!((answer.status, &*answer.body), (200, "{}"), "{token}");
    }
}

async fn the_command_revokes_too(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let one = world.tokens(&alice, &app).await;
    let printed = world.command(&["token", "revoke"], &format!("{}\n", one.access)).await;
    assert_eq!(printed.exit, 0, "{printed:?}");
    world.memos(&one.access).await.challenged(401, "invalid_token");
    for whose in [["--user", "alice"], ["--application", &app.client_id]] {
        let tokens = world.tokens(&alice, &app).await;
        let printed = world.command(&["token", "revoke", whose[0], whose[1]], "").await;
        assert_eq!(printed.exit, 0, "{printed:?}");
        world.memos(&tokens.access).await.challenged(401, "invalid_token");
        world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
    }
}

async fn a_revoked_token_stays_revoked_after_a_restart(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    world.revoke(tokens.refresh()).by(&app).await;
    world.restart().await;
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
}

async fn a_token_revoked_at_one_node_is_dead_at_the_other(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let other = world.second_node().await;
    assert_eq!(other.memos(&tokens.access).await.status, 200, "known to the other node");
    world.revoke(&tokens.access).by(&app).await;
    other.memos(&tokens.access).await.challenged(401, "invalid_token");
    other.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
}

}
