//! OAuth 1.0a, from a request token to an access token (RFC 5849 §2), and all that ends one.

use serde_json::json;

use crate::form::{Form, text_of};
use crate::world::{Answer, Consumer, Keys, User, World, at_once, decided, exchange, member};

const CALLBACK: &str = "https://client.example/cb?service=11";
const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";
const ME: &str = "/account/verify_credentials.json";

async fn consumer(world: &World) -> Consumer {
    Consumer::create(world, &[CALLBACK], &[]).await
}

/// What a signed call for the user's own is answered with.
async fn works(world: &World, keys: &Keys) -> u16 {
    world.call(keys, "GET", ME).by_header().await.status
}

/// What a redirect to the callback bears.
#[track_caller]
fn verifier(answer: &Answer) -> String {
    assert_eq!(answer.status, 302, "{answer}");
    let to = answer.location().unwrap();
    let mut pairs = to.query_pairs();
    pairs
        .find(|(name, _)| name == "oauth_verifier")
        .unwrap()
        .1
        .into_owned()
}

/// A live access token, and the administrator who may end it.
async fn granted(world: &World) -> (Consumer, User, Keys) {
    let consumer = consumer(world).await;
    let alice = world.user("alice").await;
    let keys = consumer.access(world, &alice).await;
    assert_eq!(works(world, &keys).await, 200);
    (consumer, alice, keys)
}

async fn grants_of(world: &World, user: &str) -> serde_json::Value {
    world
        .command(&["grant", "list", "--user", user, "--json"], "")
        .await
        .json()
}

on_each_database! {

with("oauth1" = "true")
async fn the_three_legs_lead_to_an_access_token(world: World) {
    let (consumer, alice) = (consumer(&world).await, world.user("alice").await);
    let asked = consumer.asks(&world, CALLBACK).by_header().await;
    assert_eq!(asked.status, 200, "{asked}");
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(asked.header("cache-control"), "no-store");
    assert_eq!(member(&asked, "oauth_callback_confirmed"), "true");
    let request = consumer.with_token_of(&asked);
    assert!(request.token.starts_with("tgo_"), "{asked}");

    let browser = world.browser();
    let page = browser.get(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
    assert_eq!(page.location().unwrap().path(), "/login", "{page}");
    let shown = browser.walk(page, Some(&alice), None).await.answer;
    for said in ["Authorize <bdi>Notes</bdi>?", "client.example", "data-scope=\"read\"", "data-scope=\"write\""] {
        assert!(shown.body.contains(said), "{said} is not on {shown}");
    }
    assert!(shown.header("content-security-policy").contains("form-action 'self' https://client.example"), "{shown}");
    let mut form = Form::with_id(&shown.body, "authorize").unwrap();
    form.press("authorize");
    let decided = browser.submit(&shown, &form).await;
    assert_eq!(decided.status, 303, "{decided}");
    let to = decided.location().unwrap();
    let pairs: Vec<_> = to.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    assert_eq!(pairs[0], ("service".into(), "11".into()), "its own query stays");
    assert_eq!(pairs[1], ("oauth_token".into(), request.token.clone()));
    let (name, verifier) = &pairs[2];
    assert_eq!((&**name, verifier.len()), ("oauth_verifier", 43));

    let answer = exchange(&world, &request, verifier).by_header().await;
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.header("cache-control"), "no-store");
    let members: Vec<_> = url::form_urlencoded::parse(answer.body.as_bytes()).map(|(name, _)| name.into_owned()).collect();
    assert_eq!(members, ["oauth_token", "oauth_token_secret", "user_id", "screen_name"]);
    assert_eq!((member(&answer, "user_id"), member(&answer, "screen_name")), (alice.id.clone(), "alice".into()));
    let keys = consumer.with_token_of(&answer);
    assert_ne!(keys.token, request.token);
    let memos = world.call(&keys, "GET", "/api/memos").by_header().await;
    assert_eq!((memos.status, memos.json()), (200, json!({"memos": []})));
    assert_eq!(works(&world, &request).await, 401, "a request token is no access token");
}

with("oauth1" = "true")
async fn parameters_are_taken_from_the_query_and_the_form_too(world: World) {
    let (consumer, alice) = (consumer(&world).await, world.user("alice").await);
    let browser = world.signed_in(&alice).await;
    let asked = world.call(&consumer.keys(), "GET", "/oauth/request_token").without("oauth_token");
    let asked = asked.with("oauth_callback", CALLBACK).by_query().await;
    let request = consumer.with_token_of(&asked);
    let verifier = decided(&browser, &request.token, "authorize").await.get("oauth_verifier").unwrap();
    let by_query = world.call(&request, "GET", "/oauth/access_token").with("oauth_verifier", &verifier).by_query().await;
    assert_eq!(works(&world, &consumer.with_token_of(&by_query)).await, 200);

    let request = consumer.with_token_of(&consumer.asks(&world, CALLBACK).by_form().await);
    let verifier = decided(&browser, &request.token, "authorize").await.get("oauth_verifier").unwrap();
    let by_form = exchange(&world, &request, &verifier).by_form().await;
    assert_eq!(works(&world, &consumer.with_token_of(&by_form)).await, 200);
}

with("oauth1" = "true")
async fn a_pin_is_shown_once_to_who_was_asked_and_read_as_people_type_it(world: World) {
    let consumer = Consumer::create(&world, &[OOB], &["--trusted"]).await;
    let alice = world.user("alice").await;
    let browser = world.signed_in(&alice).await;
    for round in 0..2 {
        let request = consumer.request_token(&world, "oob").await;
        let page = browser.get(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
        assert!(Form::with_id(&page.body, "authorize").is_some(), "round {round}: asked each time, trusted or not: {page}");
        let shown = browser.walk(page, None, Some("authorize")).await.answer;
        let pin = text_of(&shown.body, "oauth-verifier").unwrap_or_else(|| panic!("no PIN: {shown}"));
        assert_eq!(pin.len(), 26, "130 bits: {pin}");
        let typed = format!(" {}-{} ", pin[..13].to_uppercase().replace('0', "O"), &pin[13..]);
        let answer = exchange(&world, &request, &typed).by_header().await;
        assert_eq!(works(&world, &consumer.with_token_of(&answer)).await, 200);
        let again = browser.get(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
        assert_eq!(again.status, 400);
        assert!(again.body.contains("answered already"), "{again}");
    }
}

with("oauth1" = "true")
async fn who_denies_is_told_to_the_application_and_no_token_comes_of_it(world: World) {
    let (consumer, alice) = (consumer(&world).await, world.user("alice").await);
    let browser = world.signed_in(&alice).await;
    let request = consumer.request_token(&world, CALLBACK).await;
    let denied = decided(&browser, &request.token, "deny").await;
    assert_eq!(denied.get("oauth_problem").as_deref(), Some("user_refused"));
    assert_eq!(denied.get("oauth_token").as_deref(), Some(&*request.token));
    assert_eq!(denied.get("denied").as_deref(), Some(&*request.token));
    assert_eq!(denied.get("oauth_verifier"), None);
    let refused = exchange(&world, &request, "anything").by_header().await;
    assert_eq!((refused.status, member(&refused, "oauth_problem")), (401, "user_refused".into()));

    let native = Consumer::create(&world, &[OOB], &[]).await;
    let request = native.request_token(&world, "oob").await;
    let denied = decided(&browser, &request.token, "deny").await.answer;
    assert_eq!(denied.status, 200);
    assert!(denied.body.contains("was not authorized"), "{denied}");
}

with("oauth1" = "true")
async fn what_was_allowed_before_is_not_asked_again(world: World) {
    let (consumer, alice, _) = granted(&world).await;
    let browser = world.signed_in(&alice).await;
    let request = consumer.request_token(&world, CALLBACK).await;
    let known = browser.get(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
    assert_eq!(known.status, 302, "{known}");
    let to = known.location().unwrap();
    let verifier = to.query_pairs().find(|(name, _)| name == "oauth_verifier").unwrap().1;
    assert_eq!(exchange(&world, &request, &verifier).by_header().await.status, 200);

    let trusted = Consumer::create(&world, &[CALLBACK], &["--trusted"]).await;
    let request = trusted.request_token(&world, CALLBACK).await;
    let unasked = browser.get(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
    assert_eq!(unasked.status, 302, "{unasked}");
    assert!(unasked.location().unwrap().query().unwrap().contains("oauth_verifier="));
}

with("oauth1" = "true")
async fn a_pin_is_allowed_for_one_time_only(world: World) {
    let consumer = Consumer::create(&world, &[CALLBACK, OOB], &[]).await;
    let browser = world.signed_in(&world.user("alice").await).await;
    let request = consumer.request_token(&world, "oob").await;
    let shown = decided(&browser, &request.token, "authorize").await.answer;
    let pin = text_of(&shown.body, "oauth-verifier").unwrap();
    assert_eq!(exchange(&world, &request, &pin).by_header().await.status, 200);
    let request = consumer.request_token(&world, CALLBACK).await;
    let asked = browser.get(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
    assert!(Form::with_id(&asked.body, "authorize").is_some(), "{asked}");
    assert_eq!(world.count("consents").await, 0);
}

with("oauth1" = "true")
async fn who_is_not_asked_may_come_twice_and_the_later_answer_counts(world: World) {
    let (consumer, alice, _) = granted(&world).await;
    let trusted = Consumer::create(&world, &[CALLBACK], &["--trusted"]).await;
    let browser = world.signed_in(&alice).await;
    let others = world.signed_in(&world.user("eve").await).await;
    for consumer in [&consumer, &trusted] {
        let request = consumer.request_token(&world, CALLBACK).await;
        let path = format!("/oauth/authorize?oauth_token={}", request.token);
        let answers = at_once(4, |_| {
            let get = browser.get(&path);
            async move { get.await }
        })
        .await;
        for answer in answers {
            assert_eq!(answer.status, 302, "{answer}");
        }
        let first = verifier(&browser.get(&path).await);
        let second = verifier(&browser.get(&path).await);
        assert_eq!(others.get(&path).await.status, 400, "another's");
        let refused = exchange(&world, &request, &first).by_header().await;
        assert_eq!((refused.status, member(&refused, "oauth_problem")), (401, "verifier_invalid".into()));
        let answer = exchange(&world, &request, &second).by_header().await;
        assert_eq!(works(&world, &consumer.with_token_of(&answer)).await, 200);
        let late = browser.get(&path).await;
        assert!(late.status == 400 && late.body.contains("answered already"), "{late}");
        assert_eq!(works(&world, &consumer.with_token_of(&answer)).await, 200, "who comes late ends nothing");
    }
}

with("oauth1" = "true")
async fn who_comes_twice_gets_nothing_once_it_is_withdrawn_denied_or_over(world: World) {
    let (consumer, alice, _) = granted(&world).await;
    let browser = world.signed_in(&alice).await;
    let at = |token: &str| format!("/oauth/authorize?oauth_token={token}");
    let over = at(&consumer.request_token(&world, CALLBACK).await.token);
    assert_eq!(browser.get(&over).await.status, 302);
    world.clock.advance(15 * 60);
    assert_eq!(browser.get(&over).await.status, 400);

    let withdrawn = at(&consumer.request_token(&world, CALLBACK).await.token);
    assert_eq!(browser.get(&withdrawn).await.status, 302);
    let page = browser.get("/oauth/authorized_applications").await;
    let form = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/delete")).unwrap();
    assert_eq!(browser.submit(&page, &form).await.status, 303);
    assert_eq!(browser.get(&withdrawn).await.status, 400);

    let denied = consumer.request_token(&world, CALLBACK).await.token;
    decided(&browser, &denied, "deny").await;
    let keys = consumer.access(&world, &alice).await;
    assert_eq!((browser.get(&at(&denied)).await.status, browser.get(&withdrawn).await.status), (400, 400));
    assert_eq!(works(&world, &keys).await, 200);
}

with("oauth1" = "true")
async fn who_withdraws_ends_the_token_and_is_asked_again(world: World) {
    let (consumer, alice, keys) = granted(&world).await;
    let browser = world.signed_in(&alice).await;
    let request = consumer.request_token(&world, CALLBACK).await;
    let undone = browser.get(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
    let to = undone.location().unwrap();
    let verifier = to.query_pairs().find(|(name, _)| name == "oauth_verifier").unwrap().1;

    let page = browser.get("/oauth/authorized_applications").await;
    assert!(page.body.contains("Notes"), "{page}");
    let form = Form::all(&page.body).into_iter().find(|form| form.action.ends_with("/delete")).unwrap();
    assert_eq!(browser.submit(&page, &form).await.status, 303);
    assert_eq!(works(&world, &keys).await, 401);
    let late = exchange(&world, &request, &verifier).by_header().await;
    assert_eq!((late.status, member(&late, "oauth_problem")), (401, "token_rejected".into()), "authorized before");
    let request = consumer.request_token(&world, CALLBACK).await;
    let asked = browser.get(&format!("/oauth/authorize?oauth_token={}", request.token)).await;
    assert!(Form::with_id(&asked.body, "authorize").is_some(), "{asked}");
}

with("oauth1" = "true")
async fn operators_see_and_end_it_as_any_other_grant(world: World) {
    let (consumer, _, keys) = granted(&world).await;
    let listed = grants_of(&world, "alice").await;
    assert_eq!((&listed[0]["grant_type"], &listed[0]["live_tokens"]), (&json!("oauth1"), &json!(1)));
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    let shown = world.command(&["token", "show", "--json"], &keys.token).await.json();
    assert_eq!((&shown["kind"], &shown["grant_type"], &shown["live"]), (&json!("oauth1_token"), &json!("oauth1"), &json!(true)));
    let tokens = world.command(&["token", "list", "--application", &keys.consumer_key, "--json"], "").await.json();
    assert_eq!((&tokens[0]["kind"], &tokens[0]["fingerprint"]), (&json!("oauth1_token"), &shown["fingerprint"]));
    let told = world.command(&["grant", "show", &id, "--json"], "").await.json();
    let what: Vec<_> = told["timeline"].as_array().unwrap().iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["alice authorized the application by OAuth 1.0a", "Request token exchanged for an access token"]);

    let revoked = world.command(&["token", "revoke", "--json"], &keys.token).await.json();
    assert_eq!(revoked, json!({"revoked": true}));
    assert_eq!(works(&world, &keys).await, 401);
    let root = world.user("bob").await;
    let keys = consumer.access(&world, &root).await;
    world.command(&["token", "revoke", "--application", &keys.consumer_key], "").await;
    assert_eq!(works(&world, &keys).await, 401);
}

with("oauth1" = "true")
async fn whatever_ends_a_grant_ends_this_one(world: World) {
    let (consumer, alice, keys) = granted(&world).await;
    let id = keys.consumer_key.clone();
    world.command(&["application", "disable", &id], "").await;
    assert_eq!(works(&world, &keys).await, 401, "the application is disabled");
    world.command(&["application", "enable", &id], "").await;
    assert_eq!(works(&world, &keys).await, 200);
    world.command(&["user", "password", "alice", "--password-stdin"], "another password entirely\n").await;
    assert_eq!(works(&world, &keys).await, 401, "the password is another");
    let alice = User { password: "another password entirely".into(), ..alice };
    let keys = consumer.access(&world, &alice).await;
    world.command(&["user", "disable", "alice"], "").await;
    assert_eq!(works(&world, &keys).await, 401, "the user is disabled");
    let bob = world.user("bob").await;
    let keys = consumer.access(&world, &bob).await;
    world.command(&["application", "delete", &id], "").await;
    assert_eq!(works(&world, &keys).await, 401, "the application is deleted");
}

with("oauth1" = "true", "oauth1_access_token_ttl" = "1h")
async fn an_access_token_ends_with_its_time_and_is_swept(world: World) {
    let (_, _, keys) = granted(&world).await;
    world.clock.advance(3599);
    assert_eq!(works(&world, &keys).await, 200);
    world.clock.advance(1);
    assert_eq!(works(&world, &keys).await, 401);
    tegata::flow::sweep::all(&world.app().await).await.unwrap();
    for table in ["oauth1_access_tokens", "grants", "oauth1_request_tokens"] {
        assert_eq!(world.count(table).await, 0, "{table}");
    }
}

with("oauth1" = "true")
async fn a_new_authorization_ends_the_earlier_where_the_application_keeps_one(world: World) {
    let consumer = Consumer::create(&world, &[CALLBACK], &["--revoke-previous-tokens", "--trusted"]).await;
    let alice = world.user("alice").await;
    let first = consumer.access(&world, &alice).await;
    let second = consumer.access(&world, &alice).await;
    assert_eq!((works(&world, &first).await, works(&world, &second).await), (401, 200));
}

with("oauth1" = "true")
async fn both_protocols_serve_one_application(world: World) {
    let (consumer, alice, keys) = granted(&world).await;
    let tokens = world.tokens(&alice, &consumer.application).await;
    assert_eq!(world.memos(&tokens.access).await.status, 200);
    assert_eq!(world.memos(&keys.token).await.status, 401, "a signed token is no bearer token");
    assert!(!world.is_active(&consumer.application, &keys.token).await);
    world.revoke(&keys.token).by(&consumer.application).await;
    assert_eq!(works(&world, &keys).await, 200, "no endpoint of OAuth 2.0 knows it");
}

async fn without_the_setting_nothing_of_it_is_there(world: World) {
    let alice = world.user("alice").await;
    for path in ["/oauth/request_token", "/oauth/access_token", ME] {
        for method in ["GET", "POST"] {
            assert_eq!(world.request(method, path).await.status, 404, "{method} {path}");
        }
    }
    let token = format!("tgo_{}", "A".repeat(43));
    let browser = world.signed_in(&alice).await;
    let page = browser.get(&format!("/oauth/authorize?oauth_token={token}")).await;
    assert!(page.body.contains("did not say who it is"), "{page}");
    let refused = world.command(&["application", "create", "--name", "N", "--oauth1", "--redirect-uri", CALLBACK], "").await;
    assert_eq!(refused.exit, 1);
    assert!(refused.stderr.contains("does not speak OAuth 1.0a"), "{}", refused.stderr);
    assert_eq!(world.count("applications").await, 0);
}

}
