//! A family of ten thousand refresh tokens costs no more statements than a family of two: not a replay, not a
//! storm of them, not a revocation.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::Process;
use crate::world::{Answer, Application, Tokens, World, at_once};

const MEMBERS: u64 = 10_000;
/// Row by row it would be half a million statements.
const STORM: Duration = Duration::from_secs(10);

/// Two refresh tokens, the older of which was used; and between them `more` that were used too.
async fn family(process: &Process, name: &str, app: &Application, more: u64) -> (Tokens, Tokens) {
    let alice = process.world.user(name).await;
    let first = process.world.tokens(&alice, app).await;
    if more > 0 {
        let hash = if process.world.is_on_sqlite() {
            format!("CAST(printf('%s-%d', '{name}', n.i) AS BLOB)")
        } else {
            format!("convert_to('{name}-' || n.i, 'UTF8')")
        };
        let grown = process
            .world
            .change_rows(&format!(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {more})
                 INSERT INTO refresh_tokens
                     (hash, grant_id, parent_hash, scopes, created_at, expires_at, used_at, retry_count)
                 SELECT {hash}, r.grant_id, r.hash, r.scopes, r.created_at, r.expires_at, r.created_at, 0
                 FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id CROSS JOIN n
                 WHERE r.used_at IS NULL AND g.user_id = (SELECT id FROM users WHERE username = '{name}')"
            ))
            .await;
        assert_eq!(grown, more);
    }
    let second = process.world.refresh(app, first.refresh()).await.tokens();
    (first, second)
}

/// The statements that the log shows for the request that was answered so, written before the request's own
/// line; less the look at the application, which is kept for a moment.
async fn statements(process: &Process, answer: &Answer) -> Vec<String> {
    let id = answer.header("x-request-id");
    let log = process.says_in_a_line(&[id, "\"status\":"]).await;
    let lines = log.lines().filter(|line| line.contains(id));
    let records = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    records
        .filter(|record| record["message"] == "statement")
        .map(|record| record["fields"]["text"].as_str().unwrap().to_owned())
        .filter(|text| !text.contains("application_secrets"))
        .collect()
}

async fn costs_the_same(process: &Process, small: &Answer, large: &Answer) {
    let (small, large) = (statements(process, small).await, statements(process, large).await);
    assert!(
        small.iter().any(|text| text.contains("UPDATE grants")),
        "it revokes: {small:#?}"
    );
    assert_eq!(small, large);
}

on_each_database! {

async fn a_replay_and_a_revocation_cost_the_same_in_a_family_of_ten_thousand(world: World) {
    let app = world.application().create().await;
    world.stop().await;
    let log = ["--log", "info,tegata=trace", "--log-format", "json"];
    let process = Process::start(&world, &[&log[..], &["--refresh-token-retry-window", "0s"]].concat()).await;
    let seen = process.world.clone();

    let (small, _) = family(&process, "small", &app, 0).await;
    let (large, newest) = family(&process, "large", &app, MEMBERS).await;
    let small = seen.refresh(&app, small.refresh()).await;
    let answer = seen.refresh(&app, large.refresh()).await;
    small.refused(400, "invalid_grant");
    answer.refused(400, "invalid_grant");
    costs_the_same(&process, &small, &answer).await;
    assert!(!seen.is_active(&app, &newest.access).await, "the replay was recognised");

    let (_, small) = family(&process, "small2", &app, 0).await;
    let (_, large) = family(&process, "large2", &app, MEMBERS).await;
    let small = seen.revoke(small.refresh()).by(&app).await;
    let answer = seen.revoke(large.refresh()).by(&app).await;
    costs_the_same(&process, &small, &answer).await;
    assert!(!seen.is_active(&app, &large.access).await);
}

async fn a_storm_of_replays_in_a_family_of_ten_thousand_is_over_soon(world: World) {
    let app = world.application().create().await;
    world.stop().await;
    let process = Process::start(&world, &["--refresh-token-retry-window", "0s"]).await;
    let (first, newest) = family(&process, "large", &app, MEMBERS).await;
    let started = Instant::now();
    for answer in at_once(50, |_| process.world.refresh(&app, first.refresh()).into_future()).await {
        answer.refused(400, "invalid_grant");
    }
    let took = started.elapsed();
    assert!(took < STORM, "{took:?}");
    assert!(!process.world.is_active(&app, &newest.access).await);
}

}
