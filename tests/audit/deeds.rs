//! Each deed is told once, with who did it; what was not done is not told.

use serde_json::{Value, json};

use super::{log, named, parties, story, the};
use crate::endpoints::applications::Script;
use crate::form::Form;
use crate::world::{Answer, Ask, Browser, World, at_once};

/// What the server does is then told after all commands, whose clock is the machine's.
const LATER: i64 = 3600;

/// Presses the button `id` on the page `path`, with `fields` filled in.
async fn press(browser: &Browser, path: &str, id: &str, fields: &[(&str, &str)]) -> Answer {
    let page = browser.get(path).await;
    let mut form = Form::with_id(&page.body, id).unwrap_or_else(|| panic!("no {id}: {page}"));
    for (name, value) in fields {
        form.set(name, value);
    }
    browser.submit(&page, &form).await
}

/// Every answer comes from a request that its event names.
fn came_from(event: &Value, answer: &Answer) {
    assert_eq!(
        (&event["request_id"], &event["address"]),
        (&json!(answer.header("x-request-id")), &json!("127.0.0.1")),
        "{event}"
    );
}

async fn id_of(world: &World, client_id: &str) -> String {
    let shown = world
        .command(&["application", "show", client_id, "--json"], "")
        .await;
    shown.json()["id"].as_str().unwrap().to_owned()
}

on_each_database! {

async fn who_may_use_what_is_told_with_what_ended(world: World) {
    let alice = world.user("alice").await;
    let (app, root) = (world.application().create().await, world.administrator("root").await);
    world.tokens(&alice, &app).await;
    world.command(&["user", "groups", "alice", "staff", "dev"], "").await;
    world.command(&["user", "groups", "alice", "dev", "staff"], "").await;
    let script = Script::signed_in(&world, &root).await;
    let path = format!("/oauth/applications/{}", id_of(&world, &app.client_id).await);
    for (body, fields, ended) in [
        (json!({"restricted": true, "groups": ["staff"]}), json!(["restricted", "groups"]), json!(0)),
        (json!({"users": ["root"]}), json!(["users"]), Value::Null),
        (json!({"groups": []}), json!(["groups"]), json!(1)),
        (json!({"restricted": false}), json!(["restricted", "users"]), Value::Null),
    ] {
        let answer = script.request("PATCH", &path).json(&body).await;
        assert_eq!(answer.status, 200, "{answer}");
        let log = log(&world).await;
        let event = *named(&log, "application_changed").last().unwrap();
        came_from(event, &answer);
        assert_eq!((&event["detail"]["fields"], &event["detail"]["grants"]), (&fields, &ended), "{body}: {event}");
    }
    world.command(&["user", "groups", "alice", "--none"], "").await;
    let log = log(&world).await;
    assert_eq!(named(&log, "groups_changed").len(), 2, "what changes nothing is no event: {log:?}");
    assert!(!log.iter().any(|event| event.to_string().contains("staff")), "no value is written");
}

async fn what_an_operator_does_by_command(world: World) {
    for words in [
        &["user", "create", "alice", "--admin"][..],
        &["user", "password", "alice"],
        &["user", "disable", "alice"],
        &["user", "disable", "alice"],
        &["user", "enable", "alice"],
        &["user", "enable", "alice"],
        &["application", "create", "--name", "N", "--client-id", "app", "--redirect-uri", "https://a.example/"],
        &["application", "disable", "app"],
        &["application", "disable", "app"],
        &["application", "enable", "app"],
        &["application", "rotate-secret", "app"],
        &["application", "rotate-secret", "app"],
        &["token", "revoke", "--user", "alice"],
        &["application", "delete", "app"],
        &["user", "delete", "alice"],
    ] {
        let done = world.command(words, "").await;
        assert_eq!(done.exit, 0, "{words:?}: {done:?}");
    }
    let log = log(&world).await;
    assert_eq!(story(&log, 0), [
        "user_created: operator on alice",
        "password_reset: operator on alice",
        "user_disabled: operator on alice",
        "user_enabled: operator on alice",
        "application_created: operator of app",
        "application_disabled: operator of app",
        "application_enabled: operator of app",
        "secret_rotated: operator of app",
        "secret_retired: operator of app",
        "secret_rotated: operator of app",
        "application_deleted: operator of app",
        "user_deleted: operator on alice",
    ]);
    assert_eq!(the(&log, "user_created")["detail"], json!({"administrator": true}));
    let [first, second] = named(&log, "secret_rotated")[..] else { panic!("{log:#?}") };
    let retired = &the(&log, "secret_retired")["detail"]["secret_id"];
    assert!(retired != &first["detail"]["secret_id"] && retired != &second["detail"]["secret_id"], "{log:#?}");
    for event in &log {
        assert_eq!((&event["address"], &event["request_id"]), (&Value::Null, &Value::Null), "{event}");
        assert_eq!(event["outcome"], "success", "{event}");
    }
}

async fn what_an_administrator_does_to_users(world: World) {
    world.clock.advance(LATER);
    let root = world.signed_in(&world.administrator("root").await).await;
    let alice = world.user("alice").await;
    let his = world.signed_in(&alice).await;
    let app = world.application().client_id("app").create().await;
    his.authorize(&Ask::of(&app)).await.code();
    let before = log(&world).await.len();
    let page = format!("/users/{}", alice.id);
    press(&root, "/users/new", "create-user", &[("username", "bob")]).await;
    press(&root, &page, "sign-out-everywhere", &[]).await;
    let form = Form::all(&root.get(&page).await.body)
        .into_iter()
        .find(|form| form.action.ends_with("/delete") && form.action.contains("authorized_applications"))
        .expect("what alice allowed");
    root.submit(&root.get(&page).await, &form).await;
    press(&root, &page, "reset-password", &[]).await;
    press(&root, &page, "switch-administrator", &[]).await;
    press(&root, &page, "switch-administrator", &[]).await;
    press(&root, &format!("{page}/disable"), "disable-user", &[]).await;
    let enabled = press(&root, &page, "enable-user", &[]).await;
    press(&root, &format!("{page}/delete"), "delete-user", &[]).await;
    let log = log(&world).await;
    assert_eq!(story(&log, before), [
        "user_created: root on bob",
        "sessions_ended: root on alice",
        "consent_withdrawn: root on alice of app",
        "password_reset: root on alice",
        "administrator_made: root on alice",
        "administrator_unmade: root on alice",
        "user_disabled: root on alice",
        "user_enabled: root on alice",
        "user_deleted: root on alice",
    ]);
    came_from(the(&log, "user_enabled"), &enabled);
    assert_eq!(the(&log, "sessions_ended")["detail"], json!({"sessions": 1}));
    assert_eq!(the(&log, "consent_withdrawn")["detail"], json!({"grants": 1}));
}

async fn what_an_administrator_does_to_applications(world: World) {
    world.clock.advance(LATER);
    let root = world.signed_in(&world.administrator("root").await).await;
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = world.application().client_id("app").create().await;
    world.tokens(&alice, &app).await;
    world.tokens(&bob, &app).await;
    world.tokens(&bob, &app).await;
    world.client_credentials(&app).await.tokens();
    let page = format!("/oauth/applications/{}", id_of(&world, "app").await);
    let before = log(&world).await.len();
    press(&root, "/oauth/applications/new", "save", &[("name", "N"), ("redirect_uris", "https://a.example/")]).await;
    let fields = [("name", "Other"), ("trusted", "true"), ("access_token_ttl", "5m")];
    let changed = press(&root, &format!("{page}/edit"), "save", &fields).await;
    press(&root, &format!("{page}/edit"), "save", &[]).await;
    press(&root, &page, "rotate-secret", &[]).await;
    let retire = Form::all(&root.get(&page).await.body)
        .into_iter()
        .find(|form| form.action.contains("/secrets/"))
        .expect("two secrets");
    root.submit(&root.get(&page).await, &retire).await;
    let grants = root.get(&format!("{page}/grants")).await;
    let grant = grants.body.split('"').find(|text| text.starts_with(&format!("{page}/grants/0"))).unwrap().to_owned();
    press(&root, &grant, "revoke-grant", &[]).await;
    let revoke = Form::all(&root.get(&format!("{page}/grants")).await.body)
        .into_iter()
        .find(|form| form.action.contains("/tokens/"))
        .expect("a token of its own");
    root.submit(&root.get(&format!("{page}/grants")).await, &revoke).await;
    press(&root, &format!("{page}/grants/revoke"), "revoke-all", &[]).await;
    press(&root, &format!("{page}/disable"), "disable-application", &[]).await;
    press(&root, &page, "enable-application", &[]).await;
    press(&root, &format!("{page}/delete"), "delete-application", &[]).await;
    let log = log(&world).await;
    let told = story(&log, before);
    assert!(told[0].starts_with("application_created: root of "), "{told:?}");
    assert_eq!(told[1..], [
        "application_changed: root of app",
        "secret_rotated: root of app",
        "secret_retired: root of app",
        "grant_revoked: root on bob of app",
        "token_revoked: root of app",
        "grant_revoked: root of app",
        "application_disabled: root of app",
        "application_enabled: root of app",
        "application_deleted: root of app",
    ]);
    let change = the(&log, "application_changed");
    came_from(change, &changed);
    assert_eq!(change["detail"], json!({"fields": ["name", "trusted", "access_token_ttl"]}));
    let [one, all] = named(&log, "grant_revoked")[..] else { panic!("{log:#?}") };
    assert!(grant.ends_with(one["grant_id"].as_str().unwrap()), "{one}");
    assert_eq!((&all["grant_id"], &all["detail"]), (&Value::Null, &json!({"grants": 2})));
}

async fn what_a_program_does_in_an_administrators_name(world: World) {
    world.clock.advance(LATER);
    let root = world.administrator("root").await;
    let script = Script::signed_in(&world, &root).await;
    let made = script.create(&json!({"name": "N", "client_id": "new", "redirect_uris": ["https://a.example/"]})).await;
    let path = format!("/oauth/applications/{}", made.json()["id"].as_str().unwrap());
    let manager = world.application().client_id("manager").scope("applications").create().await;
    let browser = world.signed_in(&root).await;
    let code = browser.authorize(&Ask::of(&manager).with("scope", "applications")).await.code();
    let token = world.redeem(&manager, &code).await.tokens().access;
    let before = log(&world).await.len();
    let by_token = |method, path: &str| world.request(method, path).bearer(&token);
    let patched = by_token("PATCH", &path).json(&json!({"name": "Other"})).await;
    by_token("POST", &format!("{path}/disable")).await;
    script.request("POST", &format!("{path}/enable")).await;
    by_token("DELETE", &path).await;
    let log = log(&world).await;
    assert_eq!(story(&log, before), [
        "application_changed: root of new",
        "application_disabled: root of new",
        "application_enabled: root of new",
        "application_deleted: root of new",
    ]);
    came_from(the(&log, "application_changed"), &patched);
    let through = json!(id_of(&world, "manager").await);
    assert_eq!(the(&log, "application_disabled")["detail"]["through"], through);
    assert_eq!(the(&log, "application_enabled")["detail"]["through"], Value::Null, "in a session, by no token");
}

async fn what_people_do(world: World) {
    world.clock.advance(LATER);
    let alice = world.user("alice").await;
    let app = world.application().client_id("app").create().await;
    let device = world.application().client_id("tv").public().grant("device_code").create().await;
    let before = log(&world).await.len();
    let browser = world.signed_in(&alice).await;
    let ask = Ask::of(&app).with("scope", "read write");
    browser.deny(&ask).await.error();
    browser.authorize(&ask).await.code();
    browser.authorize(&ask).await.code();
    let withdrawn = press_only(&browser, "/oauth/authorized_applications").await;
    assert_eq!(withdrawn.status, 303, "{withdrawn}");
    for decision in ["deny", "authorize"] {
        browser.decide_device(&world.device(&device).await.user_code, decision).await;
    }
    let new = "another long password of alice";
    press(&browser, "/account", "change-password", &[
        ("current_password", &alice.password), ("password", new), ("password_confirmation", new),
    ]).await;
    let out = press(&browser, "/account", "sign-out", &[]).await;
    browser.try_to_sign_in("alice", new).await;
    press(&browser, "/account", "sign-out-everywhere", &[]).await;
    let log = log(&world).await;
    assert_eq!(story(&log, before), [
        "signed_in: alice on alice",
        "consent_denied: alice on alice of app",
        "consent_given: alice on alice of app",
        "consent_withdrawn: alice on alice of app",
        "consent_denied: alice on alice of tv",
        "consent_given: alice on alice of tv",
        "password_changed: alice on alice",
        "signed_out: alice on alice",
        "signed_in: alice on alice",
        "sessions_ended: alice on alice",
    ], "what was remembered or is done again is no new consent");
    came_from(the(&log, "signed_out"), &out);
    let given = named(&log, "consent_given")[0];
    assert_eq!(given["detail"], json!({"scopes": ["read", "write"]}));
    assert!(given["grant_id"].is_string() && named(&log, "consent_denied")[0]["grant_id"].is_null(), "{log:#?}");
}

async fn what_clients_do(world: World) {
    world.clock.advance(LATER);
    let alice = world.user("alice").await;
    let app = world.application().client_id("app").create().await;
    let code = world.code(&alice, &app).await;
    world.redeem(&app, &code).await.tokens();
    let revoked = world.tokens(&alice, &app).await;
    let own = world.client_credentials(&app).await.tokens();
    let rotated = world.tokens(&alice, &app).await;
    let newest = world.refresh(&app, rotated.refresh()).await.tokens();
    world.refresh(&app, newest.refresh()).await.tokens();
    world.is_active(&app, &newest.access).await;
    world.memos(&newest.access).await;
    let before = log(&world).await.len();
    for _ in 0..2 {
        world.redeem(&app, &code).await.refused(400, "invalid_grant");
        world.refresh(&app, rotated.refresh()).await.refused(400, "invalid_grant");
        for token in [&revoked.access, revoked.refresh(), &own.access] {
            assert_eq!(world.revoke(token).by(&app).await.status, 200);
        }
    }
    let log = log(&world).await;
    assert_eq!(story(&log, before), [
        "code_replayed: Notes on alice of app",
        "refresh_token_replayed: Notes on alice of app",
        "token_revoked: Notes on alice of app",
        "token_revoked: Notes of app",
    ], "whatever is repeated is told once");
    assert_eq!(the(&log, "code_replayed")["outcome"], "failure");
    assert!(named(&log, "token_revoked")[0]["grant_id"].is_string(), "{log:#?}");
    let told: Vec<_> = named(&log, "signed_in").iter().map(|event| parties(event)).collect();
    assert!(told.iter().all(|parties| parties == "alice on alice"));
    assert_eq!(log.len() - before, 4, "a token that is issued, used, refreshed or introspected is not told of");
}

with("grants" = "password")
async fn a_password_that_an_application_sends_is_a_sign_in(world: World) {
    world.clock.advance(LATER);
    let alice = world.user("alice").await;
    let app = world.application().client_id("app").grant("password").create().await;
    let before = log(&world).await.len();
    let fields = [("grant_type", "password"), ("username", "alice"), ("password", &*alice.password)];
    world.token(&fields).by(&app).await.tokens();
    let log = log(&world).await;
    assert_eq!(story(&log, before), ["signed_in: Notes on alice of app"]);
    let told = the(&log, "signed_in");
    assert_eq!(told["detail"], json!({"scopes": ["read"]}));
    assert!(told["grant_id"].is_string(), "{told:#?}");
}

async fn of_replays_at_once_one_is_told(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    world.redeem(&app, &code).await.tokens();
    at_once(4, |_| {
        let (world, app, code) = (world.clone(), app.clone(), code.clone());
        async move { world.redeem(&app, &code).await.refused(400, "invalid_grant") }
    })
    .await;
    the(&log(&world).await, "code_replayed");
}

async fn the_first_administrator(world: World) {
    let link = world.setup_link().await;
    let browser = world.browser();
    let fields = [("username", "root"), ("password", "a long enough password"),
        ("password_confirmation", "a long enough password")];
    let done = press(&browser, &link, "username", &fields).await;
    assert_eq!(done.status, 303, "{done}");
    let log = log(&world).await;
    assert_eq!(story(&log, 0), ["setup_link_used: root on root"]);
    came_from(&log[0], &done);
}

async fn a_change_that_fails_leaves_no_event(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().client_id("app").create().await;
    let browser = world.signed_in(&alice).await;
    let (page, mut form) = browser.consent_page(&Ask::of(&app)).await;
    form.press("authorize");
    // What is written after the event fails.
    world.change_rows("ALTER TABLE authorization_codes RENAME TO elsewhere").await;
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 503, "{answer}");
    world.change_rows("ALTER TABLE elsewhere RENAME TO authorization_codes").await;
    assert!(named(&log(&world).await, "consent_given").is_empty());
    assert_eq!(world.count("consents").await, 0);
    assert_eq!(browser.submit(&page, &form).await.status, 303, "it can still be answered");
    the(&log(&world).await, "consent_given");
}

async fn a_change_that_cannot_be_told_is_not_done(world: World) {
    let root = world.administrator("root").await;
    let alice = world.user("alice").await;
    let app = world.application().client_id("app").create().await;
    let (his, browser) = (world.signed_in(&root).await, world.signed_in(&alice).await);
    let (page, mut form) = browser.consent_page(&Ask::of(&app)).await;
    form.press("authorize");
    let user = his.get(&format!("/users/{}/disable", alice.id)).await;
    let disable = Form::with_id(&user.body, "disable-user").unwrap();
    let before = log(&world).await.len();
    world.change_rows("ALTER TABLE audit_events RENAME TO elsewhere").await;
    assert_eq!(browser.submit(&page, &form).await.status, 503);
    assert_eq!(his.submit(&user, &disable).await.status, 503);
    assert_eq!(world.browser().try_to_sign_in("alice", &alice.password).await.status, 503);
    let tokens = world.client_credentials(&app).await.tokens();
    assert!(world.is_active(&app, &tokens.access).await, "what is not told of goes on");
    world.change_rows("ALTER TABLE elsewhere RENAME TO audit_events").await;
    assert_eq!(log(&world).await.len(), before);
    assert_eq!((world.count("grants").await, world.count("consents").await), (0, 0));
    world.signed_in(&alice).await;
}

}

/// Sends the only form in the main part of the page `path`.
async fn press_only(browser: &Browser, path: &str) -> Answer {
    let page = browser.get(path).await;
    let mut forms = Form::all(&page.body)
        .into_iter()
        .filter(|form| !form.action.ends_with("/logout"));
    let form = forms.next().unwrap_or_else(|| panic!("no form: {page}"));
    browser.submit(&page, &form).await
}
