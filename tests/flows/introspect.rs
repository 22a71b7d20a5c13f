//! What a token is worth, asked by who may know (RFC 7662).

use serde_json::json;

use crate::world::World;

on_each_database! {

async fn an_active_token_tells_whose_it_is_and_what_it_opens(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let said = world.introspect(&tokens.access).by(&app).await.json();
    let now = world.clock.now().unix_timestamp();
    assert_eq!(said["active"], json!(true));
    assert_eq!(said["client_id"], json!(app.client_id));
    assert_eq!(said["sub"], json!(alice.id));
    assert_eq!(said["username"], "alice");
    assert_eq!(said["scope"], "read");
    assert_eq!(said["token_type"], "Bearer");
    assert_eq!(said["iss"], json!(world.base_url));
    assert_eq!((said["iat"].as_i64(), said["exp"].as_i64()), (Some(now), Some(now + 3600)));
}

async fn a_refresh_token_is_told_to_its_own_application(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let said = world.introspect(tokens.refresh()).by(&app).await.json();
    assert_eq!((&said["active"], &said["client_id"]), (&json!(true), &json!(app.client_id)));
    assert!(said["exp"].as_i64().is_some_and(|exp| exp > world.clock.now().unix_timestamp()), "{said}");
    world.refresh(&app, tokens.refresh()).await.tokens();
    assert!(!world.is_active(&app, tokens.refresh()).await, "a used one is worth nothing");
}

async fn a_hint_is_only_a_hint(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    for hint in ["access_token", "refresh_token", "nonsense", "access-token", ""] {
        for token in [&tokens.access, tokens.refresh()] {
            let said = world.introspect(token).field("token_type_hint", hint).by(&app).await.json();
            assert_eq!(said["active"], json!(true), "{hint}");
        }
    }
}

async fn a_resource_server_may_ask_about_the_tokens_of_others(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let resource_server = world.application().introspects().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let said = world.introspect(&tokens.access).by(&resource_server).await.json();
    assert_eq!((&said["active"], &said["client_id"]), (&json!(true), &json!(app.client_id)));
}

async fn an_expired_token_is_inactive(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    world.clock.advance(3599);
    assert!(world.is_active(&app, &tokens.access).await);
    world.clock.advance(1);
    assert!(!world.is_active(&app, &tokens.access).await);
}

async fn what_is_no_token_is_inactive(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().introspects().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let code = world.code(&alice, &app).await;
    let access = &tokens.access;
    let values =
        ["x", "tga_", &code, &access[..46], &format!("{access}A"), &access.to_uppercase(), app.secret()];
    for value in values {
        assert!(!world.is_active(&app, value).await, "{value:?}");
    }
    assert!(world.is_active(&app, access).await);
    world.redeem(&app, &code).await.tokens();
}

async fn a_disabled_user_makes_tokens_inactive(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    assert_eq!(world.command(&["user", "disable", "alice"], "").await.exit, 0);
    for token in [&tokens.access, tokens.refresh()] {
        assert!(!world.is_active(&app, token).await);
    }
}

async fn a_deleted_user_makes_tokens_inactive(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    assert_eq!(world.command(&["user", "delete", "alice"], "").await.exit, 0);
    assert!(!world.is_active(&app, &tokens.access).await);
    let again = world.user("alice").await;
    assert_ne!(again.id, alice.id, "a name used again is another person");
    assert!(!world.is_active(&app, &tokens.access).await);
}

async fn a_deleted_application_makes_its_tokens_inactive(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let resource_server = world.application().introspects().create().await;
    let tokens = world.tokens(&alice, &app).await;
    assert!(world.is_active(&resource_server, &tokens.access).await);
    assert_eq!(world.command(&["application", "delete", &app.client_id], "").await.exit, 0);
    assert!(!world.is_active(&resource_server, &tokens.access).await);
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
}

}
