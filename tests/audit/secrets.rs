//! No secret is ever in the log, whatever is done and wherever it is typed.

use super::log;
use crate::form::Form;
use crate::world::{Ask, CHALLENGE, VERIFIER, World};

on_each_database! {

with("grants" = "authorization_code,refresh_token,client_credentials,device_code,password,implicit")
async fn the_log_holds_no_secret(world: World) {
    let root = world.administrator("root").await;
    let alice = world.user("alice").await;
    let chosen = "chosen-secret-of-more-than-forty-characters";
    let app = world.application().grant("authorization_code").grant("refresh_token").grant("password")
        .grant("client_credentials").chosen_secret(chosen).create().await;
    let device = world.application().public().grant("device_code").create().await;
    let mistyped = "my password in the wrong field";
    let mut secrets = vec![root.password.clone(), alice.password.clone(), chosen.to_owned(), mistyped.to_owned()];

    let browser = world.browser();
    browser.try_to_sign_in(mistyped, mistyped).await;
    browser.try_to_sign_in("alice", mistyped).await;
    browser.sign_in(&alice).await;
    let ask = Ask::of(&app).pkce().with("state", "a state of its own");
    let code = browser.authorize(&ask).await.code();
    let tokens = world.redeem(&app, &code).field("code_verifier", VERIFIER).await.tokens();
    let newer = world.refresh(&app, tokens.refresh()).await.tokens();
    world.redeem(&app, &code).field("code_verifier", VERIFIER).await.refused(400, "invalid_grant");
    let own = world.client_credentials(&app).await.tokens();
    world.revoke(&own.access).by(&app).await;
    world.revoke(&newer.access).by(&app).await;
    world.token(&[("grant_type", "client_credentials")]).basic(&app.client_id, mistyped).await;
    world.token(&[("grant_type", "client_credentials")]).basic(mistyped, mistyped).await;
    let by_password = [("grant_type", "password"), ("username", mistyped), ("password", mistyped)];
    world.token(&by_password).by(&app).await.refused(400, "invalid_grant");
    let codes = world.device(&device).await;
    browser.authorize_device(&codes).await;
    let polled = world.poll(&device, &codes).await.tokens();
    secrets.extend([code, tokens.access.clone(), tokens.refresh().to_owned(), newer.access.clone(),
        newer.refresh().to_owned(), own.access, polled.access, codes.device_code, codes.user_code,
        VERIFIER.to_owned(), CHALLENGE.to_owned(), "a state of its own".to_owned()]);

    let account = browser.get("/account").await;
    let forms = Form::all(&account.body);
    let hidden = forms.iter().flat_map(|form| &form.fields).filter(|(name, _)| name == "csrf_token");
    secrets.extend(hidden.map(|(_, value)| value.clone()));
    let new = "another long password of alice";
    let mut form = Form::with_id(&account.body, "change-password").unwrap();
    for (name, value) in [("current_password", &*alice.password), ("password", new), ("password_confirmation", new)] {
        form.set(name, value);
    }
    assert_eq!(browser.submit(&account, &form).await.status, 303);
    secrets.push(new.to_owned());
    let rotated = world.command(&["application", "rotate-secret", &app.client_id, "--json"], "").await.json();
    secrets.push(rotated["client_secret"].as_str().unwrap().to_owned());
    let reset = world.command(&["user", "password", "alice", "--json"], "").await.json();
    secrets.push(reset["password"].as_str().unwrap().to_owned());

    let told = log(&world).await;
    assert!(told.len() > 15, "{told:#?}");
    for event in &told {
        for (path, text) in texts(event) {
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{path} holds {secret}: {event}");
            }
            let prefixed = ["tga_", "tgr_", "tgs_", "tgc_", "tgd_"].iter().any(|prefix| text.contains(prefix));
            assert!(!prefixed, "{path}: {event}");
        }
    }
    let columns = "event || actor || coalesce(address, '') || coalesce(request_id, '') || CAST(detail AS TEXT)";
    for secret in &secrets {
        let pattern = secret.replace('\'', "''");
        let found = world
            .number(&format!("SELECT count(*) FROM audit_events WHERE {columns} LIKE '%{pattern}%'"))
            .await;
        assert_eq!(found, 0, "{secret} is in the table");
    }
}

}

/// Every text in an event, with where it stands.
fn texts(value: &serde_json::Value) -> Vec<(String, String)> {
    use serde_json::Value;

    match value {
        Value::String(text) => vec![(String::new(), text.clone())],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                let inner = texts(value).into_iter();
                inner.map(move |(path, text)| (format!("{name}.{path}"), text))
            })
            .collect(),
        _ => Vec::new(),
    }
}
