//! Another program holds the SQLite file (a backup, a person at a prompt) for longer than we wait.

use std::time::{Duration, Instant};

use sqlx::{Connection, SqliteConnection};
use tokio::time::timeout;

use crate::world::{Ask, Database, World, at_once};

/// The two seconds that a write waits, and what a loaded machine needs beside.
const PATIENCE: Duration = Duration::from_secs(6);
/// Less than a write waits: clients with this patience leave in the midst of it.
const HASTE: Duration = Duration::from_millis(500);

async fn hold(world: &World) -> SqliteConnection {
    let mut connection = SqliteConnection::connect(&world.database_url).await.unwrap();
    sqlx::query("BEGIN EXCLUSIVE")
        .execute(&mut connection)
        .await
        .unwrap();
    connection
}

async fn let_go(mut connection: SqliteConnection) {
    sqlx::query("ROLLBACK").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[test]
fn writes_wait_and_are_sent_away_while_reads_are_answered() {
    crate::world::run(Database::Sqlite, &[], |world| async move {
        let alice = world.user("alice").await;
        let app = world.application().create().await;
        let browser = world.signed_in(&alice).await;
        let code = browser
            .authorize(&Ask::of(&app).with("scope", "read write"))
            .await
            .code();
        let tokens = world.redeem(&app, &code).await.tokens();
        let lock = hold(&world).await;

        let started = Instant::now();
        let writes = [
            world.refresh(&app, tokens.refresh()),
            world.client_credentials(&app),
            world.revoke(tokens.refresh()).by(&app),
            world
                .request("POST", "/api/memos")
                .bearer(&tokens.access)
                .json(&serde_json::json!({"message": "a"})),
        ];
        let writes: Vec<_> = writes
            .into_iter()
            .map(|write| tokio::spawn(write.into_future()))
            .collect();
        assert!(world.is_active(&app, &tokens.access).await, "reads go on");
        assert_eq!(world.memos(&tokens.access).await.status, 200);
        assert_eq!(world.get("/healthz").await.status, 200);
        assert!(
            started.elapsed() < Duration::from_secs(1),
            "and do not wait for the writes"
        );
        for write in writes {
            let answer = write.await.unwrap();
            assert_eq!(answer.status, 503, "{answer}");
        }
        assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());

        let_go(lock).await;
        let next = world.refresh(&app, tokens.refresh()).await.tokens();
        assert!(
            world.is_active(&app, &next.access).await,
            "the refresh token was not lost"
        );
    });
}

#[test]
fn a_lock_that_is_let_go_in_time_is_not_noticed() {
    crate::world::run(Database::Sqlite, &[], |world| async move {
        let app = world.application().create().await;
        let lock = hold(&world).await;
        let waiting = tokio::spawn(world.client_credentials(&app).into_future());
        assert_eq!(world.get("/readyz").await.status, 200);
        let_go(lock).await;
        waiting.await.unwrap().tokens();
    });
}

#[test]
fn many_writers_and_readers_get_in_nobodys_way() {
    crate::world::run(Database::Sqlite, &[], |world| async move {
        let alice = world.user("alice").await;
        let app = world.application().create().await;
        let tokens = world.tokens(&alice, &app).await;
        let answers = at_once(100, |number| {
            let (reading, writing) = (world.memos(&tokens.access), world.client_credentials(&app));
            async move {
                if number % 2 == 0 {
                    reading.await
                } else {
                    writing.await
                }
            }
        })
        .await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
        let command = world.command(&["user", "create", "bob", "--json"], "").await;
        assert_eq!(command.exit, 0, "{command:?}");
    });
}

#[test]
fn a_file_that_was_replaced_is_not_served_from() {
    crate::world::run(Database::Sqlite, &[], |world| async move {
        let path = world.database_url.strip_prefix("sqlite://").unwrap().to_owned();
        assert_eq!(world.get("/readyz").await.status, 200);
        std::fs::rename(&path, format!("{path}.old")).unwrap();
        assert_eq!(world.get("/readyz").await.status, 503, "the file is gone");
        std::fs::write(&path, b"").unwrap();
        assert_eq!(world.get("/readyz").await.status, 503, "another file is there");
        assert_eq!(world.get("/healthz").await.status, 200);
    });
}

#[test]
fn who_hangs_up_while_the_file_is_held_leaves_nothing_behind() {
    crate::world::run(Database::Sqlite, &[], |world| async move {
        let alice = world.user("alice").await;
        let app = world.application().create().await;
        let tokens = world.tokens(&alice, &app).await;
        let code = world.code(&alice, &app).await;
        for _ in 0..2 {
            let lock = hold(&world).await;
            let waiting: Vec<_> = (0..40)
                .flat_map(|_| {
                    [
                        world.redeem(&app, &code),
                        world.refresh(&app, tokens.refresh()),
                        world.client_credentials(&app),
                    ]
                })
                .map(|request| tokio::spawn(timeout(HASTE, request.into_future())))
                .collect();
            for client in waiting {
                assert!(client.await.unwrap().is_err(), "it was answered");
            }
            let_go(lock).await;
            let started = Instant::now();
            for answer in at_once(20, |_| world.client_credentials(&app).into_future()).await {
                answer.tokens();
            }
            assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
        }
        let tokens_now = world.number("SELECT count(*) FROM access_tokens").await;
        assert!(
            (41..=43).contains(&tokens_now),
            "{tokens_now}: of those who left, one each time may have had its one statement on its way"
        );
        world.redeem(&app, &code).await.tokens();
        world.refresh(&app, tokens.refresh()).await.tokens();
    });
}
