//! Who gets no tokens for a password (RFC 6749 §4.3.2, §5.2, §10.7).

use crate::world::{Application, Request, World, at_once};

fn exchange(world: &World, app: &Application, username: &str, password: &str) -> Request {
    world
        .token(&[
            ("grant_type", "password"),
            ("username", username),
            ("password", password),
        ])
        .by(app)
}

on_each_database! {

async fn where_the_operator_does_not_name_it_it_is_not_there(world: World) {
    let alice = world.user("alice").await;
    assert_eq!(world.command(&["application", "create", "--name", "App", "--grant", "password"], "").await.exit, 1);
    let app = world.application().create().await;
    exchange(&world, &app, "alice", &alice.password).await.refused(400, "unsupported_grant_type");
}

with("grants" = "password,client_credentials")
async fn an_application_needs_to_be_allowed_it_and_to_prove_itself(world: World) {
    let alice = world.user("alice").await;
    let other = world.application().grant("client_credentials").create().await;
    exchange(&world, &other, "alice", &alice.password).await.refused(400, "unauthorized_client");
    let app = world.application().grant("password").create().await;
    let fields = [("grant_type", "password"), ("username", "alice"), ("password", &*alice.password)];
    world.token(&fields).field("client_id", &app.client_id).await.refused(401, "invalid_client");
    world.token(&fields).basic(&app.client_id, "tgs_wrong").await.refused(401, "invalid_client");
    assert_eq!(world.count("grants").await, 0);
}

with("grants" = "password")
async fn wrong_names_and_passwords_and_disabled_users_are_not_told_apart(world: World) {
    let alice = world.user("alice").await;
    let bob = world.user("bob").await;
    assert_eq!(world.command(&["user", "disable", "bob"], "").await.exit, 0);
    let app = world.application().grant("password").create().await;
    let mut said = Vec::new();
    for (username, password) in [
        ("alice", "not the password"),
        ("alice", "\u{0}"),
        ("nobody", alice.password.as_str()),
        ("bob", bob.password.as_str()),
        ("bob", "not the password"),
    ] {
        let answer = exchange(&world, &app, username, password).await;
        answer.refused(400, "invalid_grant");
        said.push(answer.body);
    }
    said.dedup();
    assert_eq!(said.len(), 1, "{said:?}");
    assert_eq!(world.count("grants").await, 0);
}

with("grants" = "password")
async fn each_parameter_is_required_once_and_the_scope_is_checked(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("password").scope("read").create().await;
    let good = || exchange(&world, &app, "alice", &alice.password);
    for name in ["username", "password"] {
        good().without(name).await.refused(400, "invalid_request");
        good().without(name).field(name, "").await.refused(400, "invalid_request");
        good().field(name, "again").await.refused(400, "invalid_request");
    }
    good().field("scope", "read write").await.refused(400, "invalid_scope");
    good().field("resource", "https://elsewhere.example/").await.refused(400, "invalid_target");
    good().await.tokens();
}

with("grants" = "password,refresh_token")
async fn what_began_with_a_password_ends_with_the_grant(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("password").grant("refresh_token").create().await;
    let first = exchange(&world, &app, "alice", &alice.password).await.tokens();
    world.restart_with(&[("grants", "refresh_token")]).await;
    world.refresh(&app, first.refresh()).await.refused(400, "unauthorized_client");
    world.restart().await;
    let second = world.refresh(&app, first.refresh()).await.tokens();

    world.change_rows("UPDATE applications SET grants = '[\"refresh_token\"]', version = version + 1").await;
    world.restart().await;
    world.refresh(&app, second.refresh()).await.refused(400, "unauthorized_client");
    world.refresh(&app, first.refresh()).await.refused(400, "unauthorized_client");
    world.clock.advance(11);
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    assert_eq!(
        world.number("SELECT count(*) FROM grants WHERE revoked_reason IS NOT NULL").await, 1,
        "a replay is a replay all the same"
    );
}

with("grants" = "password")
async fn a_name_is_read_as_at_the_sign_in_page_and_a_password_byte_for_byte(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("password").create().await;
    for username in ["ALICE", "\u{ff21}lice", " alice "] {
        exchange(&world, &app, username, &alice.password).await.tokens();
    }
    for (username, password) in [
        (&*alice.id, &*alice.password),
        ("alice", &alice.password.to_uppercase()),
        ("alice", &format!("{} ", alice.password)),
        ("alice", &"x".repeat(2000)),
        (&"x".repeat(2000), &alice.password),
    ] {
        exchange(&world, &app, username, password).await.refused(400, "invalid_grant");
    }
}

with("grants" = "password")
async fn a_password_in_the_address_is_refused(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("password").create().await;
    for name in ["username", "password"] {
        let path = format!("/oauth/token?{name}=alice");
        let fields = [("grant_type", "password"), ("username", "alice"), ("password", &*alice.password)];
        world.post(&path, &fields).by(&app).without(name).await.refused(400, "invalid_request");
    }
}

with("grants" = "password", "rate_limits" = "true")
async fn an_address_that_tries_every_name_is_slowed_down(world: World) {
    let app = world.application().grant("password").create().await;
    let mut looked_at = 0;
    for number in 0..40 {
        let answer = exchange(&world, &app, &format!("user{number}"), "not the password").await;
        looked_at += usize::from(answer.status == 400);
    }
    assert_eq!(looked_at, 30);
}

with("grants" = "password", "rate_limits" = "true")
async fn guesses_sent_together_are_no_more(world: World) {
    world.user("alice").await;
    let app = world.application().grant("password").create().await;
    let answers = at_once(30, |_| exchange(&world, &app, "alice", "not the password").into_future()).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 400).count(), 5);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 25);
}

with("grants" = "password", "rate_limits" = "true")
async fn guesses_are_counted_with_those_of_the_sign_in_page(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("password").create().await;
    let browser = world.browser();
    for _ in 0..2 {
        assert_eq!(browser.try_to_sign_in("alice", "not the password").await.status, 422);
    }
    for _ in 0..3 {
        exchange(&world, &app, "alice", "not the password").await.refused(400, "invalid_grant");
    }
    let answer = exchange(&world, &app, "alice", &alice.password).await;
    assert_eq!(answer.status, 429, "the right one has to wait too: {answer}");
    let seconds: i64 = answer.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&seconds), "{answer}");
    assert_eq!(browser.try_to_sign_in("alice", &alice.password).await.status, 429);
    world.clock.advance(30);
    exchange(&world, &app, "alice", &alice.password).await.tokens();
    world.clock.advance(300);
    for _ in 0..20 {
        exchange(&world, &app, "alice", &alice.password).await.tokens();
    }
}

}
