//! `tegata grant …`, while a server runs.

use serde_json::{Value, json};

use crate::world::{Application, Ask, Printed, User, World};

async fn grants(world: &World, options: &[&str]) -> Vec<Value> {
    let printed = world
        .command(&[&["grant", "list", "--json"], options].concat(), "")
        .await;
    printed.json().as_array().unwrap().clone()
}

async fn show(world: &World, id: &str) -> Value {
    world.command(&["grant", "show", id, "--json"], "").await.json()
}

/// The only live grant of `user`.
async fn grant_of(world: &World, user: &User) -> String {
    match grants(world, &["--user", &user.username]).await.as_slice() {
        [only] => only["id"].as_str().unwrap().to_owned(),
        found => panic!("one grant: {found:?}"),
    }
}

async fn authorize(world: &World, user: &User, app: &Application) -> String {
    world.signed_in(user).await.authorize(&Ask::of(app)).await.code()
}

fn refused(printed: &Printed, words: &str) {
    assert_eq!((printed.exit, printed.stdout.as_str()), (1, ""), "{printed:?}");
    assert!(
        printed.stderr.contains(words) && printed.stderr.lines().count() == 1,
        "{printed:?}"
    );
}

on_each_database! {

async fn grants_are_listed_by_application_and_by_user(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let (one, two) = (world.application().create().await, world.application().create().await);
    world.tokens(&alice, &one).await;
    world.clock.advance(1);
    world.tokens(&alice, &two).await;
    world.tokens(&bob, &one).await;
    let of_alice = grants(&world, &["--user", "ALICE"]).await;
    assert_eq!(of_alice.len(), 2);
    let newest = &of_alice[0];
    assert_eq!((&newest["application"], &newest["user"]), (&json!(two.client_id), &json!("alice")));
    assert_eq!((&newest["grant_type"], &newest["scopes"]), (&json!("authorization_code"), &json!(["read"])));
    assert_eq!((&newest["live_tokens"], &newest["last_used_at"]), (&json!(2), &Value::Null));
    assert_eq!(grants(&world, &["--application", &one.client_id]).await.len(), 2);
    let both = grants(&world, &["--application", &one.client_id, "--user", "bob"]).await;
    assert_eq!((both.len(), &both[0]["user"]), (1, &json!("bob")));

    let cut = world.command(&["grant", "list", "--user", "alice", "--limit", "1"], "").await;
    assert_eq!((cut.exit, cut.stdout.lines().count()), (0, 2), "a head and one row: {cut:?}");
    assert!(cut.stderr.contains("There are more"), "{cut:?}");
    refused(&world.command(&["grant", "list", "--user", "nobody", "--json"], "").await, "there is no user nobody");
    assert_eq!(world.command(&["grant", "list"], "").await.exit, 2, "of whom?");
}

async fn a_grant_is_revoked_once_with_all_its_tokens(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = world.application().create().await;
    let (hers, his) = (world.tokens(&alice, &app).await, world.tokens(&bob, &app).await);
    let id = grant_of(&world, &alice).await;
    for revoked in [true, false] {
        let told = world.command(&["grant", "revoke", &id, "--json"], "").await.json();
        assert_eq!(told, json!({"id": id, "revoked": revoked}));
    }
    world.memos(&hers.access).await.challenged(401, "invalid_token");
    world.refresh(&app, hers.refresh()).await.refused(400, "invalid_grant");
    assert_eq!(world.memos(&his.access).await.status, 200);
    assert_eq!(grants(&world, &["--user", "alice"]).await, Vec::<Value>::new());
    let unknown = "018bcfe5-6800-7000-8000-000000000001";
    for command in ["show", "revoke"] {
        refused(&world.command(&["grant", command, unknown, "--json"], "").await, "there is no grant");
    }
}

async fn a_grant_shows_what_happened_to_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let id = grant_of(&world, &alice).await;
    world.clock.advance(1);
    world.refresh(&app, first.refresh()).await.tokens();
    let told = show(&world, &id).await;
    assert_eq!((&told["id"], &told["application"], &told["user"]), (&json!(id), &json!(app.client_id), &json!("alice")));
    assert_eq!((&told["live"], &told["page"], &told["pages"]), (&json!(true), &json!(1), &json!(1)));
    assert_eq!((&told["live_access_tokens"], &told["live_refresh_tokens"]), (&json!(2), &json!(1)));
    let events: Vec<&str> = told["timeline"].as_array().unwrap().iter().map(|event| event["what"].as_str().unwrap()).collect();
    let [allowed, issued, redeemed, token, renewed] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        [*allowed, issued, redeemed, renewed],
        ["alice authorized the application", "Authorization code issued", "Authorization code redeemed", "Access renewed"]
    );
    assert!(token.starts_with("First refresh token issued: "), "{token}");
    let plain = world.command(&["grant", "show", &id], "").await;
    assert!(plain.stdout.contains("Access renewed") && plain.stdout.contains("live            yes"), "{plain:?}");
}

async fn why_a_grant_was_revoked_is_told_in_plain_words(world: World) {
    let app = world.application().create().await;
    let by = async |name: &str| {
        let user = world.user(name).await;
        let code = authorize(&world, &user, &app).await;
        let tokens = world.redeem(&app, &code).await.tokens();
        let id = grant_of(&world, &user).await;
        (user, code, tokens, id)
    };
    let told = async |id: &str, words: &str| {
        let shown = show(&world, id).await;
        assert_eq!(shown["why_not"], format!("It was revoked: {words}."));
        let last = shown["timeline"].as_array().unwrap().last().unwrap();
        assert_eq!(last["what"], format!("Revoked: {words}"));
        assert_eq!(shown["live"], false);
    };

    let (_, code, _, id) = by("replayed-code").await;
    world.redeem(&app, &code).await.refused(400, "invalid_grant");
    told(&id, "its authorization code came a second time").await;

    let (_, _, tokens, id) = by("replayed-token").await;
    let second = world.refresh(&app, tokens.refresh()).await.tokens();
    world.refresh(&app, second.refresh()).await.tokens();
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
    told(&id, "a refresh token came again that was replaced before").await;

    let (_, _, tokens, id) = by("gave-back").await;
    world.revoke(&tokens.access).by(&app).await;
    told(&id, "the application gave it back").await;

    let (user, _, _, id) = by("took-back").await;
    let browser = world.signed_in(&user).await;
    let page = browser.get("/oauth/authorized_applications").await;
    let forms = crate::form::Form::all(&page.body);
    let form = forms.into_iter().find(|form| form.action.ends_with("/delete")).unwrap();
    browser.submit(&page, &form).await;
    told(&id, "the user’s permission was taken back").await;

    for (name, command, words) in [
        ("new-password", "password", "the user’s password was changed"),
        ("disabled", "disable", "the user was disabled or deleted"),
        ("deleted", "delete", "the user was disabled or deleted"),
    ] {
        let (_, _, _, id) = by(name).await;
        world.command(&["user", command, name, "--json"], "").await.json();
        told(&id, words).await;
    }

    let (_, _, _, id) = by("by-operator").await;
    world.command(&["grant", "revoke", &id, "--json"], "").await.json();
    told(&id, "an administrator did it").await;

    let (_, _, _, id) = by("of-a-deleted-application").await;
    world.command(&["application", "delete", &app.client_id, "--json"], "").await.json();
    told(&id, "the application was deleted").await;
}

async fn a_grant_to_a_disabled_application_rests_and_can_be_revoked_for_good(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let id = grant_of(&world, &alice).await;
    let switch = async |word: &str| world.command(&["application", word, &app.client_id, "--json"], "").await.json();
    switch("disable").await;
    let resting = show(&world, &id).await;
    assert_eq!((&resting["live"], &resting["why_not"]), (&json!(false), &json!("The application is disabled.")));
    assert_eq!(resting["live_access_tokens"], 0, "{resting}");
    let told = world.command(&["grant", "revoke", &id, "--json"], "").await.json();
    assert_eq!(told["revoked"], true);
    switch("enable").await;
    assert_eq!(world.memos(&tokens.access).await.status, 401);
}

async fn a_newer_authorization_is_told_as_what_ended_the_older(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().revokes_previous_tokens().create().await;
    world.tokens(&alice, &app).await;
    let id = grant_of(&world, &alice).await;
    world.tokens(&alice, &app).await;
    let shown = show(&world, &id).await;
    assert_eq!(shown["why_not"], "It was revoked: the user authorized the application anew.");
}

async fn a_device_is_told_with_its_address(world: World) {
    let app = world.application().grant("device_code").grant("refresh_token").create().await;
    let alice = world.user("alice").await;
    let device = world.device(&app).await;
    world.signed_in(&alice).await.authorize_device(&device).await;
    world.clock.advance(5);
    world.poll(&app, &device).await.tokens();
    let shown = show(&world, &grant_of(&world, &alice).await).await;
    let events = shown["timeline"].as_array().unwrap();
    assert_eq!((&events[0]["what"], &events[0]["detail"]), (&json!("A device asked for access"), &json!("It is at the address 127.0.0.1.")));
    assert_eq!(events[1]["what"], "alice allowed it on the device page");
    assert_eq!(events[2]["what"], "The device fetched its first tokens");
}

}
