//! A device without a browser is authorized on another (RFC 8628).

use std::collections::HashSet;

use serde_json::json;

use crate::form::{Form, text_of};
use crate::world::{Application, World};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn television(world: &World) -> Application {
    let wanted = world
        .application()
        .name("Television")
        .public()
        .grant("device_code");
    wanted.grant("refresh_token").create().await
}

on_each_database! {

async fn a_device_waits_until_a_person_has_authorized_it(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let device = world.device(&app).await;
    world.poll(&app, &device).await.refused(400, "authorization_pending");

    let browser = world.signed_in(&alice).await;
    let done = browser.authorize_device(&device).await;
    assert!(text_of(&done.body, "device-authorized").is_some(), "{done}");

    world.clock.advance(5);
    let tokens = world.poll(&app, &device).await.tokens();
    assert_eq!(tokens.json["scope"], "read");
    assert_eq!(world.memos(&tokens.access).await.status, 200);
    let introspected = world.introspect(&tokens.access).by(&introspector(&world).await).await.json();
    assert_eq!((&introspected["username"], &introspected["client_id"]), (&json!("alice"), &json!(app.client_id)));
    let next = world.refresh(&app, tokens.refresh()).await.tokens();
    assert_eq!(world.memos(&next.access).await.status, 200);
}

with("device_code_ttl" = "7m")
async fn the_answer_has_everything_a_device_shows_and_needs(world: World) {
    let app = television(&world).await;
    let answer = world.device_authorization(&app).await;
    let device = answer.device();
    let page = format!("{}/oauth/device", world.base_url);
    let expected = json!({
        "device_code": device.device_code,
        "user_code": device.user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={}", device.user_code),
        "expires_in": 420,
        "interval": 5,
    });
    assert_eq!(device.json, expected, "numbers are numbers");
    assert_eq!((device.device_code.len(), device.device_code.get(..4)), (47, Some("tgd_")));
}

async fn a_user_code_has_no_vowel_and_no_two_are_alike(world: World) {
    let app = television(&world).await;
    let mut codes = HashSet::new();
    for _ in 0..50 {
        let device = world.device(&app).await;
        let (first, second) = device.user_code.split_once('-').expect("two halves");
        assert_eq!((first.len(), second.len()), (4, 4));
        assert!(format!("{first}{second}").chars().all(|letter| "BCDFGHJKLMNPQRSTVWXZ".contains(letter)), "{device:?}");
        codes.insert(device.user_code.clone());
        codes.insert(device.device_code);
    }
    assert_eq!(codes.len(), 100);
}

async fn the_address_with_the_code_still_asks_to_confirm_it(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let device = world.device(&app).await;
    let complete = device.json["verification_uri_complete"].as_str().unwrap();
    let browser = world.browser();
    // Signing in leads back to the code.
    let entry = browser.walk(browser.get(complete).await, Some(&alice), None).await.answer;
    let form = Form::with_id(&entry.body, "user-code").unwrap_or_else(|| panic!("{entry}"));
    assert!(form.fields.contains(&("user_code".to_owned(), device.user_code.clone())), "{form:?}");
    assert!(!entry.body.contains("Television"), "not yet: {entry}");

    let asked = browser.submit(&entry, &form).await;
    assert_eq!(text_of(&asked.body, "shown-code"), Some(device.user_code.clone()), "{asked}");
    world.poll(&app, &device).await.refused(400, "authorization_pending");
}

async fn the_person_is_told_what_asks_from_where_since_when_and_is_warned(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().name("Television").grant("device_code").create().await;
    let request = world.device_authorization(&app).without("scope").field("scope", "read write");
    let device = request.await.device();
    world.clock.advance(180);
    let (page, _) = world.signed_in(&alice).await.asked(&device.user_code).await;
    for sign in [
        "Television",
        "alice",
        "data-scope=\"read\"",
        "data-scope=\"write\"",
        "Only go on if the device in your hands shows this code",
        "If somebody sent you the code",
        "3 minutes ago",
        "127.0.0.1",
        device.user_code.as_str(),
    ] {
        assert!(page.body.contains(sign), "{sign}: {page}");
    }
    assert!(page.header("cache-control").contains("no-store"), "{page}");
}

async fn a_code_is_taken_however_it_is_typed(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let browser = world.signed_in(&alice).await;
    let wide = |code: &str| code.chars().map(|sign| char::from_u32(sign as u32 + 0xfee0).unwrap()).collect();
    let spellings: [fn(&str) -> String; 6] = [
        |code| code.to_lowercase(),
        |code| code.replace('-', ""),
        |code| code.replace('-', " "),
        |code| format!("  {} ", code.replace('-', "").to_lowercase()),
        |code| code.replace('-', "\u{2013}"),
        wide,
    ];
    for spelling in spellings {
        let device = world.device(&app).await;
        let typed = spelling(&device.user_code);
        let (page, _) = browser.asked(&typed).await;
        assert_eq!(text_of(&page.body, "shown-code"), Some(device.user_code), "{typed:?}");
    }
}

async fn a_denied_device_is_told_so(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let device = world.device(&app).await;
    let done = world.signed_in(&alice).await.decide_device(&device.user_code, "deny").await;
    assert!(text_of(&done.body, "device-denied").is_some(), "{done}");
    for _ in 0..2 {
        world.poll(&app, &device).await.refused(400, "access_denied");
    }
}

async fn what_was_authorized_is_listed_and_can_be_taken_back(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let (first, second) = (world.device(&app).await, world.device(&app).await);
    let browser = world.signed_in(&alice).await;
    browser.authorize_device(&first).await;
    let listed = browser.get("/oauth/authorized_applications").await;
    assert!(listed.body.contains("Television"), "before the device has come for its tokens: {listed}");
    let tokens = world.poll(&app, &first).await.tokens();
    browser.authorize_device(&second).await;

    let page = browser.get("/oauth/authorized_applications").await;
    let withdraw = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/delete")).unwrap();
    assert_eq!(browser.submit(&page, &withdraw).await.status, 303);
    world.memos(&tokens.access).await.challenged(401, "invalid_token");
    world.refresh(&app, tokens.refresh()).await.refused(400, "invalid_grant");
    world.poll(&app, &second).await.refused(400, "invalid_grant");
}

async fn authorizing_a_device_is_not_remembered(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("device_code").grant("authorization_code").create().await;
    let device = world.device(&app).await;
    let browser = world.signed_in(&alice).await;
    browser.authorize_device(&device).await;
    assert_eq!(world.count("consents").await, 0);
    browser.consent_page(&crate::world::Ask::of(&app)).await;
    let next = world.device(&app).await;
    browser.asked(&next.user_code).await;
}

async fn a_trusted_application_asks_all_the_same(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().trusted().grant("device_code").create().await;
    let device = world.device(&app).await;
    world.signed_in(&alice).await.asked(&device.user_code).await;
    world.poll(&app, &device).await.refused(400, "authorization_pending");
}

async fn without_the_refresh_grant_there_is_no_refresh_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant(GRANT).create().await;
    let device = world.device(&app).await;
    world.signed_in(&alice).await.authorize_device(&device).await;
    let tokens = world.poll(&app, &device).await.tokens();
    assert!(!tokens.has_refresh());
    assert!(world.is_active(&app, &tokens.access).await);
}

async fn a_request_without_scope_gets_the_default(world: World) {
    let alice = world.user("alice").await;
    let app = television(&world).await;
    let device = world.device_authorization(&app).without("scope").await.device();
    world.signed_in(&alice).await.authorize_device(&device).await;
    assert_eq!(world.poll(&app, &device).await.tokens().json["scope"], "read");
}

with("resources" = "https://api.example/v1,https://files.example")
async fn a_token_is_for_the_resources_that_the_device_named(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("device_code").create().await;
    let ask = || world.device_authorization(&app);
    ask().field("resource", "https://else.example").await.refused(400, "invalid_target");
    let both = ask().field("resource", "https://api.example/v1").field("resource", "https://files.example");
    let device = both.await.device();
    let browser = world.signed_in(&alice).await;
    let (page, mut form) = browser.asked(&device.user_code).await;
    assert!(page.body.contains("https://api.example/v1"), "{page}");
    form.press("authorize");
    browser.submit(&page, &form).await;
    let wider = world.poll(&app, &device).field("resource", &format!("{}/api/memos", world.base_url));
    wider.await.refused(400, "invalid_target");
    let narrowed = world.poll(&app, &device).field("resource", "https://files.example").await.tokens();
    let said = world.introspect(&narrowed.access).by(&app).await.json();
    assert_eq!(said["aud"], json!("https://files.example"), "and asking for too much used nothing up");
}

async fn who_switches_the_account_hands_the_code_over(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = television(&world).await;
    let device = world.device(&app).await;
    let browser = world.signed_in(&alice).await;
    let (page, _) = browser.asked(&device.user_code).await;
    let leave = Form::with_id(&page.body, "switch-account").unwrap();
    let entry = browser.walk(browser.submit(&page, &leave).await, Some(&bob), None).await.answer;
    assert!(entry.body.contains("bob") && Form::with_id(&entry.body, "user-code").is_some(), "{entry}");
    browser.authorize_device(&device).await;
    let tokens = world.poll(&app, &device).await.tokens();
    let introspected = world.introspect(&tokens.access).by(&introspector(&world).await).await.json();
    assert_eq!(introspected["username"], "bob");
}

async fn who_switches_the_account_before_typing_keeps_the_code(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = television(&world).await;
    let device = world.device(&app).await;
    let browser = world.signed_in(&alice).await;
    let page = browser.get(&format!("/oauth/device?user_code={}", device.user_code)).await;
    let leave = Form::with_id(&page.body, "switch-account").unwrap();
    let entry = browser.walk(browser.submit(&page, &leave).await, Some(&bob), None).await.answer;
    let form = Form::with_id(&entry.body, "user-code").unwrap_or_else(|| panic!("{entry}"));
    assert!(form.fields.contains(&("user_code".to_owned(), device.user_code)), "{form:?}");
}

async fn an_application_needs_no_redirect_uri_for_it(world: World) {
    let arguments = ["application", "create", "--json", "--name", "TV", "--public", "--grant", "device_code"];
    let made = world.command(&arguments, "").await.json();
    assert_eq!(made["grants"], json!(["device_code"]));
    assert_eq!(made["redirect_uris"], json!([]));
}

async fn the_page_of_the_application_has_the_commands_ready(world: World) {
    let ichiro = world.administrator("ichiro").await;
    television(&world).await;
    let browser = world.signed_in(&ichiro).await;
    let list = browser.get("/oauth/applications").await;
    let at = list.body.find("/oauth/applications/0").unwrap();
    let page = browser.get(list.body[at..].split('"').next().unwrap()).await;
    assert!(page.body.contains("/oauth/device_authorization"), "{page}");
    assert!(page.body.contains(&format!("grant_type={GRANT}")), "{page}");
}

}

async fn introspector(world: &World) -> Application {
    world.application().name("Resource").introspects().create().await
}
