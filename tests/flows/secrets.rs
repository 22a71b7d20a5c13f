//! What opens something is shown once and kept by nobody but its owner.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::world::{Ask, VERIFIER, World};

/// Everything the database holds, as bytes to search in.
async fn dump(world: &World) -> Vec<u8> {
    let Some(path) = world.database_url.strip_prefix("sqlite://") else {
        return dump_postgres(&world.database_url).await.into_bytes();
    };
    let mut bytes = std::fs::read(path).unwrap();
    bytes.extend(std::fs::read(format!("{path}-wal")).unwrap_or_default());
    bytes
}

async fn dump_postgres(url: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables = "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'";
    let tables: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert!(!tables.is_empty());
    let mut all = String::new();
    for table in tables {
        let rows = format!("SELECT row_to_json(t)::text FROM \"{table}\" t");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(rows))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        all.push_str(&rows.concat());
    }
    all
}

fn hex(text: &str) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap();
    text.bytes()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

on_each_database! {

async fn no_secret_can_be_read_in_the_database(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let chosen = world.application().chosen_secret("a secret that a person made up one day").create().await;
    let browser = world.browser();
    browser.sign_in(&alice).await;
    let code = browser.authorize(&Ask::of(&app).pkce()).await.code();
    let first = world.redeem(&app, &code).field("code_verifier", VERIFIER).await.tokens();
    let second = world.refresh(&app, first.refresh()).await.tokens();
    let pending = browser.authorize(&Ask::of(&app)).await.code();
    let own = world.client_credentials(&app).await.tokens();
    let television = world.application().public().grant("device_code").create().await;
    let devices = [world.device(&television).await, world.device(&television).await];
    let (asked, form) = browser.asked(&devices[0].user_code).await;
    let confirmation = form.fields.iter().find(|(name, _)| name == "confirmation").unwrap();
    browser.submit(&asked, &form).await;
    let typed_bare = devices[1].user_code.replace('-', "");

    let dump = dump(&world).await;
    let has = |text: &str| dump.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("alice"), "the dump holds what the database holds");
    let secrets = [
        &alice.password,
        app.secret(),
        chosen.secret(),
        &code,
        &pending,
        &first.access,
        first.refresh(),
        &second.access,
        second.refresh(),
        &own.access,
        VERIFIER,
        &devices[0].device_code,
        &devices[0].user_code,
        &devices[1].device_code,
        &devices[1].user_code,
        &typed_bare,
        &confirmation.1,
    ];
    for secret in secrets {
        let hex = hex(secret);
        let without_prefix = secret.get(4..).filter(|rest| rest.len() > 8).unwrap_or(secret);
        for spelling in [secret, without_prefix, &hex, STANDARD.encode(secret).trim_end_matches('=')] {
            assert!(!has(spelling), "{secret} can be read in the database");
        }
    }
}

async fn every_value_is_new(world: World) {
    let app = world.application().create().await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..50 {
        let token = world.client_credentials(&app).await.tokens().access;
        let random = token.strip_prefix("tga_").unwrap().to_owned();
        assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{token}");
        assert!(seen.insert(random[..8].to_owned()), "no part of it counts up or tells the time: {token}");
    }
}

}
