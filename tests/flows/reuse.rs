//! An application that is given the token that it has.

use crate::world::World;

const CHOSEN: &str = "a secret that somebody chose, of 40 chars";

on_each_database! {

async fn asked_again_for_the_same_it_is_the_same_token(world: World) {
    let app = world.application().scope("read write").reuses_access_token().create().await;
    let first = world.client_credentials(&app).await.tokens();
    world.clock.advance(1800);
    let again = world.client_credentials(&app).await.tokens();
    assert_eq!((&again.access, &again.json["expires_in"]), (&first.access, &1800.into()), "half its life is left");
    assert_eq!(again.json["created_at"], first.json["created_at"]);
    let wider = world.client_credentials(&app).field("scope", "read write").await.tokens();
    assert_ne!(wider.access, first.access, "another scope is another token");
    let wider_again = world.client_credentials(&app).field("scope", "write read").await.tokens();
    assert_eq!(wider_again.access, wider.access);
    world.clock.advance(1);
    let next = world.client_credentials(&app).await.tokens();
    assert_ne!(next.access, first.access, "less than half is left");
    assert_eq!(next.json["expires_in"], 3600);
    assert_eq!(world.memos(&first.access).await.status, 200, "and the old one lives on until its end");
}

async fn the_token_is_given_again_after_a_restart_and_by_another_node(world: World) {
    let app = world.application().reuses_access_token().create().await;
    let first = world.client_credentials(&app).await.tokens();
    world.restart().await;
    assert_eq!(world.client_credentials(&app).await.tokens().access, first.access);
    let node = world.second_node().await;
    assert_eq!(node.client_credentials(&app).await.tokens().access, first.access);
}

async fn a_token_that_was_revoked_is_not_given_again(world: World) {
    let app = world.application().reuses_access_token().create().await;
    let first = world.client_credentials(&app).await.tokens();
    assert_eq!(world.revoke(&first.access).by(&app).await.status, 200);
    let next = world.client_credentials(&app).await.tokens();
    assert_ne!(next.access, first.access);
    assert_eq!(world.memos(&next.access).await.status, 200);
}

async fn who_has_another_secret_gets_another_token(world: World) {
    let app = world.application().reuses_access_token().create().await;
    let first = world.client_credentials(&app).await.tokens();
    let rotated = world.command(&["application", "rotate-secret", &app.client_id, "--json"], "").await.json();
    let secret = rotated["client_secret"].as_str().unwrap();
    let fresh = crate::world::Application::known(&app.client_id, Some(secret), app.redirect_uri());
    let next = world.soon(200, || world.client_credentials(&fresh)).await.tokens();
    assert_ne!(next.access, first.access);
    assert_eq!(world.client_credentials(&fresh).await.tokens().access, next.access);
    let other = world.application().reuses_access_token().create().await;
    assert_ne!(world.client_credentials(&other).await.tokens().access, next.access);
}

async fn a_chosen_secret_seals_nothing(world: World) {
    let app = world.application().reuses_access_token().chosen_secret(CHOSEN).create().await;
    let first = world.client_credentials(&app).await.tokens();
    assert_ne!(world.client_credentials(&app).await.tokens().access, first.access);
}

async fn who_was_not_set_up_so_gets_a_new_token(world: World) {
    let app = world.application().create().await;
    let first = world.client_credentials(&app).await.tokens();
    assert_ne!(world.client_credentials(&app).await.tokens().access, first.access);
}

async fn a_refresh_gives_the_access_token_of_its_grant_again(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().reuses_access_token().create().await;
    let first = world.tokens(&alice, &app).await;
    world.clock.advance(1000);
    let second = world.refresh(&app, first.refresh()).await.tokens();
    assert_eq!((&second.access, &second.json["expires_in"]), (&first.access, &2600.into()));
    assert_ne!(second.refresh(), first.refresh(), "the refresh token rotates all the same");
    world.clock.advance(1000);
    let third = world.refresh(&app, second.refresh()).await.tokens();
    assert_ne!(third.access, first.access);
    assert_eq!(third.json["expires_in"], 3600);
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    assert!(!world.is_active(&app, &third.access).await, "a replay still ends the grant");
}

with("resources" = "https://api.example,https://other.example")
async fn a_token_for_one_resource_is_not_given_for_another(world: World) {
    let app = world.application().reuses_access_token().create().await;
    let ask = |resource: &'static str| world.client_credentials(&app).field("resource", resource);
    let first = ask("https://api.example").await.tokens();
    assert_ne!(ask("https://other.example").await.tokens().access, first.access);
    assert_ne!(world.client_credentials(&app).await.tokens().access, first.access);
    assert_eq!(ask("https://api.example").await.tokens().access, first.access);
}

async fn a_new_authorization_gives_a_new_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().reuses_access_token().create().await;
    let (first, second) = (world.tokens(&alice, &app).await, world.tokens(&alice, &app).await);
    assert_ne!(first.access, second.access);
    assert_eq!(world.revoke(&first.access).by(&app).await.status, 200);
    assert!(world.is_active(&app, &second.access).await, "each grant has its own");
    assert_ne!(world.client_credentials(&app).await.tokens().access, second.access);
}

}
