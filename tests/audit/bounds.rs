//! What failures leave behind, and for how long anything stays.

use serde_json::json;
use tegata::flow::sweep;

use super::{log, named, parties, searched, the};
use crate::world::{World, at_once};

const DAY: i64 = 24 * 3600;

on_each_database! {

with("rate_limits" = "true")
async fn failed_and_throttled_sign_ins_are_counted(world: World) {
    let alice = world.user("alice").await;
    let before = log(&world).await.len();
    for _ in 0..5 {
        assert_eq!(world.browser().try_to_sign_in("alice", "wrong").await.status, 422);
    }
    for _ in 0..3 {
        assert_eq!(world.browser().try_to_sign_in("ALICE", &alice.password).await.status, 429);
    }
    let last = world.browser().try_to_sign_in("nobody", "wrong").await;
    let told = log(&world).await;
    assert_eq!(told.len() - before, 3, "{told:#?}");
    let [known, unknown] = named(&told, "sign_in_failed")[..] else { panic!("{told:#?}") };
    assert_eq!((parties(known), &known["detail"]["count"]), ("anonymous on alice".to_owned(), &json!(5)));
    assert_eq!((parties(unknown), &unknown["detail"]), ("anonymous".to_owned(), &json!({"count": 1})));
    assert_eq!(unknown["request_id"], last.header("x-request-id"));
    let throttled = the(&told, "sign_in_throttled");
    assert_eq!((parties(throttled), &throttled["detail"]["count"]), ("anonymous on alice".to_owned(), &json!(3)));
    for event in [known, unknown, throttled] {
        assert_eq!((&event["outcome"], &event["address"]), (&json!("failure"), &json!("127.0.0.1")));
    }
}

with("grants" = "password,client_credentials")
async fn a_wrong_password_by_the_password_grant_is_a_failed_sign_in(world: World) {
    world.user("alice").await;
    let app = world.application().client_id("app").grant("password").create().await;
    let wrong = [("grant_type", "password"), ("username", "alice"), ("password", "wrong")];
    world.token(&wrong).by(&app).await.refused(400, "invalid_grant");
    assert_eq!(parties(the(&log(&world).await, "sign_in_failed")), "anonymous on alice of app");
}

async fn what_goes_on_is_one_event_an_hour(world: World) {
    let app = world.application().client_id("app").create().await;
    let guess = || async {
        for _ in 0..50 {
            let guessed = world.token(&[("grant_type", "client_credentials")]).basic("app", "wrong").await;
            guessed.refused(401, "invalid_client");
        }
    };
    guess().await;
    log(&world).await;
    world.clock.advance(600);
    guess().await;
    let told = log(&world).await;
    let event = the(&told, "client_authentication_failed");
    assert_eq!(parties(event), "anonymous of app");
    assert_eq!((&event["detail"]["count"], &event["detail"]["reason"]), (&json!(100), &json!("secret_wrong")));
    assert!(event["detail"]["last_at"].as_str() > event["at"].as_str(), "{event}");
    world.clock.advance(3600);
    log(&world).await;
    guess().await;
    let counts: Vec<_> = named(&log(&world).await, "client_authentication_failed")
        .iter()
        .map(|event| event["detail"]["count"].clone())
        .collect();
    assert_eq!(counts, [100, 50]);
    world.client_credentials(&app).await.tokens();
}

with("trusted_proxies" = "127.0.0.1")
async fn a_flood_from_everywhere_does_not_fill_the_log(world: World) {
    const FLOOD: usize = 900;
    let app = world.application().create().await;
    at_once(3, |task| {
        let world = world.clone();
        async move {
            for number in 0..FLOOD / 3 {
                let (a, b) = (number / 250, number % 250);
                let from = format!("10.{task}.{a}.{b}");
                let request = world.token(&[("grant_type", "client_credentials")]).basic("nobody", "wrong");
                request.header("X-Forwarded-For", &from).await.refused(401, "invalid_client");
            }
        }
    })
    .await;
    let told = log(&world).await;
    let failures = named(&told, "client_authentication_failed");
    assert!(failures.len() <= 257, "{}", failures.len());
    let counted: u64 = failures.iter().map(|event| event["detail"]["count"].as_u64().unwrap()).sum();
    assert_eq!(counted, FLOOD as u64, "none is lost");
    let others: Vec<_> = failures.iter().filter(|event| event["address"].is_null()).collect();
    assert_eq!(others.len(), 1, "the rest is one event");
    world.client_credentials(&app).await.tokens();
}

with("trusted_proxies" = "127.0.0.1")
async fn one_host_with_a_whole_network_is_one_event(world: World) {
    for host in 1..=20 {
        let request = world.token(&[("grant_type", "client_credentials")]).basic("nobody", "wrong");
        request.header("X-Forwarded-For", &format!("2001:db8:0:1::{host:x}")).await.refused(401, "invalid_client");
    }
    let told = log(&world).await;
    let event = the(&told, "client_authentication_failed");
    assert_eq!((&event["address"], &event["detail"]["count"]), (&json!("2001:db8:0:1::/64"), &json!(20)));
    for address in ["2001:db8:0:1::7", "2001:DB8:0:1:0:0:0:7", "2001:db8:0:1::/64"] {
        assert_eq!(searched(&world, &["--address", address]).await.len(), 1, "{address}");
    }
    assert!(searched(&world, &["--address", "2001:db8:0:2::7"]).await.is_empty());
}

async fn what_was_counted_is_written_when_the_server_stops(world: World) {
    world.browser().try_to_sign_in("nobody", "wrong").await;
    world.restart().await;
    the(&log(&world).await, "sign_in_failed");
}

with("audit_log_ttl" = "30d")
async fn the_log_is_kept_for_its_time_and_swept_by_the_batch(world: World) {
    let alice = world.user("alice").await;
    world.change_rows("DELETE FROM audit_events").await;
    world.signed_in(&alice).await;
    let (id, at) = if world.is_on_sqlite() {
        ("unhex(printf('%032d', i))", "'2020-01-01T00:00:00Z'")
    } else {
        ("CAST(lpad(CAST(i AS TEXT), 32, '0') AS UUID)", "TIMESTAMPTZ '2020-01-01T00:00:00Z'")
    };
    let made = world
        .change_rows(&format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1234)
             INSERT INTO audit_events (id, at, event, actor, detail)
             SELECT {id}, {at}, 'signed_in', 'system', '{{}}' FROM n"
        ))
        .await;
    assert_eq!(made, 1234);
    let app = world.app().await;
    assert_eq!(sweep::round(&app).await.unwrap(), 1234);
    world.clock.advance(30 * DAY);
    sweep::round(&app).await.unwrap();
    assert_eq!(world.count("audit_events").await, 1, "to the last second");
    world.clock.advance(1);
    sweep::round(&app).await.unwrap();
    assert_eq!(world.count("audit_events").await, 0);
}

}
