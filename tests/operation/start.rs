//! Starting: the ready line, and what is refused before it.

use std::process::Output;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use super::process::{Process, command};
use crate::world::World;

async fn refused(world: &World, arguments: &[&str]) -> String {
    let command = command(world, arguments);
    let output: Output = tokio::task::spawn_blocking(move || { command }.output().unwrap())
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(output.stdout, b"", "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// Runs one statement on the store, beside Tegata.
async fn execute(world: &World, statement: &'static str) {
    let url = &world.database_url;
    if url.starts_with("sqlite:") {
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
    }
}

on_each_database! {

async fn the_ready_line_is_all_of_stdout(world: World) {
    let mut process = Process::start(&world, &[]).await;
    let issuer = process.world.base_url.clone();
    let port = issuer.rsplit(':').next().unwrap().to_owned();
    assert_eq!(issuer, format!("http://localhost:{port}"));
    let expected = format!(
        "{{\"event\":\"ready\",\"listen\":\"127.0.0.1:{port}\",\"issuer\":\"{issuer}\",\"pid\":{}}}\n",
        process.pid()
    );
    assert_eq!(process.ready, expected);
    assert_eq!(process.world.get("/readyz").await.status, 200);
    process.kill();
}

async fn a_start_with_a_grant_of_old_warns_once_and_says_why(world: World) {
    for (grants, named) in [
        ("authorization_code,refresh_token,client_credentials,device_code", None),
        ("authorization_code,implicit", Some("implicit")),
        ("password", Some("password")),
        ("implicit,authorization_code,password", Some("password,implicit")),
    ] {
        let process = Process::start(&world, &["--grants", grants, "--log-format", "json"]).await;
        process.signal("TERM");
        let (_, log) = process.ended().await;
        let warnings: Vec<_> = log.lines().filter(|line| line.contains("RFC 9700")).collect();
        assert_eq!(warnings.len(), usize::from(named.is_some()), "{grants}: {log}");
        let Some(named) = named else { continue };
        let warning: Value = serde_json::from_str(warnings[0]).unwrap();
        assert_eq!(warning["level"], "WARN", "{warning}");
        assert!(warnings[0].contains(&format!("\"{named}\"")), "{warning}");
    }
}

async fn a_port_in_use_is_said_in_one_line(world: World) {
    let mut process = Process::start(&world, &[]).await;
    let json: Value = serde_json::from_str(&process.ready).unwrap();
    let listen = json["listen"].as_str().unwrap();
    let told = refused(&world, &["--listen", listen]).await;
    let line = told.lines().find(|line| line.contains("cannot listen on")).expect("the fault is said");
    assert!(line.contains(listen) && line.contains("--listen"), "{line}");
    assert_eq!(process.world.get("/readyz").await.status, 200, "the first goes on");
    process.kill();
}

with("tls" = "on")
async fn authorities_that_cannot_be_read_are_a_fault_of_their_setting_for_who_serves(world: World) {
    let database = format!("sqlite://{}", world.folder().join("fresh.db").display());
    let own = ["serve", "--listen", "127.0.0.1:0", "--tls-client-ca", "none.pem", "--database-url", &database];
    let told = world.command(&own, "").await.stderr;
    let line = told.lines().last().unwrap();
    assert!(line.contains("tls_client_ca: none.pem") && !line.contains("database_url"), "{told}");
    assert!(!world.folder().join("fresh.db").exists(), "the store is not touched");
    let listed = world.command(&["user", "list", "--tls-client-ca", "none.pem"], "").await;
    assert_eq!(listed.exit, 0, "{listed:?}");
}

async fn all_faults_of_the_settings_are_told_at_once(world: World) {
    std::fs::write(world.folder().join("tegata.toml"), "sesion_ttl = \"1h\"\nrequire_pkce = \"perhaps\"\n").unwrap();
    let told = refused(&world, &["--access-token-ttl", "soon", "--listen", "", "--public-url", "http://example.com"]).await;
    for name in ["sesion_ttl", "require_pkce", "access_token_ttl", "listen", "public_url"] {
        assert!(told.lines().any(|line| line.starts_with(name) || line.contains(&format!("{name} ="))), "{name}: {told}");
    }
    assert!(told.contains("tegata.toml") && told.contains("--access-token-ttl"), "where from: {told}");
}

async fn a_database_of_somebody_else_is_refused(world: World) {
    world.stop().await;
    if world.database_url.starts_with("sqlite:") {
        execute(&world, "ALTER TABLE tegata_migrations RENAME TO their_migrations").await;
    } else {
        execute(&world, "DROP TABLE tegata_migrations").await;
    }
    let told = refused(&world, &["migrate"]).await;
    assert!(told.contains("not Tegata's"), "{told}");
    let told = refused(&world, &[]).await;
    assert!(told.contains("not Tegata's") && told.contains("TEGATA_DATABASE_URL"), "{told}");
}

async fn a_newer_schema_is_refused(world: World) {
    world.stop().await;
    execute(
        &world,
        "INSERT INTO tegata_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', true, '', 0)",
    )
    .await;
    let told = refused(&world, &[]).await;
    assert!(told.contains("9999") && told.contains("newer Tegata"), "{told}");
}

async fn migrating_twice_changes_nothing(world: World) {
    for _ in 0..2 {
        assert_eq!(world.command(&["migrate", "--json"], "").await.json(), json!({"migrated": true}));
    }
    assert_eq!(world.get("/readyz").await.status, 200, "a running server goes on");
}

}

#[cfg(unix)]
#[test]
fn a_new_sqlite_file_and_its_log_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    crate::world::run(crate::world::Database::Sqlite, &[], |world| async move {
        let mode = |path: &str| {
            let path = world.folder().join(path);
            let metadata =
                std::fs::metadata(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            metadata.permissions().mode() & 0o777
        };
        let mut process = Process::start(&world, &["--database-url", "sqlite://data/deeper/tegata.db"]).await;
        process.world.get("/login").await;
        for folder in ["data", "data/deeper"] {
            assert_eq!(mode(folder), 0o700, "{folder}");
        }
        for file in ["tegata.db", "tegata.db-wal", "tegata.db-shm"] {
            assert_eq!(mode(&format!("data/deeper/{file}")), 0o600, "{file}");
        }
        process.kill();

        // Also in a folder that others may enter.
        let shared = world.folder().join("shared");
        std::fs::create_dir(&shared).unwrap();
        std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o755)).unwrap();
        let printed = world
            .command(&["migrate", "--database-url", "sqlite://shared/tegata.db"], "")
            .await;
        assert_eq!(printed.exit, 0, "{printed:?}");
        assert_eq!((mode("shared"), mode("shared/tegata.db")), (0o755, 0o600));
    });
}
