//! An access token as the answer itself (RFC 6749 §4.2).

use crate::world::{Application, Ask, World};

fn asks(app: &Application) -> Ask {
    Ask::of(app).with("response_type", "token")
}

on_each_database! {

with("grants" = "implicit,refresh_token", "access_token_ttl" = "10m")
async fn a_token_comes_in_the_fragment_and_no_refresh_token_with_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("implicit").grant("refresh_token").create().await;
    let answer = world.browser().authorize_as(&alice, &asks(&app)).await;
    let redirect = answer.redirect();
    assert!(redirect.as_str().starts_with("https://app.example/callback#access_token=tga_"), "{redirect}");
    assert_eq!(redirect.query(), None);
    for (name, value) in [
        ("token_type", Some("Bearer")),
        ("expires_in", Some("600")),
        ("scope", Some("read")),
        ("state", Some("xyz-123")),
        ("iss", Some(&*world.base_url)),
        ("refresh_token", None),
        ("code", None),
    ] {
        assert_eq!(answer.get(name).as_deref(), value, "{name}");
    }
    let token = answer.get("access_token").unwrap();
    assert_eq!(world.memos(&token).await.status, 200);
    let told = world.introspect(&token).by(&app).await.json();
    assert_eq!((&told["username"], &told["active"]), (&"alice".into(), &true.into()));
    assert_eq!(world.number("SELECT count(*) FROM grants WHERE grant_type = 'implicit'").await, 1);
    world.clock.advance(601);
    world.memos(&token).await.challenged(401, "invalid_token");
}

with("grants" = "implicit")
async fn withdrawing_and_revoking_end_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().grant("implicit").create().await;
    let ask = asks(&app).without("code_challenge").without("code_challenge_method");
    let browser = world.signed_in(&alice).await;
    let [one, other] =
        [browser.authorize(&ask).await, browser.authorize(&ask).await].map(|answer| answer.get("access_token").unwrap());
    world.revoke(&one).by(&app).await;
    world.memos(&one).await.challenged(401, "invalid_token");
    assert_eq!(world.memos(&other).await.status, 200, "each has a grant of its own");
    assert_eq!(world.command(&["user", "disable", "alice"], "").await.exit, 0);
    world.memos(&other).await.challenged(401, "invalid_token");
}

with("grants" = "implicit")
async fn the_person_is_asked_every_time_for_nobody_proves_itself(world: World) {
    let alice = world.user("alice").await;
    let public = world.application().public().grant("implicit").create().await;
    let confidential = world.application().grant("implicit").create().await;
    let browser = world.signed_in(&alice).await;
    for app in [public, confidential] {
        browser.authorize(&asks(&app)).await.get("access_token").unwrap();
        let (page, _) = browser.consent_page(&asks(&app)).await;
        assert!(page.body.contains("Your answer is for this time only"), "{page}");
        let silent = browser.get(&asks(&app).with("prompt", "none").path()).await;
        let answer = browser.walk(silent, None, None).await;
        assert_eq!(answer.error(), "consent_required");
        assert!(answer.redirect().fragment().is_some(), "{}", answer.redirect());
    }
}

with("grants" = "authorization_code,implicit")
async fn a_consent_that_was_given_for_a_code_is_none_for_a_token(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("authorization_code").grant("implicit").create().await;
    let browser = world.signed_in(&alice).await;
    browser.authorize(&Ask::of(&app)).await.code();
    let silent = |ask: Ask| browser.get(&ask.with("prompt", "none").path());
    let code = browser.walk(silent(Ask::of(&app)).await, None, None).await.code();
    world.redeem(&app, &code).await.tokens();
    let answer = browser.walk(silent(asks(&app)).await, None, None).await;
    assert_eq!(answer.error(), "consent_required");
}

with("grants" = "implicit")
async fn for_a_trusted_application_nobody_is_asked(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().trusted().grant("implicit").create().await;
    let browser = world.signed_in(&alice).await;
    let silent = browser.get(&asks(&app).with("prompt", "none").path()).await;
    let token = browser.walk(silent, None, None).await.get("access_token").unwrap();
    assert_eq!(world.memos(&token).await.status, 200);
}

with("grants" = "authorization_code,implicit")
async fn an_application_may_have_both_grants(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("authorization_code").grant("implicit").require_pkce().create().await;
    let browser = world.signed_in(&alice).await;
    let token = browser.authorize(&asks(&app)).await.get("access_token").unwrap();
    assert_eq!(world.memos(&token).await.status, 200, "a token has nothing that PKCE could prove");
    assert_eq!(browser.authorize(&Ask::of(&app)).await.error(), "invalid_request", "a code needs it");
    let answer = browser.authorize(&Ask::of(&app).pkce()).await;
    assert!(answer.code().starts_with("tgc_") && answer.redirect().fragment().is_none());
}

with("grants" = "implicit")
async fn the_metadata_tells_of_it_where_it_is_offered(world: World) {
    let metadata = world.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["response_types_supported"], serde_json::json!(["token"]));
    assert_eq!(metadata["response_modes_supported"], serde_json::json!(["fragment", "form_post"]));
    assert_eq!(metadata["grant_types_supported"], serde_json::json!(["implicit"]));
    assert!(metadata["authorization_endpoint"].is_string());
    world.token(&[("grant_type", "implicit")]).await.refused(400, "unsupported_grant_type");
}

}
