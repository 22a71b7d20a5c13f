//! Tokens for one resource and no other (RFC 8707).

use serde_json::{Value, json};

use crate::world::{Application, Ask, Request, Tokens, User, World};

const API: &str = "https://api.example/v1";
const FILES: &str = "https://files.example";

/// The tokens of a code flow that asked for `resources`.
async fn tokens_for(world: &World, user: &User, app: &Application, resources: &[&str]) -> Tokens {
    let code = code_for(world, user, app, resources).await;
    world.redeem(app, &code).await.tokens()
}

async fn code_for(world: &World, user: &User, app: &Application, resources: &[&str]) -> String {
    let ask = resources
        .iter()
        .fold(Ask::of(app), |ask, resource| ask.twice("resource", resource));
    world.signed_in(user).await.authorize(&ask).await.code()
}

/// What introspection calls the audience of a live token.
async fn audience(world: &World, app: &Application, token: &str) -> Value {
    let said = world.introspect(token).by(app).await.json();
    assert_eq!(said["active"], true, "{said}");
    said.get("aud").cloned().unwrap_or_else(|| json!("anywhere"))
}

fn memos(world: &World) -> String {
    format!("{}/api/memos", world.base_url)
}

fn refused_target(answer: &crate::world::Answer) {
    answer.refused(400, "invalid_target");
}

fn refresh(world: &World, app: &Application, tokens: &Tokens) -> Request {
    world.refresh(app, tokens.refresh())
}

on_each_database! {

with("resources" = "https://api.example/v1,https://files.example/")
async fn a_token_is_for_what_was_asked(world: World) {
    let app = world.application().create().await;
    let token = |resources: &[&str]| {
        let ask = resources.iter().fold(world.client_credentials(&app), |ask, one| ask.field("resource", one));
        async { ask.await.tokens().access }
    };
    assert_eq!(audience(&world, &app, &token(&[]).await).await, json!("anywhere"));
    assert_eq!(audience(&world, &app, &token(&[API]).await).await, json!(API));
    assert_eq!(audience(&world, &app, &token(&[API, API]).await).await, json!(API));
    let both = token(&[FILES, API]).await;
    assert_eq!(audience(&world, &app, &both).await, json!([API, "https://files.example/"]));
}

with("resources" = "https://api.example/v1,https://files.example/")
async fn a_slash_at_the_end_is_tolerated_and_the_configured_spelling_told(world: World) {
    let app = world.application().create().await;
    for (asked, told) in [("https://api.example/v1/", API), (FILES, "https://files.example/")] {
        let token = world.client_credentials(&app).field("resource", asked).await.tokens().access;
        assert_eq!(audience(&world, &app, &token).await, json!(told));
    }
}

with("resources" = "https://api.example/v1")
async fn the_memos_take_their_own_tokens_and_unbound_ones_alone(world: World) {
    let app = world.application().create().await;
    let own = memos(&world);
    let token = |resource: &str| {
        let ask = world.client_credentials(&app).field("resource", resource);
        async { ask.await.tokens().access }
    };
    for resource in ["", &own, &format!("{own}/")] {
        assert_eq!(world.memos(&token(resource).await).await.status, 200, "{resource}");
    }
    let foreign = token(API).await;
    for (method, path) in [("GET", "/api/memos"), ("POST", "/api/memos"), ("DELETE", "/api/memos/x")] {
        world.request(method, path).bearer(&foreign).await.challenged(401, "invalid_token");
    }
    let both = world.client_credentials(&app).field("resource", API).field("resource", &own).await.tokens();
    assert_eq!(world.memos(&both.access).await.status, 200);
}

with("resources" = "https://api.example/v1")
async fn a_token_for_a_resource_does_not_manage_applications(world: World) {
    let admin = world.administrator("ichiro").await;
    let app = world.application().scope("read applications").create().await;
    let list = async |resources: &[&str]| {
        let ask = resources.iter().fold(Ask::of(&app).with("scope", "applications"), |ask, one| {
            ask.twice("resource", one)
        });
        let code = world.signed_in(&admin).await.authorize(&ask).await.code();
        let token = world.redeem(&app, &code).await.tokens().access;
        world.get("/oauth/applications").header("Accept", "application/json").bearer(&token).await
    };
    assert_eq!(list(&[]).await.status, 200);
    list(&[API]).await.challenged(401, "invalid_token");
    list(&[API, &memos(&world)]).await.challenged(401, "invalid_token");
}

with("resources" = "https://api.example/v1,https://files.example")
async fn a_code_carries_its_resources_to_the_token_which_may_have_fewer(world: World) {
    let (alice, app) = (world.user("alice").await, world.application().create().await);
    let all = tokens_for(&world, &alice, &app, &[API, FILES]).await;
    assert_eq!(audience(&world, &app, &all.access).await, json!([API, FILES]));

    let code = code_for(&world, &alice, &app, &[API, FILES]).await;
    let fewer = world.redeem(&app, &code).field("resource", FILES).await.tokens();
    assert_eq!(audience(&world, &app, &fewer.access).await, json!(FILES));
    assert_eq!(audience(&world, &app, fewer.refresh()).await, json!([API, FILES]));
}

with("resources" = "https://api.example/v1,https://files.example")
async fn a_code_never_gets_a_token_for_more_and_stays_good(world: World) {
    let (alice, app) = (world.user("alice").await, world.application().create().await);
    let code = code_for(&world, &alice, &app, &[API]).await;
    for resource in [FILES, "https://unknown.example", "no uri"] {
        refused_target(&world.redeem(&app, &code).field("resource", resource).await);
    }
    refused_target(&world.redeem(&app, &code).field("resource", API).field("resource", FILES).await);
    let tokens = world.redeem(&app, &code).await.tokens();
    assert_eq!(audience(&world, &app, &tokens.access).await, json!(API));
}

with("resources" = "https://api.example/v1,https://files.example")
async fn a_refresh_may_narrow_each_time_within_what_was_authorized(world: World) {
    let (alice, app) = (world.user("alice").await, world.application().create().await);
    let first = tokens_for(&world, &alice, &app, &[API, FILES]).await;
    let narrow = refresh(&world, &app, &first).field("resource", API).await.tokens();
    assert_eq!(audience(&world, &app, &narrow.access).await, json!(API));
    let other = refresh(&world, &app, &narrow).field("resource", FILES).await.tokens();
    assert_eq!(audience(&world, &app, &other.access).await, json!(FILES));
    let all = refresh(&world, &app, &other).await.tokens();
    assert_eq!(audience(&world, &app, &all.access).await, json!([API, FILES]));
}

with("resources" = "https://api.example/v1,https://files.example")
async fn a_refresh_never_widens_and_the_token_stays_good(world: World) {
    let (alice, app) = (world.user("alice").await, world.application().create().await);
    let tokens = tokens_for(&world, &alice, &app, &[API]).await;
    refused_target(&refresh(&world, &app, &tokens).field("resource", FILES).await);
    refused_target(&refresh(&world, &app, &tokens).field("resource", &memos(&world)).await);
    let renewed = refresh(&world, &app, &tokens).await.tokens();
    assert_eq!(audience(&world, &app, &renewed.access).await, json!(API));
}

with("resources" = "https://api.example/v1")
async fn an_unbound_grant_gives_tokens_for_any_resource(world: World) {
    let (alice, app) = (world.user("alice").await, world.application().create().await);
    let tokens = world.tokens(&alice, &app).await;
    let bound = refresh(&world, &app, &tokens).field("resource", API).await.tokens();
    assert_eq!(audience(&world, &app, &bound.access).await, json!(API));
    let unbound = refresh(&world, &app, &bound).await.tokens();
    assert_eq!(audience(&world, &app, &unbound.access).await, json!("anywhere"));
}

// Both ask with one refresh token at once; whoever is second must not think that it has a token for its own.
with("resources" = "https://api.example/v1,https://files.example")
async fn a_lost_answer_is_given_again_for_the_same_resource_alone(world: World) {
    let (alice, app) = (world.user("alice").await, world.application().create().await);
    let first = tokens_for(&world, &alice, &app, &[API, FILES]).await;
    let ask = |resources: &[&str]| {
        resources.iter().fold(refresh(&world, &app, &first), |ask, one| ask.field("resource", one))
    };
    let answer = ask(&[API]).await.tokens();
    for other in [&[FILES][..], &[API, FILES], &[]] {
        ask(other).await.refused(400, "invalid_grant");
    }
    assert_eq!(ask(&[API]).await.tokens().access, answer.access);
    assert_eq!(audience(&world, &app, &answer.access).await, json!(API));
}

with("resources" = "https://api.example/v1")
async fn an_authorization_request_for_what_is_no_resource_goes_back_to_the_client(world: World) {
    let (alice, app) = (world.user("alice").await, world.application().create().await);
    let browser = world.signed_in(&alice).await;
    for resource in ["api.example", "/v1", "https://api.example/v1#x", "https://api.example", "urn:x:y"] {
        let ask = Ask::of(&app).with("resource", API).twice("resource", resource);
        assert_eq!(browser.authorize(&ask).await.error(), "invalid_target", "{resource}");
    }
    let twenty = (0..20).fold(Ask::of(&app), |ask, _| ask.twice("resource", API));
    browser.authorize(&twenty).await.code();
    assert_eq!(browser.authorize(&twenty.twice("resource", API)).await.error(), "invalid_target");
    let answer = world.client_credentials(&app).field("resource", "https://api.example").await;
    refused_target(&answer);
    assert!(answer.json()["error_description"].as_str().unwrap().contains(API), "{answer}");
}

with("resources" = "https://api.example/v1,https://files.example")
async fn a_resource_that_is_gone_never_leaves_a_token_for_anywhere(world: World) {
    let (alice, app) = (world.user("alice").await, world.application().create().await);
    let one = tokens_for(&world, &alice, &app, &[API]).await;
    let two = tokens_for(&world, &alice, &app, &[API, FILES]).await;
    let code = code_for(&world, &alice, &app, &[API]).await;
    let later = world.second_node_with(&[("resources", FILES)]).await;
    refused_target(&refresh(&later, &app, &one).await);
    refused_target(&later.redeem(&app, &code).await);
    let left = refresh(&later, &app, &two).await.tokens();
    assert_eq!(audience(&world, &app, &left.access).await, json!(FILES));
}

with("resources" = "https://api.example/v1")
async fn the_consent_page_says_where_the_access_is_good(world: World) {
    let (alice, app) = (world.user("alice").await, world.application().create().await);
    let browser = world.signed_in(&alice).await;
    let (page, _) = browser.consent_page(&Ask::of(&app).with("resource", API)).await;
    assert!(page.body.contains(API), "{page}");
    let (page, _) = browser.consent_page(&Ask::of(&app)).await;
    assert!(!page.body.contains("Only at"), "{page}");
}

}
