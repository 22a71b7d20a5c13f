//! What a device, a stranger and a hurried person are refused (RFC 8628 §3.5, §5).

use crate::form::{Form, text_of};
use crate::world::{Application, Browser, Codes, World};

/// Wrong user codes of one user that are looked for together.
const BURST: usize = 5;
/// Seconds until one more is.
const INTERVAL: i64 = 120;

async fn television(world: &World) -> Application {
    world
        .application()
        .name("Television")
        .public()
        .grant("device_code")
        .create()
        .await
}

/// A code that is nobody's, different for each number.
fn wrong(number: usize) -> String {
    let letters = b"BCDFGHJKLMNPQRSTVWXZ";
    let (first, second) = (letters[number % 20], letters[number / 20 % 20]);
    format!("BBBB-BB{}{}", char::from(first), char::from(second))
}

/// Asserts that a typed code led nowhere, and tells what was said.
#[track_caller]
fn unknown(answer: &crate::world::Answer) -> String {
    assert_eq!(answer.status, 422, "{answer}");
    assert!(Form::with_id(&answer.body, "authorize").is_none(), "{answer}");
    text_of(&answer.body, "user-code-error").expect("a reason")
}

/// Presses a button of a page that was shown before; it must have no effect.
async fn too_late(browser: &Browser, shown: &(crate::world::Answer, Form), button: &str) {
    let (page, mut form) = shown.clone();
    form.press(button);
    let answer = browser.submit(&page, &form).await;
    assert_eq!(answer.status, 400, "{answer}");
    assert!(answer.body.contains("This request is over"), "{answer}");
}

on_each_database! {

async fn who_polls_too_early_waits_longer_from_then_on_whichever_node_is_asked(world: World) {
    let app = television(&world).await;
    let device = world.device(&app).await;
    let other = world.second_node().await;
    world.poll(&app, &device).await.refused(400, "authorization_pending");
    world.clock.advance(4);
    other.poll(&app, &device).await.refused(400, "slow_down");
    for pause in [10, 10] {
        world.clock.advance(pause - 1);
        let early = world.device(&app).await;
        world.poll(&app, &early).await.refused(400, "authorization_pending");
        world.clock.advance(1);
        world.poll(&app, &device).await.refused(400, "authorization_pending");
    }
    world.clock.advance(9);
    world.poll(&app, &device).await.refused(400, "slow_down");
    world.clock.advance(14);
    other.poll(&app, &device).await.refused(400, "slow_down");
    world.clock.advance(20);
    other.poll(&app, &device).await.refused(400, "authorization_pending");
    world.clock.advance(19);
    world.poll(&app, &device).await.refused(400, "slow_down");
}

async fn an_authorized_code_is_redeemed_however_fast_it_is_polled(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let device = world.device(&app).await;
    world.poll(&app, &device).await.refused(400, "authorization_pending");
    world.poll(&app, &device).await.refused(400, "slow_down");
    world.signed_in(&alice).await.authorize_device(&device).await;
    let tokens = world.poll(&app, &device).await.tokens();
    for _ in 0..3 {
        world.poll(&app, &device).await.refused(400, "invalid_grant");
    }
    assert_eq!(world.memos(&tokens.access).await.status, 200, "a second poll is no theft");
    let other = Codes { device_code: format!("tgd_{}", "x".repeat(43)), ..device };
    for _ in 0..3 {
        world.poll(&app, &other).await.refused(400, "invalid_grant");
    }
}

with("device_code_ttl" = "10m")
async fn a_code_expires_whether_it_was_authorized_or_not(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let (pending, authorized, denied, used) = (
        world.device(&app).await,
        world.device(&app).await,
        world.device(&app).await,
        world.device(&app).await,
    );
    let browser = world.signed_in(&alice).await;
    browser.authorize_device(&authorized).await;
    browser.decide_device(&denied.user_code, "deny").await;
    browser.authorize_device(&used).await;
    world.poll(&app, &used).await.tokens();
    let shown = browser.asked(&pending.user_code).await;
    world.clock.advance(599);
    world.poll(&app, &pending).await.refused(400, "authorization_pending");
    world.clock.advance(1);
    for _ in 0..2 {
        world.poll(&app, &pending).await.refused(400, "expired_token");
        world.poll(&app, &authorized).await.refused(400, "expired_token");
    }
    world.poll(&app, &denied).await.refused(400, "access_denied");
    world.poll(&app, &used).await.refused(400, "invalid_grant");
    too_late(&browser, &shown, "authorize").await;
    unknown(&browser.type_code(&pending.user_code).await);
    world.poll(&app, &pending).await.refused(400, "expired_token");
}

async fn another_application_gets_nothing_and_does_no_harm(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let others = [television(&world).await, world.application().grant("device_code").create().await];
    let device = world.device(&app).await;
    for other in &others {
        world.poll(other, &device).await.refused(400, "invalid_grant");
    }
    world.poll(&app, &device).await.refused(400, "authorization_pending");
    world.signed_in(&alice).await.authorize_device(&device).await;
    for other in &others {
        world.poll(other, &device).await.refused(400, "invalid_grant");
    }
    world.poll(&app, &device).await.tokens();
}

async fn who_is_not_the_client_gets_no_code(world: World) {
    let app = world.application().grant("device_code").create().await;
    let ask = || world.post("/oauth/device_authorization", &[("scope", "read")]);
    ask().await.refused(401, "invalid_client");
    ask().field("client_id", &app.client_id).await.refused(401, "invalid_client");
    ask().basic(&app.client_id, "tgs_wrong").await.refused(401, "invalid_client");
    ask().basic("nobody", "tgs_wrong").await.refused(401, "invalid_client");
    ask().secret_in_body(&app.client_id, app.secret()).await.device();
    let public = television(&world).await;
    ask().secret_in_body(&public.client_id, "tgs_wrong").await.refused(401, "invalid_client");
    ask().secret_in_body(&public.client_id, "").await.device();
    let query = format!("/oauth/device_authorization?client_id={}", public.client_id);
    world.post(&query, &[]).await.refused(400, "invalid_request");
}

async fn only_an_application_that_is_allowed_the_grant_uses_it(world: World) {
    let app = world.application().create().await;
    world.device_authorization(&app).await.refused(400, "unauthorized_client");
    world.poll_with(&app, "tgd_x").await.refused(400, "unauthorized_client");
}

with("grants" = "authorization_code")
async fn a_server_that_does_not_offer_it_says_so(world: World) {
    let alice = world.user("alice").await;
    let arguments = ["application", "create", "--name", "TV", "--public", "--grant", "device_code"];
    let printed = world.command(&arguments, "").await;
    assert_eq!(printed.exit, 1, "{}", printed.stderr);
    let app = world.application().create().await;
    world.device_authorization(&app).await.refused(400, "unauthorized_client");
    world.poll_with(&app, "tgd_x").await.refused(400, "unsupported_grant_type");
    assert_eq!(world.signed_in(&alice).await.get("/oauth/device").await.status, 404);
    let metadata = world.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata.get("device_authorization_endpoint"), None);
}

async fn a_bad_request_is_refused_as_anywhere(world: World) {
    let app = television(&world).await;
    for scope in ["read unknown", "applications", "read\nwrite", "\"", "r\u{e9}ad"] {
        let request = world.device_authorization(&app).without("scope").field("scope", scope);
        request.await.refused(400, "invalid_scope");
    }
    world.device_authorization(&app).field("scope", "write").await.refused(400, "invalid_request");
    world.request("GET", "/oauth/device_authorization").await.refused(405, "invalid_request");
    world.token(&[("grant_type", "urn:ietf:params:oauth:grant-type:device_code")]).by(&app)
        .await.refused(400, "invalid_request");
    world.token(&[("grant_type", "device_code"), ("device_code", "tgd_x")]).by(&app)
        .await.refused(400, "unsupported_grant_type");
    let device = world.device(&app).await;
    world.poll(&app, &device).field("device_code", &device.device_code).await.refused(400, "invalid_request");
    for code in ["", "tgd_", "\0", &device.user_code, &device.device_code[1..], &device.device_code.to_uppercase()] {
        let answer = world.poll_with(&app, code).await;
        assert!(["invalid_grant", "invalid_request"].contains(&answer.json()["error"].as_str().unwrap()), "{answer}");
    }
}

async fn a_poll_gets_what_was_authorized_whatever_it_asks(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let device = world.device(&app).await;
    world.signed_in(&alice).await.authorize_device(&device).await;
    let tokens = world.poll(&app, &device).field("scope", "read write").await.tokens();
    assert_eq!(tokens.json["scope"], "read");
    world.request("POST", "/api/memos").bearer(&tokens.access).json(&serde_json::json!({"message": "x"}))
        .await.challenged(403, "insufficient_scope");
}

async fn a_code_is_of_the_first_who_types_it(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = television(&world).await;
    let device = world.device(&app).await;
    let (hers, his) = (world.signed_in(&alice).await, world.signed_in(&bob).await);
    let shown = hers.asked(&device.user_code).await;
    let told = unknown(&his.type_code(&device.user_code).await);
    assert_eq!(told, unknown(&his.type_code("BBBB-BBBB").await), "as of a code that is not there");

    // Her page in his hands, with his own token.
    let his_code = world.device(&app).await;
    let (own, mut forged) = his.asked(&his_code.user_code).await;
    let hers_names = shown.1.fields.iter().find(|(name, _)| name == "confirmation").unwrap();
    forged.set("confirmation", &hers_names.1);
    for button in ["authorize", "deny"] {
        too_late(&his, &(own.clone(), forged.clone()), button).await;
    }
    world.poll(&app, &device).await.refused(400, "authorization_pending");
    let (page, mut form) = shown;
    form.press("authorize");
    assert_eq!(hers.submit(&page, &form).await.status, 200);
    unknown(&his.type_code(&device.user_code).await);
    world.poll(&app, &device).await.tokens();
}

async fn nothing_decides_but_the_page_that_the_code_led_to(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let device = world.device(&app).await;
    let browser = world.signed_in(&alice).await;
    let entry = browser.get("/oauth/device").await;
    let mut form = Form::with_id(&entry.body, "continue").unwrap();
    for confirmation in ["", &device.user_code, &device.device_code, "x"] {
        form.set("user_code", &device.user_code);
        form.set("decision", "authorize");
        form.set("confirmation", confirmation);
        let answer = browser.submit(&entry, &form).await;
        assert!(text_of(&answer.body, "device-authorized").is_none(), "{answer}");
    }
    for query in ["decision=authorize", "confirmation=x&decision=authorize", "user_code="] {
        let path = format!("/oauth/device?{query}&user_code={}", device.user_code);
        let page = browser.get(&path).await;
        assert!(Form::with_id(&page.body, "authorize").is_none(), "{page}");
    }
    world.poll(&app, &device).await.refused(400, "authorization_pending");

    // Once it was typed again, the page before is stale.
    let first = browser.asked(&device.user_code).await;
    let second = browser.asked(&device.user_code).await;
    too_late(&browser, &first, "authorize").await;
    let (page, mut form) = second;
    form.press("authorize");
    assert_eq!(browser.submit(&page, &form).await.status, 200);
}

async fn a_form_from_elsewhere_decides_nothing(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let device = world.device(&app).await;
    let browser = world.signed_in(&alice).await;
    let (page, mut form) = browser.asked(&device.user_code).await;
    form.press("authorize");
    let mut without = form.clone();
    without.fields.retain(|(name, _)| name != "csrf_token");
    assert_eq!(browser.submit(&page, &without).await.status, 403);
    let mut other = form.clone();
    other.set("csrf_token", "x");
    assert_eq!(browser.submit(&page, &other).await.status, 403);
    let foreign = browser.request("POST", "/oauth/device").header("Origin", "https://evil.example");
    assert_eq!(foreign.fields(&form.fields).await.status, 403);
    let entry = browser.request("POST", "/oauth/device").header("Sec-Fetch-Site", "cross-site");
    assert_eq!(entry.fields(&[("user_code", &device.user_code)]).await.status, 403);
    let anonymous = world.browser();
    assert_eq!(anonymous.submit(&page, &form).await.status, 403);
    world.poll(&app, &device).await.refused(400, "authorization_pending");
    assert_eq!(browser.submit(&page, &form).await.status, 200);
}

async fn what_is_decided_stays_decided(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let browser = world.signed_in(&alice).await;
    let (authorized, denied) = (world.device(&app).await, world.device(&app).await);
    for (device, button) in [(&authorized, "authorize"), (&denied, "deny")] {
        let shown = browser.asked(&device.user_code).await;
        let (page, mut form) = shown.clone();
        form.press(button);
        assert_eq!(browser.submit(&page, &form).await.status, 200);
        for again in ["authorize", "deny"] {
            too_late(&browser, &shown, again).await;
        }
        unknown(&browser.type_code(&device.user_code).await);
        if button == "authorize" {
            let tokens = world.poll(&app, device).await.tokens();
            for again in ["authorize", "deny"] {
                too_late(&browser, &shown, again).await;
            }
            assert_eq!(world.memos(&tokens.access).await.status, 200);
            world.poll(&app, device).await.refused(400, "invalid_grant");
        } else {
            world.poll(&app, device).await.refused(400, "access_denied");
        }
    }
    assert_eq!(world.count("grants").await, 1);
}

async fn what_changes_between_decision_and_poll_counts(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let change: [&[&str]; 2] = [&["user", "password", "alice", "--json"], &["user", "disable", "alice"]];
    for arguments in change {
        let device = world.device(&app).await;
        let secret = if arguments[1] == "password" { alice.password.clone() } else { "another".to_owned() };
        let browser = world.browser();
        let user = crate::world::User { password: secret, ..alice.clone() };
        if arguments[1] == "disable" {
            let printed = world.command(&["user", "password", "alice", "--password-stdin"], "another one for alice\n").await;
            assert_eq!(printed.exit, 0, "{}", printed.stderr);
            browser.sign_in(&crate::world::User { password: "another one for alice".to_owned(), ..user }).await;
        } else {
            browser.sign_in(&user).await;
        }
        browser.authorize_device(&device).await;
        assert_eq!(world.command(arguments, "").await.exit, 0, "{arguments:?}");
        for _ in 0..2 {
            world.poll(&app, &device).await.refused(400, "invalid_grant");
        }
    }
    let bob = world.user("bob").await;
    let device = world.device(&app).await;
    world.signed_in(&bob).await.authorize_device(&device).await;
    assert_eq!(world.command(&["application", "delete", &app.client_id], "").await.exit, 0);
    world.soon(401, || world.poll(&app, &device)).await.refused(401, "invalid_client");
    assert_eq!(world.count("access_tokens").await, 0);
}

async fn a_code_of_an_application_that_is_gone_asks_nobody(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let (device, shown_before) = (world.device(&app).await, world.device(&app).await);
    let browser = world.signed_in(&alice).await;
    let shown = browser.asked(&shown_before.user_code).await;
    assert_eq!(world.command(&["application", "delete", &app.client_id], "").await.exit, 0);
    unknown(&browser.type_code(&device.user_code).await);
    too_late(&browser, &shown, "authorize").await;
    assert_eq!(world.count("grants").await, 0);
}

with("rate_limits" = "true")
async fn guessing_codes_is_slow_in_every_browser_of_a_user(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let device = world.device(&app).await;
    for number in 0..BURST {
        // Each from a session of its own, as a script would.
        unknown(&world.signed_in(&alice).await.type_code(&wrong(number)).await);
    }
    let browser = world.signed_in(&alice).await;
    for code in [&wrong(9), &device.user_code] {
        let answer = browser.type_code(code).await;
        assert_eq!(answer.status, 429, "a right code has to wait too: {answer}");
        let seconds: i64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=INTERVAL).contains(&seconds), "{answer}");
    }
    world.clock.advance(INTERVAL - 1);
    assert_eq!(browser.type_code(&wrong(10)).await.status, 429);
    world.clock.advance(1);
    unknown(&browser.type_code(&wrong(11)).await);
    assert_eq!(browser.type_code(&wrong(12)).await.status, 429);
    world.clock.advance(INTERVAL);
    browser.authorize_device(&device).await;
}

with("rate_limits" = "true")
async fn guessing_codes_is_slow_for_all_users_of_an_address_together(world: World) {
    let mut looked_for = 0;
    for number in 0..8 {
        let user = world.user(&format!("user{number}")).await;
        let answer = world.signed_in(&user).await.type_code(&wrong(number)).await;
        looked_for += usize::from(answer.status == 422);
        assert!([422, 429].contains(&answer.status), "{answer}");
    }
    assert_eq!(looked_for, BURST);
}

with("rate_limits" = "true", "trusted_proxies" = "127.0.0.1")
async fn guessing_codes_is_slow_from_many_addresses_and_others_are_let_be(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = television(&world).await;
    let device = world.device(&app).await;
    let browser = world.signed_in(&alice).await;
    let entry = browser.get("/oauth/device").await;
    let mut form = Form::with_id(&entry.body, "continue").unwrap();
    let mut looked_for = 0;
    for number in 0..40 {
        form.fill("user-code", &wrong(number));
        let from = format!("198.51.100.{number}");
        let answer = browser.submit(&entry, &form).header("X-Forwarded-For", &from).await;
        looked_for += usize::from(answer.status == 422);
    }
    assert_eq!(looked_for, BURST);
    world.signed_in(&bob).await.authorize_device(&device).await;
}

with("rate_limits" = "true")
async fn right_codes_and_what_is_no_code_are_not_counted(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let browser = world.signed_in(&alice).await;
    let long = "B".repeat(10_000);
    for _ in 0..=BURST {
        let device = world.device(&app).await;
        browser.authorize_device(&device).await;
        for junk in ["ABCD-EFGH", "1234-5678", &long] {
            let told = unknown(&browser.type_code(junk).await);
            assert!(told.contains("eight letters"), "{told}");
        }
    }
    for number in 0..BURST {
        unknown(&browser.type_code(&wrong(number)).await);
    }
    assert_eq!(browser.type_code(&wrong(9)).await.status, 429);
}

with("rate_limits" = "true")
async fn a_public_application_asks_for_so_many_codes_from_one_address(world: World) {
    let app = television(&world).await;
    for _ in 0..60 {
        world.device(&app).await;
    }
    let refused = world.device_authorization(&app).await;
    refused.refused(429, "temporarily_unavailable");
    assert_eq!(refused.header("retry-after"), "10");
    world.clock.advance(10);
    world.device(&app).await;
    world.device_authorization(&app).await.refused(429, "temporarily_unavailable");
    let confidential = world.application().grant("device_code").create().await;
    world.device(&confidential).await;
}

}
