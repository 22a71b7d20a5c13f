//! The sweeper at work on a great deal, while the server works on.

use tegata::flow::sweep;

use crate::world::{World, at_once, meanwhile};

const EXPIRED: u64 = 1_000_000;
/// What a round in the background deletes at most: forty statements of five hundred rows.
const ROUND: u64 = 40 * 500;

/// Inserts [`EXPIRED`] tokens of the world's one application; they ended one after the other, in January 2020.
fn expired(world: &World) -> String {
    let (hash, created, expires, numbers) = if world.is_on_sqlite() {
        (
            "randomblob(32)",
            "strftime('%Y-%m-%dT%H:%M:%SZ', 1577836800 + i, 'unixepoch')",
            "strftime('%Y-%m-%dT%H:%M:%SZ', 1577840400 + i, 'unixepoch')",
            format!(
                "(WITH RECURSIVE counted (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted WHERE i < {EXPIRED})
                  SELECT i FROM counted)"
            ),
        )
    } else {
        (
            "sha256(int8send(i))",
            "to_timestamp(1577836800 + i)",
            "to_timestamp(1577840400 + i)",
            format!("generate_series(1, {EXPIRED}) AS numbers (i)"),
        )
    };
    format!(
        "INSERT INTO access_tokens (hash, application_id, scopes, created_at, expires_at, resources)
         SELECT {hash}, applications.id, '[\"read\"]', {created}, {expires}, '[]' FROM applications, {numbers}"
    )
}

on_each_database! {

async fn a_million_expired_tokens_go_while_others_are_issued(world: World) {
    let app = world.application().create().await;
    // The store's connections are made before: how long that takes is not the question here.
    at_once(20, |_| world.client_credentials(&app).into_future()).await;
    let before = world.count("access_tokens").await;
    assert_eq!(world.change_rows(&expired(&world)).await, EXPIRED);
    let issue = {
        let (world, app) = (world.clone(), app.clone());
        move |_| {
            let (world, app) = (world.clone(), app.clone());
            async move { world.client_credentials(&app).await.tokens().access }
        }
    };
    let (mut by_rounds, mut by_command) = (0, 0);
    let sweeping = Box::pin(async {
        let server = world.app().await;
        while by_rounds < EXPIRED / 2 {
            let deleted = sweep::round(&server).await.unwrap();
            assert!((1..=ROUND).contains(&deleted), "{deleted}");
            by_rounds += deleted;
        }
        by_command = world.command(&["sweep", "--json"], "").await.json()["deleted"].as_u64().unwrap();
    });
    let issued = meanwhile(4, issue, sweeping).await;
    assert!(by_command > 0 && by_rounds + by_command <= EXPIRED, "no row goes twice");
    let living = i64::try_from(issued.len()).unwrap() + before;
    assert_eq!(world.count("access_tokens").await, living, "all of the old have gone, and none of the new");
    for token in [&issued[0], issued.last().unwrap()] {
        assert!(world.is_active(&app, token).await);
    }
}

}
