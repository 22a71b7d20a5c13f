//! What the token endpoint refuses whoever asks (RFC 6749 §3.2, §5.2).

use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::World;

/// An answer for which nothing had to be done, on a loaded machine.
const QUICK: Duration = Duration::from_millis(500);

on_each_database! {

async fn only_post_is_allowed(world: World) {
    let app = world.application().create().await;
    let query = format!(
        "/oauth/token?grant_type=client_credentials&client_id={}&client_secret={}",
        app.client_id,
        app.secret()
    );
    for method in ["GET", "PUT", "PATCH", "DELETE", "HEAD"] {
        let answer = world.request(method, &query).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method}: {answer}");
    }
}

async fn only_a_form_is_read(world: World) {
    let app = world.application().create().await;
    let fields = json!({
        "grant_type": "client_credentials", "client_id": app.client_id, "client_secret": app.secret()
    });
    let form =
        format!("grant_type=client_credentials&client_id={}&client_secret={}", app.client_id, app.secret());
    let multipart =
        format!("--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\n{form}\r\n--x--\r\n");
    let bodies = [
        ("application/json", fields.to_string()),
        ("text/plain", form.clone()),
        ("multipart/form-data; boundary=x", multipart),
        ("application/x-www-form-urlencodedx", form.clone()),
    ];
    for (kind, body) in bodies {
        let answer = world.request("POST", "/oauth/token").body(kind, body).await;
        assert!(matches!(answer.status, 400 | 415), "{kind}: {answer}");
        assert_eq!(answer.json()["error"], "invalid_request");
    }
    let charset = "application/x-www-form-urlencoded; charset=UTF-8";
    world.request("POST", "/oauth/token").body(charset, form).await.tokens();
}

async fn a_repeated_parameter_is_refused(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", app.redirect_uri()),
        ("redirect_uri", "https://evil.example/"),
    ] {
        world.redeem(&app, &code).field(name, value).await.refused(400, "invalid_request");
    }
    let twice =
        world.redeem(&app, &code).field("client_id", &app.client_id).field("client_id", &app.client_id);
    twice.await.refused(400, "invalid_request");
    world.redeem(&app, &code).await.tokens();
}

async fn an_unknown_grant_type_is_refused(world: World) {
    let app = world.application().create().await;
    let unknown = [
        "authorization_code ",
        "AUTHORIZATION_CODE",
        "password",
        "implicit",
        "nonsense",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ];
    for kind in unknown {
        world.token(&[("grant_type", kind)]).by(&app).await.refused(400, "unsupported_grant_type");
    }
    world.token(&[("grant_type", "")]).by(&app).await.refused(400, "invalid_request");
    world.token(&[]).by(&app).await.refused(400, "invalid_request");
}

async fn a_grant_the_application_may_not_use_is_refused(world: World) {
    let app = world.application().grant("client_credentials").create().await;
    let fields =
        [("grant_type", "authorization_code"), ("code", "tgc_x"), ("redirect_uri", app.redirect_uri())];
    world.token(&fields).by(&app).await.refused(400, "unauthorized_client");
    world.refresh(&app, "tgr_x").await.refused(400, "unauthorized_client");
}

with("grants" = "authorization_code,refresh_token")
async fn a_grant_the_server_does_not_offer_is_unsupported(world: World) {
    let app = world.application().create().await;
    world.client_credentials(&app).await.refused(400, "unsupported_grant_type");
}

async fn a_code_is_a_required_parameter(world: World) {
    let app = world.application().create().await;
    let fields = [("grant_type", "authorization_code"), ("redirect_uri", app.redirect_uri())];
    world.token(&fields).by(&app).await.refused(400, "invalid_request");
}

async fn a_body_over_the_limit_is_refused(world: World) {
    let app = world.application().create().await;
    for size in [256 * 1024, 1024 * 1024] {
        let answer = world.client_credentials(&app).field("padding", &"x".repeat(size)).await;
        answer.refused(413, "invalid_request");
    }
}

async fn many_parameters_are_refused_or_ignored(world: World) {
    let app = world.application().create().await;
    let many: Vec<(String, String)> =
        (0..5_000).map(|number| (format!("p{number}"), "1".to_owned())).collect();
    let answer = world.client_credentials(&app).fields(&many).await;
    assert!(matches!(answer.status, 200 | 400 | 413), "{answer}");
}

async fn text_that_is_no_text_is_refused(world: World) {
    let app = world.application().create().await;
    let form = "application/x-www-form-urlencoded";
    for body in
        ["grant_type=%ff%fe", "grant_type=%00", "grant_type=client_credentials&scope=%c3%28", "%ff=1&%00=2"]
    {
        let answer = world.request("POST", "/oauth/token").by(&app).body(form, body).await;
        assert_eq!(answer.status, 400, "{body}: {answer}");
    }
}

async fn a_zero_byte_in_any_parameter_is_no_fault_of_ours(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let code = world.code(&alice, &app).await;
    for name in
        ["code", "redirect_uri", "code_verifier", "client_id", "client_secret", "scope", "refresh_token"]
    {
        let answer = world.redeem(&app, &code).without(name).field(name, "a\u{0}b").await;
        assert!(answer.status < 500, "{name}: {answer}");
        for path in ["/oauth/revoke", "/oauth/introspect"] {
            world.post(path, &[("token", "a\u{0}b"), ("token_type_hint", "\u{0}")]).by(&app).await;
        }
    }
}

async fn a_value_of_64_kilobytes_is_refused_at_once(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().create().await;
    let tokens = world.tokens(&alice, &app).await;
    for (size, whole) in [(60_000, true), (64 * 1024, false)] {
        let long = "x".repeat(size);
        let code = world.code(&alice, &app).await;
        let code = |name| world.redeem(&app, &code).without(name).field(name, &long);
        let refresh = |name| world.refresh(&app, tokens.refresh()).without(name).field(name, &long);
        let token = |path| world.post(path, &[("token", &*long)]).by(&app);
        for (name, request, error) in [
            ("code", code("code"), "400 invalid_grant"),
            ("code_verifier", code("code_verifier"), "400 invalid_grant"),
            ("redirect_uri", code("redirect_uri"), "400 invalid_grant"),
            ("client_id", code("client_id"), "401 invalid_client"),
            ("grant_type", code("grant_type"), "400 unsupported_grant_type"),
            ("refresh_token", refresh("refresh_token"), "400 invalid_grant"),
            ("scope", refresh("scope"), "400 invalid_scope"),
            ("client_secret", refresh("client_secret"), "401 invalid_client"),
            ("revoke", token("/oauth/revoke"), "200 "),
        ] {
            let started = Instant::now();
            let answer = request.await;
            let took = started.elapsed();
            let said = format!("{} {}", answer.status, answer.json()["error"].as_str().unwrap_or_default());
            assert_eq!(said, if whole { error } else { "413 invalid_request" }, "{name}");
            assert!(answer.body.len() < 1000, "{name}: nothing of it is repeated");
            assert!(took < QUICK, "{name} took {took:?}");
        }
    }
    world.refresh(&app, tokens.refresh()).await.tokens();
}

}
