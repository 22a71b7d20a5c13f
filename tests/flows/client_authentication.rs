//! How an application proves itself (RFC 6749 §2.3), the same at every endpoint that asks for it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

use crate::world::{Request, World};

const ENDPOINTS: [&str; 3] = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"];

/// A request that succeeds as soon as its application is proven.
fn unproven(world: &World, path: &str) -> Request {
    world.post(
        path,
        &[("grant_type", "client_credentials"), ("token", "tga_unknown")],
    )
}

on_each_database! {

async fn basic_and_body_both_prove_an_application(world: World) {
    let app = world.application().create().await;
    for path in ENDPOINTS {
        let by_basic = unproven(&world, path).basic(&app.client_id, app.secret()).await;
        let by_body = unproven(&world, path).secret_in_body(&app.client_id, app.secret()).await;
        assert_eq!((by_basic.status, by_body.status), (200, 200), "{path}");
    }
}

async fn basic_credentials_are_taken_encoded_and_raw(world: World) {
    let secret = "a-secret_with.all~kinds-of-letters-0123456789";
    let app = world.application().client_id("my-app_1.0").chosen_secret(secret).create().await;
    assert_eq!(app.client_id, "my-app_1.0");
    let encoded =
        |text: &str| percent_encode(text.as_bytes(), NON_ALPHANUMERIC).to_string().replace('a', "%61");
    let spellings = [
        format!("my-app_1.0:{secret}"),
        format!("my%2Dapp_1.0:{}", secret.replace('-', "%2D").replace('~', "%7e")),
        format!("{}:{}", encoded(&app.client_id), encoded(secret)),
    ];
    for credentials in spellings {
        world.token(&[("grant_type", "client_credentials")]).raw_basic(&credentials).await.tokens();
    }
}

async fn the_scheme_is_basic_in_any_case(world: World) {
    let app = world.application().create().await;
    let credentials = STANDARD.encode(format!("{}:{}", app.client_id, app.secret()));
    for scheme in ["basic", "BASIC", "bAsIc"] {
        let request = unproven(&world, "/oauth/token");
        request.header("Authorization", &format!("{scheme} {credentials}")).await.tokens();
    }
}

async fn a_malformed_header_proves_nothing(world: World) {
    let app = world.application().create().await;
    let plain = format!("{}:{}", app.client_id, app.secret());
    let good = STANDARD.encode(&plain);
    let malformed = [
        format!("Basic {}", STANDARD.encode(&app.client_id)),
        format!("Basic {good}!"),
        format!("Basic {good}, Basic {good}"),
        format!("Basic {}", URL_SAFE_NO_PAD.encode(format!("{plain}\u{3ff}\u{ff}?"))),
        format!("Basic {plain}"),
        "Basic".to_owned(),
        "Basic ".to_owned(),
        format!("Basic {}", STANDARD.encode([0xff, 0xfe, b':', 0xff])),
        format!("Basic {}", STANDARD.encode(":")),
        format!("Bearer {}", app.secret()),
        format!("Bazic {good}"),
    ];
    for path in ENDPOINTS {
        for header in &malformed {
            let answer = unproven(&world, path).header("Authorization", header).await;
            assert!(matches!(answer.status, 400 | 401), "{header:?}: {answer}");
        }
    }
}

async fn a_wrong_secret_is_refused_everywhere(world: World) {
    let app = world.application().create().await;
    let right = app.secret();
    let truncated = &right[..right.len() - 1];
    let wrong =
        ["tgs_wrong", truncated, &format!("{right} "), &format!(" {right}"), &right.to_uppercase(), ""];
    for path in ENDPOINTS {
        for secret in wrong {
            unproven(&world, path).basic(&app.client_id, secret).await.refused(401, "invalid_client");
            let by_body = unproven(&world, path).secret_in_body(&app.client_id, secret).await;
            by_body.refused(401, "invalid_client");
        }
    }
}

async fn an_unknown_application_is_told_the_same_as_a_wrong_secret(world: World) {
    let app = world.application().create().await;
    for path in ENDPOINTS {
        let wrong = unproven(&world, path).basic(&app.client_id, "tgs_wrong").await;
        let unknown = unproven(&world, path).basic("unknown", "tgs_wrong").await;
        wrong.refused(401, "invalid_client");
        assert_eq!(wrong.body, unknown.body);
    }
}

async fn a_confidential_application_does_not_get_by_with_its_name(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    let fields =
        [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", app.redirect_uri())];
    world.token(&fields).field("client_id", &app.client_id).await.refused(401, "invalid_client");
    for path in ENDPOINTS {
        let named = unproven(&world, path).field("client_id", &app.client_id);
        named.await.refused(401, "invalid_client");
    }
    world.redeem(&app, &code).await.tokens();
}

async fn two_ways_at_once_are_refused(world: World) {
    let app = world.application().create().await;
    for path in ENDPOINTS {
        let request = unproven(&world, path).by(&app).secret_in_body(&app.client_id, app.secret());
        request.await.refused(400, "invalid_request");
    }
}

async fn two_names_at_once_are_refused(world: World) {
    let (app, other) = (world.application().create().await, world.application().create().await);
    for path in ENDPOINTS {
        let answer = unproven(&world, path).by(&app).field("client_id", &other.client_id).await;
        assert!(matches!(answer.status, 400 | 401), "{answer}");
        let answer = unproven(&world, path).by(&app).field("client_id", &app.client_id).await;
        assert_eq!(answer.status, 200, "the same name twice is no contradiction: {answer}");
    }
}

async fn a_public_application_is_known_by_its_name(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().create().await;
    let refresh = async |token: &str| {
        let empty = world.refresh(&app, token).field("client_secret", "").await.tokens();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", empty.refresh())];
        world.token(&fields).basic(&app.client_id, "").await.tokens()
    };
    let tokens = world.tokens(&alice, &app).await;
    refresh(tokens.refresh()).await;
}

async fn a_public_application_has_no_secret_that_could_be_right(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().create().await;
    let tokens = world.tokens(&alice, &app).await;
    let request = world.refresh(&app, tokens.refresh()).field("client_secret", "guess");
    request.await.refused(401, "invalid_client");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh())];
    world.token(&fields).basic(&app.client_id, "guess").await.refused(401, "invalid_client");
}

async fn credentials_in_the_query_are_not_honoured(world: World) {
    let app = world.application().create().await;
    let query = format!("client_id={}&client_secret={}", app.client_id, app.secret());
    for path in ENDPOINTS {
        let answer = unproven(&world, &format!("{path}?{query}")).await;
        assert!(matches!(answer.status, 400 | 401), "{answer}");
        assert!(!answer.body.contains(app.secret()), "the secret is not echoed");
    }
}

async fn a_rotated_secret_and_the_old_one_both_work(world: World) {
    let app = world.application().create().await;
    let rotated = world.command(&["application", "rotate-secret", &app.client_id, "--json"], "").await.json();
    let new = rotated["client_secret"].as_str().expect("the new secret is shown once").to_owned();
    assert_ne!(new, app.secret());
    for secret in [app.secret(), &new] {
        world.token(&[("grant_type", "client_credentials")]).basic(&app.client_id, secret).await.tokens();
    }
}

async fn a_deleted_application_is_unknown_within_a_second(world: World) {
    let app = world.application().create().await;
    world.client_credentials(&app).await.tokens();
    assert_eq!(world.command(&["application", "delete", &app.client_id], "").await.exit, 0);
    world.soon(401, || world.client_credentials(&app)).await.refused(401, "invalid_client");
}

with("rate_limits" = "true")
async fn guessing_secrets_is_slowed_down_and_success_is_not(world: World) {
    let (app, other) = (world.application().create().await, world.application().create().await);
    let mut limited = None;
    for _ in 0..400 {
        let answer = unproven(&world, "/oauth/token").basic(&app.client_id, "tgs_wrong").await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
        answer.refused(401, "invalid_client");
    }
    let limited = limited.expect("guessing is slowed down");
    assert!(limited.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{limited}");
    world.client_credentials(&other).await.tokens();
}

with("rate_limits" = "true")
async fn success_is_never_limited(world: World) {
    let app = world.application().create().await;
    for _ in 0..300 {
        world.client_credentials(&app).await.tokens();
    }
}

}
