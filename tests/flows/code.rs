//! The authorization code flow (RFC 6749 §4.1).

use crate::world::{Ask, World};

on_each_database! {

async fn a_user_allows_an_application_and_it_gets_tokens(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let browser = world.browser();

    let authorized = browser.authorize_as(&alice, &Ask::of(&app).with("scope", "read write")).await;
    assert_eq!(authorized.answer.status, 303, "a redirect after a form is a 303 (RFC 9700 section 4.12)");
    let names: Vec<String> = authorized.redirect().query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names.len(), 3, "code, state and iss, nothing else: {names:?}");
    assert_eq!(authorized.get("state").as_deref(), Some("xyz-123"));
    assert_eq!(authorized.get("iss"), Some(world.base_url.clone()));
    assert!(authorized.redirect().as_str().starts_with("https://app.example/callback?"));
    let code = authorized.code();
    assert!(code.starts_with("tgc_") && code.len() == 47, "the shape of a code: {code}");

    let tokens = world.redeem(&app, &code).await.tokens();
    assert_eq!(tokens.json["scope"], "read write");
    assert_eq!(tokens.json["expires_in"], 3600);
    assert_eq!(tokens.json["created_at"], world.clock.now().unix_timestamp());
    assert!(tokens.refresh().starts_with("tgr_") && tokens.refresh().len() == 47);
    assert_eq!(world.memos(&tokens.access).await.status, 200);
}

async fn a_public_application_proves_itself_by_its_verifier_alone(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().redirect_uri("com.example.notes:/callback").create().await;
    assert_eq!(app.client_secret, None);
    let tokens = world.tokens(&alice, &app).await;
    assert_eq!(world.memos(&tokens.access).await.status, 200);
}

async fn a_loopback_redirect_uri_takes_any_port(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().redirect_uri("http://127.0.0.1/callback").create().await;
    let ask = Ask::of(&app).with("redirect_uri", "http://127.0.0.1:49152/callback");
    let authorized = world.browser().authorize_as(&alice, &ask).await;
    assert_eq!(authorized.redirect().port(), Some(49152), "RFC 8252 section 7.3");
    let request = world.redeem(&app, &authorized.code()).without("redirect_uri");
    request.field("redirect_uri", "http://127.0.0.1:49152/callback").await.tokens();
}

async fn the_out_of_band_code_stands_alone_on_its_page(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().redirect_uri("urn:ietf:wg:oauth:2.0:oob").create().await;
    let authorized = world.browser().authorize_as(&alice, &Ask::of(&app)).await;
    let code = authorized.code();
    assert!(code.starts_with("tgc_") && code.len() == 47, "the page shows {code:?}");
    world.redeem(&app, &code).await.tokens();
}

async fn an_out_of_band_code_leaves_time_to_copy_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().redirect_uri("urn:ietf:wg:oauth:2.0:oob").create().await;
    let code = world.code(&alice, &app).await;
    world.clock.advance(599);
    world.redeem(&app, &code).await.tokens();
}

async fn a_code_lives_for_a_minute(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    world.clock.advance(59);
    world.redeem(&app, &code).await.tokens();
}

async fn the_secret_may_come_in_the_body(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    let fields =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", app.redirect_uri())];
    world.token(&fields).secret_in_body(&app.client_id, app.secret()).await.tokens();
}

async fn an_empty_or_unknown_parameter_changes_nothing(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let ask = Ask::of(&app).with("nonsense", "1").with("prompt", "").with("code_challenge", "");
    let code = world.browser().authorize_as(&alice, &ask).await.code();
    let request =
        world.redeem(&app, &code).field("nonsense", "1").field("code_verifier", "").field("scope", "");
    request.await.tokens();
}

async fn without_state_none_comes_back(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let authorized = world.browser().authorize_as(&alice, &Ask::of(&app).without("state")).await;
    assert_eq!((authorized.get("state"), authorized.get("code").is_some()), (None, true));
}

async fn a_state_comes_back_byte_for_byte(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for state in ["a b+c%20d", "{\"x\":[1,2]}&code=stolen#frag", "ふじ", "<script>'\"", "==/+"] {
        let allowed = browser.authorize(&Ask::of(&app).with("state", state)).await;
        assert_eq!(allowed.get("state").as_deref(), Some(state), "on success");
        let refused = browser.authorize(&Ask::of(&app).with("state", state).with("scope", "unknown")).await;
        assert_eq!(
            (refused.error().as_str(), refused.get("state").as_deref()),
            ("invalid_scope", Some(state))
        );
    }
}

async fn the_query_of_a_registered_redirect_uri_is_kept(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().redirect_uri("https://app.example/callback?tenant=a%2Fb&x=").create().await;
    let authorized = world.browser().authorize_as(&alice, &Ask::of(&app)).await;
    let redirect = authorized.redirect().as_str();
    assert!(redirect.starts_with("https://app.example/callback?tenant=a%2Fb&x=&"), "{redirect}");
}

async fn a_lone_redirect_uri_may_be_left_out_on_both_ends(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.browser().authorize_as(&alice, &Ask::of(&app).without("redirect_uri")).await.code();
    world.redeem(&app, &code).without("redirect_uri").await.tokens();
}

async fn without_scope_the_default_is_granted(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let code = world.browser().authorize_as(&alice, &Ask::of(&app).without("scope")).await.code();
    assert_eq!(world.redeem(&app, &code).await.tokens().json["scope"], "read");
}

async fn a_scope_sent_with_the_code_does_not_widen_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().scope("read write").create().await;
    let code = world.code(&alice, &app).await;
    let tokens = world.redeem(&app, &code).field("scope", "read write").await.tokens();
    assert_eq!(tokens.json["scope"], "read");
}

async fn a_trailing_slash_is_the_same_address(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    let fields =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", app.redirect_uri())];
    let tokens = world.post("/oauth/token/", &fields).by(&app).await.tokens();
    assert_eq!(world.get("/api/memos/").bearer(&tokens.access).await.status, 200);
}

async fn two_users_in_one_application_get_their_own_tokens(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = world.application().create().await;
    for user in [&alice, &bob] {
        let tokens = world.tokens(user, &app).await;
        let said = world.introspect(&tokens.access).by(&app).await.json();
        assert_eq!(
            (said["username"].as_str(), said["sub"].as_str()),
            (Some(&*user.username), Some(&*user.id))
        );
    }
}

async fn tokens_outlive_a_restart(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let code = world.code(&alice, &app).await;
    world.restart().await;
    assert_eq!(world.memos(&tokens.access).await.status, 200);
    world.redeem(&app, &code).await.tokens();
    world.refresh(&app, tokens.refresh()).await.tokens();
}

}
