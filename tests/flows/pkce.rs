//! Proof Key for Code Exchange (RFC 7636; RFC 9700 §2.1.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::world::{Ask, CHALLENGE, VERIFIER, World};

on_each_database! {

async fn the_right_verifier_opens_the_code(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for verifier in [VERIFIER.to_owned(), "a".repeat(43), "-._~".repeat(32), format!("{}+/=", "x".repeat(60))]
    {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let code = browser.authorize(&Ask::of(&app).pkce().with("code_challenge", &challenge)).await.code();
        world.redeem(&app, &code).field("code_verifier", &verifier).await.tokens();
    }
}

async fn a_wrong_or_missing_verifier_is_refused(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let wrong = [
        "",
        CHALLENGE,
        &VERIFIER.to_lowercase(),
        &VERIFIER[..42],
        &"a".repeat(42),
        &"a".repeat(129),
        "\u{e9}",
    ];
    for verifier in wrong {
        let code = browser.authorize(&Ask::of(&app).pkce()).await.code();
        let request = world.redeem(&app, &code).field("code_verifier", verifier);
        let answer = request.await;
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(["invalid_grant", "invalid_request"].contains(&&*error), "{verifier:?}: {answer}");
    }
}

async fn a_left_out_verifier_is_invalid_grant(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().create().await;
    let code = world.code(&alice, &app).await;
    world.redeem(&app, &code).without("code_verifier").await.refused(400, "invalid_grant");
}

async fn a_verifier_shorter_than_allowed_is_refused_though_it_matches(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for verifier in ["a".repeat(42), "a".repeat(129)] {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let code = browser.authorize(&Ask::of(&app).pkce().with("code_challenge", &challenge)).await.code();
        let answer = world.redeem(&app, &code).field("code_verifier", &verifier).await;
        assert_eq!(answer.status, 400, "{answer}");
    }
}

async fn a_verifier_nobody_asked_for_is_refused(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    let answer = world.redeem(&app, &code).field("code_verifier", VERIFIER).await;
    answer.refused(400, "invalid_grant");
}

async fn a_wrong_verifier_does_not_burn_the_code(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().create().await;
    let code = world.code(&alice, &app).await;
    let wrong = world.redeem(&app, &code).without("code_verifier").field("code_verifier", &"a".repeat(43));
    wrong.await.refused(400, "invalid_grant");
    world.redeem(&app, &code).await.tokens();
}

async fn five_wrong_verifiers_burn_the_code(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().create().await;
    let code = world.code(&alice, &app).await;
    for _ in 0..5 {
        let wrong =
            world.redeem(&app, &code).without("code_verifier").field("code_verifier", &"a".repeat(43));
        wrong.await.refused(400, "invalid_grant");
    }
    world.redeem(&app, &code).await.refused(400, "invalid_grant");
}

async fn a_public_application_must_send_a_challenge(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().create().await;
    let ask = Ask::of(&app).without("code_challenge").without("code_challenge_method");
    assert_eq!(world.signed_in(&alice).await.authorize(&ask).await.error(), "invalid_request");
}

async fn an_application_can_be_held_to_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().require_pkce().create().await;
    let browser = world.signed_in(&alice).await;
    assert_eq!(browser.authorize(&Ask::of(&app)).await.error(), "invalid_request");
    let code = browser.authorize(&Ask::of(&app).pkce()).await.code();
    world.redeem(&app, &code).field("code_verifier", VERIFIER).await.tokens();
}

with("require_pkce" = "true")
async fn the_whole_server_can_be_held_to_it(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    assert_eq!(world.signed_in(&alice).await.authorize(&Ask::of(&app)).await.error(), "invalid_request");
}

async fn only_s256_is_taken(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    for method in ["plain", "s256", "S512", "plain S256", "none"] {
        let ask = Ask::of(&app).pkce().with("code_challenge_method", method);
        assert_eq!(browser.authorize(&ask).await.error(), "invalid_request", "{method:?}");
    }
    let unnamed = Ask::of(&app).pkce().without("code_challenge_method");
    assert_eq!(browser.authorize(&unnamed).await.error(), "invalid_request", "no method means plain");
    let alone = Ask::of(&app).with("code_challenge_method", "S256");
    assert_eq!(browser.authorize(&alone).await.error(), "invalid_request", "a method without a challenge");
}

async fn a_challenge_of_another_shape_is_refused(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.signed_in(&alice).await;
    let padded = format!("{CHALLENGE}=");
    for challenge in [&CHALLENGE[..42], &padded, &CHALLENGE.replace('-', "+"), "short", &"x".repeat(10_240)] {
        let ask = Ask::of(&app).pkce().with("code_challenge", challenge);
        assert_eq!(browser.authorize(&ask).await.error(), "invalid_request", "{challenge:?}");
    }
}

async fn the_challenge_is_told_to_nobody(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let authorized = world.browser().authorize_as(&alice, &Ask::of(&app).pkce()).await;
    assert!(!authorized.redirect().as_str().contains(CHALLENGE));
    let tokens = world.redeem(&app, &authorized.code()).field("code_verifier", VERIFIER).await.tokens();
    assert!(!world.introspect(&tokens.access).by(&app).await.body.contains(CHALLENGE));
}

}
