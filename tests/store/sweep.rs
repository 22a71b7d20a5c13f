//! The sweeper: what has expired goes, what a replay is recognised by stays (RFC 9700 §4.14.2).

use tegata::flow::sweep;

use crate::world::{Ask, World, at_once};

const DAY: i64 = 24 * 3600;

async fn sweep(world: &World) -> u64 {
    sweep::all(&world.app().await).await.unwrap()
}

on_each_database! {

with("access_token_ttl" = "1h", "refresh_token_ttl" = "1d", "refresh_token_max_ttl" = "2d", "session_ttl" = "1h")
async fn what_has_expired_is_gone_and_the_rest_is_not(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let tokens = world.tokens(&alice, &app).await;
    let unused = browser.authorize(&Ask::of(&app)).await.code();
    browser.consent_page(&Ask::of(&app).with("prompt", "consent")).await;
    world.client_credentials(&app).await.tokens();
    assert_eq!(sweep(&world).await, 0, "nothing has expired");

    world.clock.advance(3600);
    assert!(sweep(&world).await > 0);
    for table in ["access_tokens", "sessions", "authorization_requests"] {
        assert_eq!(world.count(table).await, 0, "{table}");
    }
    world.redeem(&app, &unused).await.refused(400, "invalid_grant");
    assert_eq!(world.count("refresh_tokens").await, 1);
    world.refresh(&app, tokens.refresh()).await.tokens();

    world.clock.advance(3 * DAY);
    sweep(&world).await;
    for table in ["access_tokens", "refresh_tokens", "authorization_codes", "grants"] {
        assert_eq!(world.count(table).await, 0, "{table}");
    }
    assert_eq!(world.count("users").await, 1);
    assert_eq!(world.count("consents").await, 1, "what is remembered is no token");
    assert_eq!(sweep(&world).await, 0);
}

with("refresh_token_ttl" = "30d", "refresh_token_max_ttl" = "365d", "refresh_token_retry_window" = "10s")
async fn a_used_refresh_token_of_a_live_family_is_still_recognised(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let first = world.tokens(&alice, &app).await;
    let mut newest = first.clone();
    for _ in 0..3 {
        newest = world.refresh(&app, newest.refresh()).await.tokens();
    }
    world.clock.advance(20 * DAY);
    sweep(&world).await;
    newest = world.refresh(&app, newest.refresh()).await.tokens();
    sweep(&world).await;
    assert!(world.is_active(&app, &newest.access).await);
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    assert!(!world.is_active(&app, &newest.access).await, "the replay was recognised and killed the family");
    world.refresh(&app, newest.refresh()).await.refused(400, "invalid_grant");
}

with("device_code_ttl" = "10m", "access_token_ttl" = "1h")
async fn a_device_code_is_forgotten_an_hour_after_its_end(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().grant("device_code").create().await;
    let [used, denied, waiting] = [world.device(&app).await, world.device(&app).await, world.device(&app).await];
    let browser = world.signed_in(&alice).await;
    browser.authorize_device(&used).await;
    browser.decide_device(&denied.user_code, "deny").await;
    let tokens = world.poll(&app, &used).await.tokens();

    world.clock.advance(600 + 3600 - 1);
    sweep(&world).await;
    world.poll(&app, &waiting).await.refused(400, "expired_token");
    assert_eq!(world.count("device_codes").await, 3);
    world.clock.advance(1);
    sweep(&world).await;
    assert_eq!(world.count("device_codes").await, 0);
    for device in [&used, &denied, &waiting] {
        world.poll(&app, device).await.refused(400, "invalid_grant");
    }
    assert_eq!(world.memos(&tokens.access).await.status, 401, "it has expired");
    assert_eq!(world.count("grants").await, 0, "nothing came of it that lives");
}

async fn a_used_code_of_a_live_family_is_still_recognised(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    let tokens = world.redeem(&app, &code).await.tokens();
    world.clock.advance(DAY);
    sweep(&world).await;
    let next = world.refresh(&app, tokens.refresh()).await.tokens();
    world.redeem(&app, &code).await.refused(400, "invalid_grant");
    assert!(!world.is_active(&app, &next.access).await, "the replay was recognised and killed the family");
}

with("access_token_ttl" = "60s")
async fn a_round_is_small_and_the_next_goes_on(world: World) {
    let app = world.application().create().await;
    at_once(12, |_| {
        let (world, app) = (world.clone(), app.clone());
        async move {
            for _ in 0..50 {
                world.client_credentials(&app).await.tokens();
            }
        }
    })
    .await;
    assert_eq!(world.count("access_tokens").await, 600);
    world.clock.advance(60);
    let app = world.app().await;
    let mut swept = 0;
    for _ in 0..10 {
        swept += sweep::round(&app).await.unwrap();
    }
    assert_eq!(swept, 600, "more than one batch, and no row twice");
    assert_eq!(world.count("access_tokens").await, 0);
}

async fn sweeping_and_working_get_in_nobodys_way(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().access_token_ttl("60s").create().await;
    let mut tokens = world.tokens(&alice, &app).await;
    for _ in 0..10 {
        world.clock.advance(61);
        let swept = tokio::spawn({
            let world = world.clone();
            async move { sweep(&world).await }
        });
        tokens = world.refresh(&app, tokens.refresh()).await.tokens();
        assert!(world.is_active(&app, &tokens.access).await);
        swept.await.unwrap();
    }
}

}
