//! Tokens that are good with one certificate alone (RFC 8705 §3, §4), as a proxy in front tells of it.

use serde_json::{Value, json};
use tegata::flow::sweep;

use super::certificates::{Desk, asked, text};
use crate::form::Form;
use crate::world::{Application, Ask, Pair, Request, Tokens, World};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn own(name: &str) -> Pair {
    Pair::self_signed(name, |_| {})
}

/// As its developer knows it.
fn known(application: &Value) -> Application {
    let secret = application["client_secret"].as_str();
    Application::known(
        text(&application["client_id"]),
        secret,
        "https://app.example/callback",
    )
}

/// A token is good with `own`, and with no other and without any it is not.
async fn is_bound(world: &World, access: &str, own: &Pair) {
    let other = self::own("other");
    for path in ["/api/memos", "/oauth/token/info"] {
        let request = || world.get(path).bearer(access);
        assert_eq!(request().carrying(own).await.status, 200, "{path}");
        request().carrying(&other).await.challenged(401, "invalid_token");
        request()
            .header("Client-Cert", "rubbish")
            .await
            .challenged(401, "invalid_token");
        let without = request().await;
        without.challenged(401, "invalid_token");
        assert!(without.body.contains("certificate"), "{without}");
    }
}

fn refresh(world: &World, app: &Application, tokens: &Tokens) -> Request {
    world.refresh(app, tokens.refresh())
}

on_each_database! {

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn a_token_of_a_client_that_a_certificate_proves_is_bound_to_it(world: World) {
    let desk = Desk::of(world.clone()).await;
    let app = desk.of_authority().await;
    let pair = desk.authority.pair("app", |_| {});
    let tokens = asked(&world, "/oauth/token", &app).carrying(&pair).await.tokens();
    let members: Vec<_> = tokens.json.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["access_token", "token_type", "expires_in", "scope", "created_at"], "the answer is as ever");
    is_bound(&world, &tokens.access, &pair).await;

    let look = asked(&world, "/oauth/introspect", &app).without("token").field("token", &tokens.access);
    let told = look.carrying(&pair).await.json();
    let thumbprint = tegata::model::certificate::Thumbprint::of(&pair.der).to_string();
    assert_eq!(told["cnf"], json!({ "x5t#S256": thumbprint }), "{told}");

    let unbound = desk.register(&json!({})).await;
    let tokens = world.client_credentials(&known(&unbound)).carrying(&pair).await.tokens();
    let told = world.introspect(&tokens.access).by(&known(&unbound)).await.json();
    assert_eq!((&told["active"], told.get("cnf")), (&json!(true), None));
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn every_grant_binds_what_it_gives(world: World) {
    let desk = Desk::of(world.clone()).await;
    let alice = world.user("alice").await;
    let (pair, other) = (own("app"), own("other"));
    for public in [false, true] {
        let grants = ["authorization_code", "refresh_token", "device_code"];
        let app = known(&desk.register(&json!({
            "grants": grants, "confidential": !public, "tls_client_certificate_bound_access_tokens": true,
        })).await);
        let code = world.code(&alice, &app).await;
        let missing = world.redeem(&app, &code).await;
        missing.refused(400, "invalid_request");
        assert!(missing.body.contains("mtls_endpoint_aliases"), "it says where: {missing}");
        let tokens = world.redeem(&app, &code).carrying(&pair).await.tokens();
        is_bound(&world, &tokens.access, &pair).await;

        refresh(&world, &app, &tokens).await.refused(400, if public { "invalid_grant" } else { "invalid_request" });
        let elsewhere = refresh(&world, &app, &tokens).carrying(&other).await;
        let held = if public {
            elsewhere.refused(400, "invalid_grant");
            &pair
        } else {
            is_bound(&world, &elsewhere.tokens().access, &other).await;
            continue;
        };
        assert_eq!(world.memos(&tokens.access).carrying(&pair).await.status, 200, "nothing died of the attempt");
        let next = refresh(&world, &app, &tokens).carrying(held).await.tokens();
        is_bound(&world, &next.access, &pair).await;
        refresh(&world, &app, &next).carrying(&other).await.refused(400, "invalid_grant");

        let device = world.device(&app).await;
        world.signed_in(&alice).await.authorize_device(&device).await;
        let poll = || world.token(&[("grant_type", DEVICE), ("device_code", &device.device_code)]).by(&app);
        poll().await.refused(400, "invalid_request");
        is_bound(&world, &poll().carrying(&pair).await.tokens().access, &pair).await;
    }
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn a_refresh_token_that_is_kept_goes_on_with_a_renewed_certificate(world: World) {
    let desk = Desk::of(world.clone()).await;
    let alice = world.user("alice").await;
    let made = desk.register(&json!({
        "grants": ["authorization_code", "refresh_token"], "confidential": false, "tls_client_certificate_bound_access_tokens": true,
    })).await;
    let (old, new) = (own("app"), own("app"));
    let code = world.code(&alice, &known(&made)).await;
    let tokens = world.redeem(&known(&made), &code).carrying(&old).await.tokens();
    let mut changed = desk.patch(&made, &json!({ "confidential": true, "reuse_refresh_token": true })).await.json();
    changed["client_id"] = made["client_id"].clone();
    let app = known(&changed);
    refresh(&world, &app, &tokens).carrying(&new).await.refused(400, "invalid_grant");
    let kept = refresh(&world, &app, &tokens).carrying(&old).await.tokens();
    assert_eq!(kept.refresh(), tokens.refresh());
    is_bound(&world, &refresh(&world, &app, &tokens).carrying(&new).await.tokens().access, &new).await;
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert", "grants" = "authorization_code,refresh_token,password")
async fn a_password_brings_a_bound_token_too(world: World) {
    let desk = Desk::of(world.clone()).await;
    let alice = world.user("alice").await;
    let app = known(&desk.register(&json!({ "grants": ["password"], "tls_client_certificate_bound_access_tokens": true })).await);
    let request = || {
        let fields = [("grant_type", "password"), ("username", alice.username.as_str()), ("password", alice.password.as_str())];
        world.token(&fields).by(&app)
    };
    request().await.refused(400, "invalid_request");
    let pair = own("app");
    is_bound(&world, &request().carrying(&pair).await.tokens().access, &pair).await;
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn a_client_whose_certificate_was_renewed_goes_on_with_the_new_one(world: World) {
    let desk = Desk::of(world.clone()).await;
    let alice = world.user("alice").await;
    let app = desk.of_authority().await;
    let [old, new] = [(), ()].map(|()| desk.authority.pair("app", |_| {}));
    let named = [("client_id", text(&app["client_id"]))];
    let code = world.signed_in(&alice).await.authorize(&Ask::of(&known(&app)).pkce()).await.code();
    let tokens = world.redeem(&known(&app), &code).carrying(&old).await.tokens();
    is_bound(&world, &tokens.access, &old).await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
    let next = world.token(&fields).fields(&named).carrying(&new).await.tokens();
    is_bound(&world, &next.access, &new).await;
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert", "refresh_token_retry_window" = "10s")
async fn a_lost_answer_is_given_again_with_the_same_certificate_alone(world: World) {
    let desk = Desk::of(world.clone()).await;
    let alice = world.user("alice").await;
    let (pair, other) = (own("app"), own("other"));
    for public in [true, false] {
        let app = known(&desk.register(&json!({
            "grants": ["authorization_code", "refresh_token"], "confidential": !public,
            "tls_client_certificate_bound_access_tokens": true,
        })).await);
        let code = world.code(&alice, &app).await;
        let tokens = world.redeem(&app, &code).carrying(&pair).await.tokens();
        let first = refresh(&world, &app, &tokens).carrying(&pair).await.tokens();
        let again = refresh(&world, &app, &tokens).carrying(&pair).await.tokens();
        assert_eq!(again.access, first.access, "the answer was lost");
        let elsewhere = refresh(&world, &app, &tokens).carrying(&other).await;
        elsewhere.refused(400, "invalid_grant");
        assert!(!elsewhere.body.contains(&first.access), "{elsewhere}");
        refresh(&world, &app, &tokens).await.refused(400, "invalid_grant");
        let next = refresh(&world, &app, &first).carrying(&pair).await.tokens();
        is_bound(&world, &next.access, &pair).await;
    }
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert", "refresh_token_retry_window" = "10s")
async fn replicas_with_a_certificate_each_share_a_lost_answer_that_is_not_bound(world: World) {
    let desk = Desk::of(world.clone()).await;
    let alice = world.user("alice").await;
    let app = desk.register(&json!({
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=app",
        "tls_client_certificate_bound_access_tokens": false,
    })).await;
    let [one, two] = [(), ()].map(|()| desk.authority.pair("app", |_| {}));
    let named = [("client_id", text(&app["client_id"]))];
    let code = world.signed_in(&alice).await.authorize(&Ask::of(&known(&app)).pkce()).await.code();
    let tokens = world.redeem(&known(&app), &code).carrying(&one).await.tokens();
    let refreshed = async |tokens: &Tokens, pair: &Pair| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
        world.token(&fields).fields(&named).carrying(pair).await.tokens()
    };
    let first = refreshed(&tokens, &one).await;
    let again = refreshed(&tokens, &two).await;
    assert_eq!((&again.access, again.refresh()), (&first.access, first.refresh()));
    refreshed(&again, &two).await;
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn a_token_is_given_again_to_the_same_certificate_alone(world: World) {
    let desk = Desk::of(world.clone()).await;
    let (pair, other) = (own("app"), own("other"));
    let bound = json!({ "reuse_access_token": true, "tls_client_certificate_bound_access_tokens": true });
    let app = known(&desk.register(&bound).await);
    let with = |pair: &Pair| world.client_credentials(&app).carrying(pair);
    let first = with(&pair).await.tokens();
    assert_eq!(with(&pair).await.tokens().access, first.access);
    let elsewhere = with(&other).await.tokens();
    assert_ne!(elsewhere.access, first.access);
    is_bound(&world, &elsewhere.access, &other).await;
    is_bound(&world, &first.access, &pair).await;
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert", "grants" = "authorization_code,refresh_token,implicit")
async fn no_token_that_is_to_be_bound_comes_in_an_address(world: World) {
    let desk = Desk::of(world.clone()).await;
    let alice = world.user("alice").await;
    let app = desk.register(&json!({ "grants": ["authorization_code", "implicit"] })).await;
    let refused = desk.patch(&app, &json!({ "tls_client_certificate_bound_access_tokens": true })).await;
    assert_eq!(refused.status, 422, "{refused}");
    let bound = desk.register(&json!({ "grants": ["authorization_code"], "tls_client_certificate_bound_access_tokens": true })).await;
    let ask = Ask::of(&known(&bound)).with("response_type", "token");
    let answer = world.signed_in(&alice).await.authorize(&ask).await;
    assert_eq!(answer.get("error").as_deref(), Some("unauthorized_client"));
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn programs_administer_with_a_bound_token_on_its_own_connection_alone(world: World) {
    let desk = Desk::of(world.clone()).await;
    let pair = own("app");
    let app = known(&desk.register(&json!({
        "grants": ["authorization_code"], "scopes": ["applications"], "tls_client_certificate_bound_access_tokens": true,
    })).await);
    let boss = world.administrator("boss").await;
    let ask = Ask::of(&app).with("scope", "applications");
    let code = world.signed_in(&boss).await.authorize(&ask).await.code();
    let tokens = world.redeem(&app, &code).carrying(&pair).await.tokens();
    let list = || world.get("/oauth/applications").header("Accept", "application/json").bearer(&tokens.access);
    assert_eq!(list().carrying(&pair).await.status, 200);
    list().await.challenged(401, "invalid_token");
    list().carrying(&own("other")).await.challenged(401, "invalid_token");
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn people_are_told_what_a_token_is_bound_to(world: World) {
    let desk = Desk::of(world.clone()).await;
    let pair = desk.authority.pair("app", |_| {});
    let app = desk.of_authority().await;
    let tokens = asked(&world, "/oauth/token", &app).carrying(&pair).await.tokens();
    let short = tegata::model::certificate::Thumbprint::of(&pair.der).short();
    let shown = world.command(&["token", "show"], &format!("{}\n", tokens.access)).await.stdout;
    assert!(shown.contains(&format!("{short}…")), "{shown}");
    let path = format!("/oauth/applications/{}/grants", text(&app["id"]));
    let boss = world.administrator("boss").await;
    let page = world.signed_in(&boss).await.get(&path).await;
    assert!(page.body.contains(&format!("bound to certificate {short}…")), "{page}");
    let listed = desk.script.request("GET", &path).await.json();
    assert_eq!(listed["own_tokens"][0]["certificate"], tegata::model::certificate::Thumbprint::of(&pair.der).to_string());
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn what_misses_its_certificate_is_told_to_whoever_runs_the_application(world: World) {
    let desk = Desk::of(world.clone()).await;
    let app = desk.register(&json!({ "tls_client_certificate_bound_access_tokens": true })).await;
    world.client_credentials(&known(&app)).await.refused(400, "invalid_request");
    world.clock.advance(1);
    world.client_credentials(&known(&app)).header("Client-Cert", "rubbish").await.refused(400, "invalid_request");
    sweep::round(&world.app().await).await.unwrap();
    let path = format!("/oauth/applications/{}/failed_requests", text(&app["id"]));
    let rows = desk.script.request("GET", &path).await.json();
    let reasons: Vec<_> = rows.as_array().unwrap().iter().map(|row| text(&row["reason"])).collect();
    assert_eq!(reasons, ["certificate_unreadable", "certificate_needed"]);
}

with("trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn the_form_registers_what_the_program_does(world: World) {
    let desk = Desk::of(world.clone()).await;
    let root = world.administrator("boss").await;
    let browser = world.signed_in(&root).await;
    let page = browser.get("/oauth/applications/new").await;
    let mut form = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/oauth/applications")).unwrap();
    form.fill("name", "Memo Bot");
    form.fill("redirect_uris", "https://app.example/callback");
    form.set("token_endpoint_auth_method", "tls_client_auth");
    form.set("tls_client_auth_subject_dn", "app");
    let wrong = browser.submit(&page, &form).await;
    assert_eq!(wrong.status, 422, "{wrong}");
    form.set("tls_client_auth_subject_dn", "CN=app");
    let done = browser.submit(&page, &form).await;
    assert_eq!(done.status, 201, "{done}");
    let pair = desk.authority.pair("app", |_| {});
    let listed = desk.script.request("GET", "/oauth/applications").await.json();
    let app = listed.as_array().unwrap().iter().find(|app| app["name"] == "Memo Bot").unwrap().clone();
    assert_eq!(app["tls_client_certificate_bound_access_tokens"], true, "{app}");
    asked(&world, "/oauth/token", &app).carrying(&pair).await.tokens();
    let path = format!("/oauth/applications/{}", text(&app["id"]));
    let shown = browser.get(&path).await;
    assert!(shown.body.contains("tls_client_auth") && !shown.body.contains("rotate-secret"), "{shown}");

    let page = browser.get(&format!("{path}/edit")).await;
    let mut form = Form::all(&page.body).into_iter().find(|form| form.action.ends_with(&path)).unwrap();
    form.fill("name", "Memo Robot");
    assert!(matches!(browser.submit(&page, &form).await.status, 200 | 303));
    let kept = desk.script.request("GET", &path).await.json();
    assert_eq!((&kept["name"], &kept["tls_client_auth_subject_dn"]), (&json!("Memo Robot"), &json!("CN=app")));
}

}
