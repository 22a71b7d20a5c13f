//! An application that keeps one authorization a user, and one token of its own.

use crate::world::{Application, World, at_once};

async fn live(world: &World, app: &Application, tokens: &[String]) -> usize {
    let mut live = 0;
    for token in tokens {
        live += usize::from(world.is_active(app, token).await);
    }
    live
}

on_each_database! {

async fn a_new_authorization_ends_the_earlier_ones(world: World) {
    let (alice, bob) = (world.user("alice").await, world.user("bob").await);
    let app = world.application().revokes_previous_tokens().create().await;
    let other = world.application().create().await;
    let (first, his, elsewhere) =
        (world.tokens(&alice, &app).await, world.tokens(&bob, &app).await, world.tokens(&alice, &other).await);
    let first = world.refresh(&app, first.refresh()).await.tokens();
    let waiting = world.code(&alice, &app).await;
    assert!(world.is_active(&app, &first.access).await, "nothing ends before the new one is there");
    let second = world.redeem(&app, &waiting).await.tokens();
    assert!(!world.is_active(&app, &first.access).await);
    world.refresh(&app, first.refresh()).await.refused(400, "invalid_grant");
    world.memos(&first.access).await.challenged(401, "invalid_token");
    assert!(world.is_active(&app, &second.access).await);
    assert!(world.is_active(&app, &his.access).await, "another user's");
    assert!(world.is_active(&other, &elsewhere.access).await, "another application's");
    let refreshed = world.refresh(&app, second.refresh()).await.tokens();
    assert!(world.is_active(&app, &second.access).await, "a refresh is no new authorization");
    assert!(world.is_active(&app, &refreshed.access).await);
}

async fn of_codes_redeemed_at_once_one_authorization_is_left(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().revokes_previous_tokens().create().await;
    let browser = world.signed_in(&alice).await;
    let mut codes = Vec::new();
    for _ in 0..6 {
        codes.push(browser.authorize(&crate::world::Ask::of(&app)).await.code());
    }
    let tokens = at_once(codes.len(), |number| {
        let (world, app, code) = (world.clone(), app.clone(), codes[number].clone());
        async move { world.redeem(&app, &code).await.tokens().access }
    })
    .await;
    assert_eq!(live(&world, &app, &tokens).await, 1);
}

async fn a_device_that_is_authorized_anew_ends_the_earlier_authorization(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("device_code").grant("authorization_code").revokes_previous_tokens().create().await;
    let browser = world.signed_in(&alice).await;
    let device = world.device(&app).await;
    browser.authorize_device(&device).await;
    let by_code = world.redeem(&app, &world.code(&alice, &app).await).await.tokens();
    world.clock.advance(5);
    let by_device = world.poll(&app, &device).await.tokens();
    assert!(!world.is_active(&app, &by_code.access).await);
    assert!(world.is_active(&app, &by_device.access).await, "what was authorized and not yet redeemed was let be");
}

async fn a_new_token_of_its_own_ends_the_earlier_one(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().revokes_previous_tokens().create().await;
    let hers = world.tokens(&alice, &app).await;
    let first = world.client_credentials(&app).await.tokens();
    let second = world.client_credentials(&app).await.tokens();
    assert!(!world.is_active(&app, &first.access).await);
    assert!(world.is_active(&app, &second.access).await);
    assert!(world.is_active(&app, &hers.access).await, "a user's is not its own");
}

async fn of_its_own_tokens_asked_for_at_once_one_is_left(world: World) {
    let app = world.application().revokes_previous_tokens().create().await;
    let tokens = at_once(6, |_| {
        let (world, app) = (world.clone(), app.clone());
        async move { world.client_credentials(&app).await.tokens().access }
    })
    .await;
    assert_eq!(live(&world, &app, &tokens).await, 1);
}

async fn without_the_policy_earlier_tokens_live_on(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let (first, second) = (world.tokens(&alice, &app).await, world.tokens(&alice, &app).await);
    let own = [world.client_credentials(&app).await.tokens().access, world.client_credentials(&app).await.tokens().access];
    assert_eq!(live(&world, &app, &[first.access, second.access]).await + live(&world, &app, &own).await, 4);
}

}
