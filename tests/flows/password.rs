//! A user's name and password for tokens (RFC 6749 §4.3), where the operator offers it.

use crate::world::{Application, Request, User, World};

fn exchange(world: &World, app: &Application, user: &User) -> Request {
    let fields = [
        ("grant_type", "password"),
        ("username", &*user.username),
        ("password", &*user.password),
    ];
    world.token(&fields).by(app)
}

on_each_database! {

with("grants" = "password,refresh_token")
async fn a_password_brings_tokens_that_act_for_the_user(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("password").grant("refresh_token").create().await;
    let tokens = exchange(&world, &app, &alice).field("scope", "read write").await.tokens();
    assert_eq!(tokens.json["scope"], "read write");
    assert_eq!(world.memos(&tokens.access).await.status, 200);
    let told = world.introspect(&tokens.access).by(&app).await.json();
    assert_eq!(told["username"], "alice");
    assert_eq!(world.number("SELECT count(*) FROM grants WHERE grant_type = 'password'").await, 1);
    let renewed = world.refresh(&app, tokens.refresh()).await.tokens();
    assert_eq!(renewed.json["scope"], "read write");
    world.refresh(&app, tokens.refresh()).await;
    assert_eq!(world.count("consents").await, 0, "nobody was asked");
}

with("grants" = "password")
async fn without_the_refresh_token_grant_there_is_none(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("password").create().await;
    let tokens = exchange(&world, &app, &alice).await.tokens();
    assert!(!tokens.has_refresh());
    assert_eq!(tokens.json["scope"], "read", "the scopes of a request that names none");
}

with("grants" = "password,refresh_token")
async fn a_public_application_may_be_allowed_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().grant("password").grant("refresh_token").create().await;
    let tokens = exchange(&world, &app, &alice).await.tokens();
    let renewed = world.refresh(&app, tokens.refresh()).await.tokens();
    assert_eq!(world.memos(&renewed.access).await.status, 200);
}

with("grants" = "password,refresh_token")
async fn a_new_password_ends_what_the_old_one_brought(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("password").grant("refresh_token").create().await;
    let tokens = exchange(&world, &app, &alice).await.tokens();
    assert_eq!(world.command(&["user", "password", "alice"], "").await.exit, 0);
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
    exchange(&world, &app, &alice).await.refused(400, "invalid_grant");
}

}
