use serde_json::{Value, json};

use super::*;
use crate::base::clock::SteeredClock;

async fn app() -> App {
    let flags = vec![("database_url".to_owned(), "sqlite::memory:".to_owned())];
    let config = Config::load(Sources {
        flags,
        ..Sources::default()
    })
    .unwrap();
    let issuer = config.issuer(USUAL_PORT);
    let clock = Clock::Steered(SteeredClock::at(1_700_000_000));
    App::open(config, clock, Entropy::seeded(1), issuer)
        .await
        .unwrap()
}

/// What `tegata --json LINE` prints on `app`, with `input` on standard input.
async fn done(app: &App, line: &str, input: Option<&str>) -> Result<Value, String> {
    let words = format!("tegata --json {line}");
    let arguments = arguments::parse(words.split(' ').map(OsString::from)).unwrap();
    assert_eq!(arguments.command.reads().is_some(), input.is_some(), "{line}");
    let secret = input.map(Secret::new);
    let result = perform(app, arguments.command, secret, arguments.format).await;
    result
        .map(|text| serde_json::from_str(&text).unwrap())
        .map_err(|failure| failure.to_string())
}

async fn told(app: &App, line: &str) -> Value {
    done(app, line, None).await.unwrap()
}

async fn refused(app: &App, line: &str) -> String {
    done(app, line, None).await.unwrap_err()
}

#[tokio::test]
async fn a_user_is_made_switched_and_deleted_under_any_spelling_of_the_name() {
    let app = app().await;
    let made = told(&app, "user create alice --admin --email a@b.example").await;
    assert_eq!(made["admin"], true);
    assert_eq!(made["email"], "a@b.example");
    assert_eq!(made["password"].as_str().unwrap().len(), 29);

    assert_eq!(
        told(&app, "user disable ALICE").await,
        json!({"username": "alice", "disabled": true})
    );
    assert_eq!(told(&app, "user list").await[0]["disabled"], true);
    assert_eq!(
        told(&app, "user enable Alice").await,
        json!({"username": "alice", "disabled": false})
    );
    assert_eq!(told(&app, "user list").await[0]["disabled"], false);
    assert_eq!(
        told(&app, "user delete alice").await,
        json!({"username": "alice", "deleted": true})
    );
    assert_eq!(told(&app, "user list").await, json!([]));
    assert!(refused(&app, "user delete alice").await.contains("no user alice"));
}

#[tokio::test]
async fn a_chosen_password_is_taken_and_not_shown() {
    let app = app().await;
    let chosen = Some("correct horse");
    let made = done(&app, "user create alice --password-stdin", chosen)
        .await
        .unwrap();
    assert_eq!(made["password"], Value::Null);
    let changed = done(&app, "user password alice --password-stdin", chosen)
        .await
        .unwrap();
    assert_eq!(changed, json!({"username": "alice", "password": null}));
    let generated = told(&app, "user password alice").await;
    assert_eq!(generated["password"].as_str().unwrap().len(), 29);
    let short = done(&app, "user password alice --password-stdin", Some("short")).await;
    assert!(short.unwrap_err().contains("--password-stdin: "));
}

#[tokio::test]
async fn an_application_is_made_shown_rotated_and_deleted() {
    let app = app().await;
    let line = "application create --name Web --client-id web --redirect-uri https://web.example/cb --scope read \
                --require-pkce --no-iss --access-token-ttl 5m";
    let made = told(&app, line).await;
    assert!(made["client_secret"].as_str().unwrap().starts_with("tgs_"));
    assert_eq!(made["redirect_uris"], json!(["https://web.example/cb"]));
    assert_eq!(made["scopes"], json!(["read"]));
    assert_eq!(
        made["grants"],
        json!(["authorization_code", "refresh_token", "client_credentials"])
    );
    for (member, value) in [
        ("confidential", true),
        ("require_pkce", true),
        ("send_iss", false),
        ("trusted", false),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    assert_eq!(made["access_token_ttl"], 300);

    let mut shown = made.clone();
    shown["client_secret"] = Value::Null;
    assert_eq!(told(&app, "application show web").await, shown);
    assert_eq!(told(&app, "application list").await[0].get("client_secret"), None);

    let mut seen = vec![made["client_secret"].clone()];
    for _ in 0..3 {
        let rotated = told(&app, "application rotate-secret web").await;
        assert_eq!(rotated["client_id"], "web");
        assert!(!seen.contains(&rotated["client_secret"]));
        seen.push(rotated["client_secret"].clone());
    }
    assert_eq!(
        told(&app, "application delete web").await,
        json!({"client_id": "web", "deleted": true})
    );
    assert!(
        refused(&app, "application show web")
            .await
            .contains("no application web")
    );
}

#[tokio::test]
async fn a_public_application_has_no_secret_and_no_trust() {
    let app = app().await;
    let line = "application create --public --name App --client-id app --redirect-uri http://127.0.0.1/cb";
    let made = told(&app, line).await;
    assert_eq!(made["client_secret"], Value::Null);
    assert_eq!(made["confidential"], false);
    assert_eq!(made["grants"], json!(["authorization_code", "refresh_token"]));
    assert!(
        refused(&app, "application rotate-secret app")
            .await
            .contains("app is public")
    );
    assert!(
        refused(&app, "application create --public --trusted --name T")
            .await
            .contains("--trusted: ")
    );
}

#[tokio::test]
async fn a_chosen_secret_is_not_shown_and_has_32_characters() {
    let app = app().await;
    let line = "application create --name S --client-secret-stdin --grant client_credentials";
    let made = done(&app, line, Some(&"s".repeat(32))).await.unwrap();
    assert_eq!(made["client_secret"], Value::Null);
    assert_eq!(made["grants"], json!(["client_credentials"]));
    let short = done(&app, line, Some(&"s".repeat(31))).await;
    assert!(short.unwrap_err().contains("--client-secret-stdin: "));
}

#[tokio::test]
async fn what_this_version_lacks_is_refused_and_leaves_nothing() {
    let app = app().await;
    assert!(
        refused(&app, "application create --name O --oauth1")
            .await
            .contains("--oauth1")
    );
    assert!(
        refused(&app, "application create --name D --grant password")
            .await
            .contains("--grant: ")
    );
    assert_eq!(told(&app, "application list").await, json!([]));
}

#[tokio::test]
async fn tokens_are_revoked_by_value_user_and_application() {
    let app = app().await;
    told(&app, "user create alice").await;
    told(
        &app,
        "application create --name S --client-id s --grant client_credentials",
    )
    .await;
    let unknown = Secret::generate(&app.entropy, "tga_");
    let revoked = done(&app, "token revoke", Some(unknown.expose())).await;
    assert_eq!(revoked.unwrap(), json!({"revoked": false}));
    assert_eq!(
        told(&app, "token revoke --user alice").await,
        json!({"revoked": 0})
    );
    assert_eq!(
        told(&app, "token revoke --user alice --application s").await,
        json!({"revoked": 0})
    );
    assert!(
        refused(&app, "token revoke --user nobody")
            .await
            .contains("no user nobody")
    );
    assert!(
        refused(&app, "token revoke --application nothing")
            .await
            .contains("no application nothing")
    );
}

#[tokio::test]
async fn the_store_is_migrated_and_swept() {
    let app = app().await;
    assert_eq!(told(&app, "migrate").await, json!({"migrated": true}));
    assert_eq!(told(&app, "sweep").await, json!({"deleted": 0}));
}
