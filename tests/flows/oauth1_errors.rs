//! OAuth 1.0a: what leads to no token (RFC 5849 §4).

use crate::form::Form;
use crate::world::{Consumer, World, at_once, decided, exchange, member};

const CALLBACK: &str = "https://client.example/cb";
const OOB: &str = "urn:ietf:wg:oauth:2.0:oob";

async fn consumer(world: &World) -> Consumer {
    Consumer::create(world, &[CALLBACK], &[]).await
}

on_each_database! {

with("oauth1" = "true")
async fn a_callback_is_fixed_when_the_request_token_is_asked_for(world: World) {
    let (consumer, alice) = (consumer(&world).await, world.user("alice").await);
    let absent = consumer.asks(&world, CALLBACK).without("oauth_callback").by_header().await;
    assert_eq!((absent.status, member(&absent, "oauth_problem")), (400, "parameter_absent".into()));
    for callback in [
        "https://client.example/cb/", "https://client.example/cb?a=b", "https://evil.example/cb", "javascript:alert(1)",
        "https://client.example/CB", "oob", OOB, "OOB", "http://client.example/cb",
    ] {
        let refused = consumer.asks(&world, callback).by_header().await;
        assert_eq!((refused.status, member(&refused, "oauth_problem")), (400, "parameter_rejected".into()), "{callback}");
    }
    assert_eq!(world.count("oauth1_request_tokens").await, 0);

    let request = consumer.request_token(&world, CALLBACK).await;
    let browser = world.signed_in(&alice).await;
    let path = format!("/oauth/authorize?oauth_token={}&oauth_callback=https%3A%2F%2Fevil.example%2F", request.token);
    let to = browser.walk(browser.get(&path).await, None, Some("authorize")).await;
    assert!(to.redirect().as_str().starts_with("https://client.example/cb?oauth_token="), "{}", to.redirect());
}

with("oauth1" = "true")
async fn a_callback_that_is_no_longer_registered_is_not_gone_to(world: World) {
    let (consumer, alice) = (consumer(&world).await, world.user("alice").await);
    let root = world.administrator("root").await;
    let request = consumer.request_token(&world, CALLBACK).await;
    let editor = world.signed_in(&root).await;
    let shown = world.command(&["application", "show", &consumer.application.client_id, "--json"], "").await.json();
    let page = editor.get(&format!("/oauth/applications/{}/edit", shown["id"].as_str().unwrap())).await;
    let mut form = Form::with_id(&page.body, "save").unwrap();
    form.fill("redirect_uris", "https://other.example/cb");
    assert_eq!(editor.submit(&page, &form).await.status, 303);
    let browser = world.signed_in(&alice).await;
    decided(&browser, &request.token, "authorize").await.is_page(400);
}

with("oauth1" = "true")
async fn nobody_finishes_without_the_verifier_what_another_authorized(world: World) {
    let (consumer, victim) = (consumer(&world).await, world.user("victim").await);
    let request = consumer.request_token(&world, CALLBACK).await;
    let browser = world.signed_in(&victim).await;
    let verifier = decided(&browser, &request.token, "authorize").await.get("oauth_verifier").unwrap();

    let absent = world.call(&request, "POST", "/oauth/access_token").by_header().await;
    assert_eq!((absent.status, member(&absent, "oauth_problem")), (400, "parameter_absent".into()));
    for guess in ["guess", &verifier[..42], &verifier.to_lowercase(), &request.token] {
        let refused = exchange(&world, &request, guess).by_header().await;
        assert_eq!((refused.status, member(&refused, "oauth_problem")), (401, "verifier_invalid".into()), "{guess}");
    }
    let other = Consumer::create(&world, &[CALLBACK], &[]).await;
    let foreign = crate::world::Keys { token: request.token.clone(), token_secret: request.token_secret.clone(), ..other.keys() };
    assert_eq!(exchange(&world, &foreign, &verifier).by_header().await.status, 401, "another's token");
    assert_eq!(exchange(&world, &request, &verifier).by_header().await.status, 200, "nothing was used up");
}

with("oauth1" = "true")
async fn what_nobody_has_decided_is_not_exchanged(world: World) {
    let consumer = consumer(&world).await;
    let request = consumer.request_token(&world, CALLBACK).await;
    let refused = exchange(&world, &request, "anything").by_header().await;
    assert_eq!((refused.status, member(&refused, "oauth_problem")), (401, "permission_unknown".into()));
}

with("oauth1" = "true")
async fn a_request_token_lives_for_a_quarter_of_an_hour(world: World) {
    let (consumer, alice) = (consumer(&world).await, world.user("alice").await);
    let browser = world.signed_in(&alice).await;
    let (early, late) = (consumer.request_token(&world, CALLBACK).await, consumer.request_token(&world, CALLBACK).await);
    let verifier = decided(&browser, &early.token, "authorize").await.get("oauth_verifier").unwrap();
    world.clock.advance(15 * 60);
    let refused = exchange(&world, &early, &verifier).by_header().await;
    assert_eq!((refused.status, member(&refused, "oauth_problem")), (401, "token_expired".into()));
    let page = decided(&browser, &late.token, "authorize").await;
    page.is_page(400);
    assert!(page.answer.body.contains("took too long"), "{}", page.answer);
    tegata::flow::sweep::all(&world.app().await).await.unwrap();
    assert_eq!(world.count("grants").await, 0, "what was never exchanged ends with its request token");
    assert_eq!(world.count("oauth1_request_tokens").await, 0);
}

with("oauth1" = "true")
async fn of_many_exchanges_at_once_one_succeeds(world: World) {
    let (consumer, alice) = (consumer(&world).await, world.user("alice").await);
    let request = consumer.request_token(&world, CALLBACK).await;
    let browser = world.signed_in(&alice).await;
    let verifier = decided(&browser, &request.token, "authorize").await.get("oauth_verifier").unwrap();
    let answers = at_once(50, |_| {
        let call = exchange(&world, &request, &verifier);
        async move { call.by_header().await }
    })
    .await;
    let (good, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(good.len(), 1);
    for answer in refused {
        assert_eq!((answer.status, member(answer, "oauth_problem")), (401, "token_used".into()));
    }
    assert_eq!(world.count("oauth1_access_tokens").await, 1);
    let keys = consumer.with_token_of(good[0]);
    assert_eq!(world.call(&keys, "GET", "/account/verify_credentials.json").by_header().await.status, 401, "replayed: revoked");
    let audited = world.command(&["audit", "--event", "request_token_replayed", "--json"], "").await;
    assert_eq!(audited.json().as_array().unwrap().len(), 1, "{}", audited.stdout);
}

with("oauth1" = "true")
async fn a_used_request_token_revokes_only_with_its_verifier(world: World) {
    let (consumer, alice) = (consumer(&world).await, world.user("alice").await);
    let request = consumer.request_token(&world, CALLBACK).await;
    let browser = world.signed_in(&alice).await;
    let verifier = decided(&browser, &request.token, "authorize").await.get("oauth_verifier").unwrap();
    let keys = consumer.with_token_of(&exchange(&world, &request, &verifier).by_header().await);
    let me = || world.call(&keys, "GET", "/account/verify_credentials.json").by_header();
    let refused = exchange(&world, &request, "wrong").by_header().await;
    assert_eq!((refused.status, member(&refused, "oauth_problem")), (401, "token_used".into()));
    assert_eq!(me().await.status, 200);
    world.clock.advance(3600);
    let refused = exchange(&world, &request, &verifier).by_header().await;
    assert_eq!((refused.status, member(&refused, "oauth_problem")), (401, "token_used".into()));
    assert_eq!(me().await.status, 401);
}

with("oauth1" = "true")
async fn a_request_token_is_decided_once_by_who_was_shown_it(world: World) {
    let consumer = consumer(&world).await;
    let (alice, eve) = (world.user("alice").await, world.user("eve").await);
    let request = consumer.request_token(&world, CALLBACK).await;
    let path = format!("/oauth/authorize?oauth_token={}", request.token);
    let hers = world.signed_in(&alice).await;
    let shown = hers.get(&path).await;
    let mut form = Form::with_id(&shown.body, "authorize").unwrap();
    form.press("authorize");
    let others = world.signed_in(&eve).await;
    decided(&others, &request.token, "authorize").await.is_page(400);

    let answers = at_once(8, |_| {
        let sent = hers.submit(&shown, &form);
        async move { sent.await.status }
    })
    .await;
    assert_eq!(answers.iter().filter(|status| **status == 303).count(), 1, "{answers:?}");
    assert_eq!(world.count("grants").await, 1);
    let mut late = Form::with_id(&shown.body, "deny").unwrap();
    late.press("deny");
    assert_eq!(hers.submit(&shown, &late).await.status, 400);
}

with("oauth1" = "true")
async fn another_site_cannot_decide(world: World) {
    let (consumer, alice) = (consumer(&world).await, world.user("alice").await);
    let request = consumer.request_token(&world, CALLBACK).await;
    let path = format!("/oauth/authorize?oauth_token={}", request.token);
    let browser = world.signed_in(&alice).await;
    let shown = browser.get(&path).await;
    let mut form = Form::with_id(&shown.body, "authorize").unwrap();
    form.press("authorize");
    let forged = browser
        .request("POST", &path)
        .header("Origin", "https://evil.example")
        .header("Sec-Fetch-Site", "cross-site")
        .fields(&form.fields)
        .await;
    assert_eq!(forged.status, 403);
    let bare = browser.request("POST", &path).field("decision", "authorize").await;
    assert_eq!(bare.status, 403);
    // Without having been shown what it is about, a token of the session's own is not enough.
    let second = consumer.request_token(&world, CALLBACK).await;
    form.action = form.action.replace(&request.token, &second.token);
    assert_eq!(browser.submit(&shown, &form).await.status, 400);
    assert_eq!(world.count("grants").await, 0);
}

with("oauth1" = "true")
async fn an_unknown_request_token_is_a_page_and_never_a_redirect(world: World) {
    let browser = world.signed_in(&world.user("alice").await).await;
    let unknown = format!("tgo_{}", "A".repeat(43));
    for token in [&*unknown, "", "tgo_", "tga_", "%00", "a&oauth_token=b", "https://evil.example"] {
        decided(&browser, token, "authorize").await.is_page(400);
    }
}

with("oauth1" = "true")
async fn who_may_not_use_the_application_authorizes_nothing(world: World) {
    world.user("alice").await;
    let eve = world.user("eve").await;
    let consumer = Consumer::create(&world, &[CALLBACK, OOB], &["--allow-user", "alice"]).await;
    let browser = world.signed_in(&eve).await;
    let request = consumer.request_token(&world, CALLBACK).await;
    let refused = decided(&browser, &request.token, "authorize").await;
    assert_eq!(refused.get("oauth_problem").as_deref(), Some("permission_denied"));
    assert_eq!(refused.get("oauth_verifier"), None);
    let request = consumer.request_token(&world, "oob").await;
    let page = decided(&browser, &request.token, "authorize").await.answer;
    assert!(page.body.contains("Your account may not use it"), "{page}");
    assert_eq!(world.count("grants").await, 0);
}

with("oauth1" = "true")
async fn who_is_taken_out_between_decision_and_exchange_gives_nothing(world: World) {
    let alice = world.user("alice").await;
    let consumer = consumer(&world).await;
    let request = consumer.request_token(&world, CALLBACK).await;
    let browser = world.signed_in(&alice).await;
    let verifier = decided(&browser, &request.token, "authorize").await.get("oauth_verifier").unwrap();
    world.command(&["user", "disable", "alice"], "").await;
    let refused = exchange(&world, &request, &verifier).by_header().await;
    assert_eq!((refused.status, member(&refused, "oauth_problem")), (401, "token_rejected".into()));
    assert_eq!(world.count("oauth1_access_tokens").await, 0);
}

with("oauth1" = "true")
async fn whoever_runs_the_application_sees_what_no_token_came_of(world: World) {
    let consumer = consumer(&world).await;
    consumer.asks(&world, "https://evil.example/cb").by_header().await;
    consumer.asks(&world, CALLBACK).without("oauth_callback").by_header().await;
    let request = consumer.request_token(&world, CALLBACK).await;
    world.call(&request, "POST", "/oauth/access_token").by_header().await;
    exchange(&world, &request, "guess").by_header().await;
    tegata::flow::sweep::round(&world.app().await).await.unwrap();
    let browser = world.signed_in(&world.administrator("root").await).await;
    let shown = world.command(&["application", "show", &consumer.application.client_id, "--json"], "").await.json();
    let path = format!("/oauth/applications/{}/failed_requests", shown["id"].as_str().unwrap());
    let rows = browser.get(&path).header("Accept", "application/json").await.json();
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    let mut kept: Vec<_> = rows.as_array().unwrap().iter().map(|row| (text(row, "endpoint"), text(row, "error"))).collect();
    kept.sort();
    let said = |endpoint: &str, error: &str| (endpoint.to_owned(), error.to_owned());
    assert_eq!(kept, [
        said("/oauth/access_token", "parameter_absent"),
        said("/oauth/access_token", "permission_unknown"),
        said("/oauth/request_token", "parameter_absent"),
        said("/oauth/request_token", "parameter_rejected"),
    ]);
    assert!(rows.as_array().unwrap().iter().all(|row| row["count"] == 1), "{rows}");
}

with("oauth1" = "true")
async fn a_request_of_oauth_2_is_not_taken_for_one_of_1(world: World) {
    let (consumer, alice) = (consumer(&world).await, world.user("alice").await);
    let browser = world.signed_in(&alice).await;
    let ask = crate::world::Ask::of(&consumer.application).with("oauth_token", "tgo_a");
    assert!(!browser.authorize(&ask).await.code().is_empty());
}

}
