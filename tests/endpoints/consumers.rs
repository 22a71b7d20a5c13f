//! Which applications speak OAuth 1.0a: by the form, by JSON, by the command.

use serde_json::{Value, json};

use crate::form::Form;
use crate::world::{Browser, Consumer, Keys, World, member};

const CALLBACK: &str = "https://client.example/cb";
const ME: &str = "/account/verify_credentials.json";
const KEY: &str = include_str!("rsa_public_key.pem");

async fn shown(world: &World, client_id: &str) -> Value {
    world
        .command(&["application", "show", client_id, "--json"], "")
        .await
        .json()
}

async fn page_of(world: &World, client_id: &str) -> String {
    format!(
        "/oauth/applications/{}",
        shown(world, client_id).await["id"].as_str().unwrap()
    )
}

/// Registers by the form, which is filled in by `fill`.
async fn registers(browser: &Browser, fill: impl FnOnce(&mut Form)) -> crate::world::Answer {
    let page = browser.get("/oauth/applications/new").await;
    let mut form = Form::with_id(&page.body, "save").unwrap();
    form.fill("name", "Notes");
    form.fill("redirect_uris", CALLBACK);
    fill(&mut form);
    browser.submit(&page, &form).await
}

async fn asks(world: &World, client_id: &str, secret: &str) -> u16 {
    let keys = Keys {
        consumer_key: client_id.to_owned(),
        consumer_secret: secret.to_owned(),
        token: String::new(),
        token_secret: String::new(),
    };
    let call = world
        .call(&keys, "POST", "/oauth/request_token")
        .without("oauth_token");
    call.with("oauth_callback", CALLBACK).by_header().await.status
}

async fn audited(world: &World, event: &str) -> usize {
    let printed = world.command(&["audit", "--event", event, "--json"], "").await;
    printed.json().as_array().unwrap().len()
}

on_each_database! {

with("oauth1" = "true")
async fn an_administrator_allows_it_in_the_form_and_sees_the_secret_once(world: World) {
    let browser = world.signed_in(&world.administrator("root").await).await;
    let made = registers(&browser, |form| {
        form.set("oauth1", "true");
        form.fill("oauth1_rsa_public_key", KEY);
    })
    .await;
    assert_eq!(made.status, 201, "{made}");
    let value = |id: &str| {
        let (_, after) = made.body.split_once(&format!("id=\"{id}\" value=\"")).unwrap_or_else(|| panic!("no {id}: {made}"));
        after.split_once('"').unwrap().0.to_owned()
    };
    let (secret, client_secret) = (value("consumer-secret"), value("client-secret"));
    assert_ne!(secret, client_secret);
    let client_id = crate::form::text_of(&made.body, "client-id").unwrap();
    for said in ["/oauth/request_token", "/oauth/authorize", "/oauth/access_token", "registered, for RSA-SHA1"] {
        assert!(made.body.contains(said), "{said} is not on {made}");
    }
    assert_eq!(asks(&world, &client_id, &secret).await, 200);
    assert_eq!(asks(&world, &client_id, &client_secret).await, 401, "the secret of OAuth 2.0 signs nothing");
    let page = browser.get(&page_of(&world, &client_id).await).await;
    assert!(!page.body.contains(&secret), "{page}");

    let form = Form::with_id(&page.body, "rotate-consumer-secret").unwrap();
    let rotated = browser.submit(&page, &form).await;
    assert_eq!(rotated.status, 201, "{rotated}");
    assert_eq!(asks(&world, &client_id, &secret).await, 401, "the old one signs nothing any more");
    assert_eq!((audited(&world, "oauth1_enabled").await, audited(&world, "consumer_secret_generated").await), (1, 1));
}

with("oauth1" = "true")
async fn switched_off_everything_of_it_ends_and_stays_ended(world: World) {
    let alice = world.user("alice").await;
    let consumer = Consumer::create(&world, &[CALLBACK], &[]).await;
    let keys = consumer.access(&world, &alice).await;
    let tokens = world.tokens(&alice, &consumer.application).await;
    let request = consumer.request_token(&world, CALLBACK).await;
    let browser = world.signed_in(&world.administrator("root").await).await;
    let here = page_of(&world, &keys.consumer_key).await;
    let page = browser.get(&format!("{here}/edit")).await;
    let mut form = Form::with_id(&page.body, "save").unwrap();
    form.fields.retain(|(name, _)| name != "oauth1");
    assert_eq!(browser.submit(&page, &form).await.status, 303);
    let me = || world.call(&keys, "GET", ME).by_header();
    assert_eq!(me().await.status, 401);
    assert_eq!(world.count("oauth1_consumers").await, 0);
    assert_eq!(world.memos(&tokens.access).await.status, 200, "OAuth 2.0 goes on");

    let page = browser.get(&format!("{here}/edit")).await;
    let mut form = Form::with_id(&page.body, "save").unwrap();
    form.set("oauth1", "true");
    assert_eq!(browser.submit(&page, &form).await.status, 200, "a new secret is shown");
    assert_eq!(me().await.status, 401, "neither the secret nor what was granted comes back");
    let grants = world.command(&["grant", "list", "--user", "alice", "--json"], "").await.json();
    assert_eq!(grants.as_array().unwrap().len(), 1, "{grants}");
    let late = browser.get(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
    assert_eq!(late.status, 400, "{late}");
    assert_eq!(audited(&world, "oauth1_disabled").await, 1);
}

with("oauth1" = "true")
async fn what_a_form_does_not_ask_stays(world: World) {
    let consumer = Consumer::create(&world, &[CALLBACK], &[]).await;
    let browser = world.signed_in(&world.administrator("root").await).await;
    let page = browser.get(&format!("{}/edit", page_of(&world, &consumer.application.client_id).await)).await;
    let mut form = Form::with_id(&page.body, "save").unwrap();
    form.fields.retain(|(name, _)| !name.starts_with("oauth1"));
    assert_eq!(browser.submit(&page, &form).await.status, 303);
    assert_eq!(asks(&world, &consumer.application.client_id, &consumer.secret).await, 200);
}

with("oauth1" = "true", "user_applications" = "true")
async fn owners_neither_switch_it_on_nor_off_but_renew_their_secret(world: World) {
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    let page = browser.get("/oauth/applications/new").await;
    assert!(!page.body.contains("oauth1"), "{page}");
    let refused = registers(&browser, |form| {
        form.set("oauth1_asked", "true");
        form.set("oauth1", "true");
    })
    .await;
    assert_eq!(refused.status, 422, "{refused}");
    assert!(refused.body.contains("Only an administrator decides whether"), "{refused}");

    let consumer = Consumer::create(&world, &[CALLBACK], &["--owner", "alice"]).await;
    let here = page_of(&world, &consumer.application.client_id).await;
    let page = browser.get(&format!("{here}/edit")).await;
    let mut form = Form::with_id(&page.body, "save").unwrap();
    form.set("oauth1_asked", "true");
    assert_eq!(browser.submit(&page, &form).await.status, 422);
    let page = browser.get(&here).await;
    let rotated = browser.submit(&page, &Form::with_id(&page.body, "rotate-consumer-secret").unwrap()).await;
    assert_eq!(rotated.status, 201, "{rotated}");
}

with("oauth1" = "true", "user_applications" = "true")
async fn an_owner_who_tried_to_make_it_public_goes_on_as_before(world: World) {
    let browser = world.signed_in(&world.user("alice").await).await;
    let consumer = Consumer::create(&world, &[CALLBACK], &["--owner", "alice"]).await;
    let id = &consumer.application.client_id;
    let page = browser.get(&format!("{}/edit", page_of(&world, id).await)).await;
    let mut form = Form::with_id(&page.body, "save").unwrap();
    form.set("confidential", "false");
    let refused = browser.submit(&page, &form).await;
    assert_eq!(refused.status, 422, "{refused}");
    let (_, error) = refused.body.split_once("id=\"confidential-error\"").unwrap_or_else(|| panic!("no error: {refused}"));
    assert!(error.contains("which a public one cannot keep"), "{refused}");
    let mut form = Form::with_id(&refused.body, "save").unwrap();
    assert!(form.fields.iter().all(|(name, _)| !name.starts_with("oauth1")), "{:?}", form.fields);
    form.set("confidential", "true");
    form.fill("name", "Renamed");
    let saved = browser.submit(&refused, &form).await;
    assert_eq!(saved.status, 303, "{saved}");
    assert_eq!(asks(&world, id, &consumer.secret).await, 200);
}

with("oauth1" = "true")
async fn a_public_application_cannot_speak_it(world: World) {
    let arguments = ["application", "create", "--name", "N", "--public", "--oauth1", "--redirect-uri", CALLBACK];
    let refused = world.command(&arguments, "").await;
    assert_eq!(refused.exit, 1);
    assert!(refused.stderr.contains("confidential"), "{}", refused.stderr);
    let consumer = Consumer::create(&world, &[CALLBACK], &[]).await;
    let browser = world.signed_in(&world.administrator("root").await).await;
    let page = browser.get(&format!("{}/edit", page_of(&world, &consumer.application.client_id).await)).await;
    let mut form = Form::with_id(&page.body, "save").unwrap();
    form.set("confidential", "false");
    let refused = browser.submit(&page, &form).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("which a public one cannot keep"), "{refused}");
}

with("oauth1" = "true")
async fn a_key_that_is_none_is_refused_in_words(world: World) {
    let browser = world.signed_in(&world.administrator("root").await).await;
    let private = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let ec = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\nq9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\n-----END PUBLIC KEY-----\n";
    for (key, told) in [
        ("nonsense", "no public key"),
        (private, "private key"),
        (ec, "not for RSA"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no public key"),
    ] {
        let refused = registers(&browser, |form| {
            form.set("oauth1", "true");
            form.fill("oauth1_rsa_public_key", key);
        })
        .await;
        assert_eq!(refused.status, 422, "{key}");
        assert!(refused.body.contains(told), "{told} is not on {refused}");
    }
    let alone = registers(&browser, |form| form.fill("oauth1_rsa_public_key", KEY)).await;
    assert!(alone.body.contains("switch that on"), "{alone}");
}

with("oauth1" = "true")
async fn programs_do_the_same_by_json(world: World) {
    let root = world.administrator("root").await;
    let manager = world.application().scope("applications").create().await;
    let ask = crate::world::Ask::of(&manager).with("scope", "applications");
    let code = world.browser().authorize_as(&root, &ask).await.code();
    let token = world.redeem(&manager, &code).await.tokens().access;
    let sends = |method: &str, path: &str, body: &Value| {
        world.request(method, path).header("Accept", "application/json").bearer(&token).json(body)
    };
    let wanted = json!({"name": "Notes", "redirect_uris": [CALLBACK], "oauth1": true, "oauth1_rsa_public_key": KEY});
    let made = sends("POST", "/oauth/applications", &wanted).await;
    assert_eq!(made.status, 201, "{made}");
    let made = made.json();
    assert_eq!((&made["oauth1"], &made["oauth1_rsa_public_key"]), (&json!(true), &json!(KEY)));
    let (client_id, secret) = (made["client_id"].as_str().unwrap(), made["consumer_secret"].as_str().unwrap());
    assert_eq!(asks(&world, client_id, secret).await, 200);
    let here = format!("/oauth/applications/{}", made["id"].as_str().unwrap());
    let read = world.get(&here).header("Accept", "application/json").bearer(&token).await.json();
    assert_eq!((read.get("consumer_secret"), &read["oauth1"]), (None, &json!(true)));

    let rotated = sends("POST", &format!("{here}/consumer_secret"), &json!({})).await;
    assert_eq!(rotated.status, 201, "{rotated}");
    let fresh = rotated.json()["consumer_secret"].as_str().unwrap().to_owned();
    assert_eq!((asks(&world, client_id, secret).await, asks(&world, client_id, &fresh).await), (401, 200));
    let keyless = sends("PATCH", &here, &json!({"oauth1_rsa_public_key": null})).await.json();
    assert_eq!((keyless.get("oauth1_rsa_public_key"), &keyless["oauth1"]), (None, &json!(true)));
    assert_eq!(asks(&world, client_id, &fresh).await, 200);
    let off = sends("PATCH", &here, &json!({"oauth1": false})).await.json();
    assert_eq!(off["oauth1"], false);
    assert_eq!(asks(&world, client_id, &fresh).await, 401);
    let nothing = sends("POST", &format!("{here}/consumer_secret"), &json!({})).await;
    assert_eq!(nothing.status, 422, "{nothing}");
}

with("oauth1" = "true")
async fn the_command_renews_the_secret_and_the_check_names_the_application(world: World) {
    let consumer = Consumer::create(&world, &[CALLBACK], &[]).await;
    let id = consumer.application.client_id.clone();
    let rotated = world.command(&["application", "rotate-consumer-secret", &id, "--json"], "").await.json();
    let fresh = rotated["consumer_secret"].as_str().unwrap();
    assert_eq!((asks(&world, &id, &consumer.secret).await, asks(&world, &id, fresh).await), (401, 200));
    let found = world.command(&["check", "--json"], "").await.json();
    let named: Vec<_> = found.as_array().unwrap().iter().filter(|one| one["setting"] == "oauth1").map(|one| &one["application"]).collect();
    assert_eq!(named, [&Value::Null, &json!(id)]);
    let plain = world.application().create().await;
    let refused = world.command(&["application", "rotate-consumer-secret", &plain.client_id], "").await;
    assert!(refused.exit == 1 && refused.stderr.contains("does not speak OAuth 1.0a"), "{}", refused.stderr);
}

with("oauth1" = "true")
async fn a_token_carries_the_applications_scopes_but_never_the_power_over_applications(world: World) {
    let alice = world.user("alice").await;
    let consumer = Consumer::create(&world, &[CALLBACK], &["--scope", "read", "--scope", "applications"]).await;
    let keys = consumer.access(&world, &alice).await;
    let shown = world.command(&["token", "show", "--json"], &keys.token).await.json();
    assert_eq!(shown["scopes"], json!(["read"]));
    let refused = world.call(&keys, "POST", "/api/memos").by_header().await;
    assert_eq!(refused.status, 403, "{refused}");
    let asked = consumer.asks(&world, CALLBACK).by_header().await;
    assert_eq!(member(&asked, "oauth_callback_confirmed"), "true");
}

}
