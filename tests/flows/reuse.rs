//! An application that is given the token that it has.

use std::collections::HashSet;

use serde_json::json;

use crate::endpoints::applications::Script;
use crate::world::{World, at_once};

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

async fn a_confidential_application_may_keep_its_refresh_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().reuses_refresh_token().create().await;
    let first = world.tokens(&alice, &app).await;
    let refreshed = at_once(10, |_| {
        let request = world.refresh(&app, first.refresh());
        async move { request.await.tokens() }
    })
    .await;
    let mut access: HashSet<String> = refreshed.iter().map(|tokens| tokens.access.clone()).collect();
    access.insert(first.access.clone());
    assert_eq!(access.len(), 11, "each is a new one");
    for tokens in &refreshed {
        assert_eq!(tokens.refresh(), first.refresh());
        assert_eq!(world.memos(&tokens.access).await.status, 200);
    }
    for _ in 0..3 {
        world.clock.advance(29 * 24 * 3600);
        assert_eq!(world.refresh(&app, first.refresh()).await.tokens().refresh(), first.refresh());
    }
    world.clock.advance(31 * 24 * 3600);
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
}

async fn a_refresh_token_that_is_kept_dies_with_its_grant(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().reuses_refresh_token().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let last = world.refresh(&app, tokens.refresh()).await.tokens();
    let stranger = world.application().create().await;
    world.refresh(&stranger, tokens.refresh()).await.refused(400, "invalid_grant");
    assert_eq!(world.revoke(tokens.refresh()).by(&app).await.status, 200);
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
    world.memos(&last.access).await.challenged(401, "invalid_token");
}

async fn the_switch_counts_from_the_next_refresh_on(world: World) {
    let (alice, root) = (world.user("alice").await, world.administrator("root").await);
    let app = world.application().create().await;
    let script = Script::signed_in(&world, &root).await;
    let listed = script.request("GET", "/oauth/applications").await.json();
    let path = format!("/oauth/applications/{}", listed[0]["id"].as_str().unwrap());
    let switch = async |on: bool| {
        let changed = script.request("PATCH", &path).json(&json!({ "reuse_refresh_token": on })).await;
        assert_eq!((changed.status, &changed.json()["reuse_refresh_token"]), (200, &json!(on)), "{changed}");
    };
    let first = world.tokens(&alice, &app).await;
    let second = world.refresh(&app, first.refresh()).await.tokens();
    switch(true).await;
    let kept = world.refresh(&app, second.refresh()).await.tokens();
    assert_eq!(kept.refresh(), second.refresh());
    switch(false).await;
    let third = world.refresh(&app, second.refresh()).await.tokens();
    assert_ne!(third.refresh(), second.refresh());
    world.refresh(&app, third.refresh()).await.tokens();
    world.refresh(&app, second.refresh()).await.refused(400, "invalid_grant");
    assert!(!world.is_active(&app, &kept.access).await, "it was rotated and came again");
    let open = json!({ "reuse_refresh_token": true, "confidential": false, "grants": ["authorization_code", "refresh_token"] });
    let refused = script.request("PATCH", &path).json(&open).await;
    assert_eq!(refused.status, 422, "{refused}");
    assert!(refused.json()["errors"]["reuse_refresh_token"].is_array(), "{refused}");
}

}
