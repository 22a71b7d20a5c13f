//! Secrets that must be read again rest sealed: under a file beside the database, not in it.

use std::fmt::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tegata::base::clock::Clock;
use tegata::base::config::{Config, Sources};
use tegata::base::entropy::Entropy;
use tegata::flow::App;
use tokio::runtime::Handle;

use crate::world::{Consumer, Keys, World};

const CALLBACK: &str = "https://client.example/cb";
const ME: &str = "/account/verify_credentials.json";

fn key_file(world: &World) -> PathBuf {
    world.folder().join("sealing.key")
}

/// Assembles another node on the same store with a key file of its own, and gives what it says to that.
async fn another_node(world: &World, file: &std::path::Path) -> Result<(), String> {
    let flags = [
        ("database_url", world.database_url.clone()),
        ("oauth1", "true".to_owned()),
        ("sealing_key_file", file.display().to_string()),
    ];
    let flags = flags.map(|(name, value)| (name.to_owned(), value)).to_vec();
    let config = Config::load(Sources {
        flags,
        ..Sources::default()
    })
    .unwrap();
    let issuer = config.issuer(3801);
    let opened = App::open(config, Clock::System, Entropy::System, issuer).await;
    match opened {
        Ok(app) => {
            app.close().await;
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

async fn granted(world: &World) -> (Consumer, Keys) {
    let alice = world.user("alice").await;
    let consumer = Consumer::create(world, &[CALLBACK], &[]).await;
    let keys = consumer.access(world, &alice).await;
    (consumer, keys)
}

/// As if every key that is known had been so for hours.
async fn long_known(world: &World) {
    let then = if world.is_on_sqlite() {
        "strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-3 hours')"
    } else {
        "now() - interval '3 hours'"
    };
    world
        .change_rows(&format!("UPDATE sealing_keys SET first_used_at = {then}"))
        .await;
}

async fn ids(world: &World) -> i64 {
    world.count("sealing_keys").await
}

async fn works(world: &World, keys: &Keys) -> u16 {
    world.call(keys, "GET", ME).by_header().await.status
}

/// Whether `text` stands anywhere in the store.
async fn holds(world: &World, text: &str) -> bool {
    if world.is_on_sqlite() {
        let files = std::fs::read_dir(world.folder())
            .unwrap()
            .map(|file| file.unwrap().path());
        let of_the_store = files.filter(|file| file.to_str().unwrap().contains("tegata.db"));
        return of_the_store
            .map(|file| std::fs::read(file).unwrap())
            .any(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()));
    }
    for table in [
        "applications",
        "application_secrets",
        "oauth1_consumers",
        "oauth1_request_tokens",
        "oauth1_access_tokens",
        "oauth1_nonces",
        "grants",
        "audit_events",
        "sealing_keys",
    ] {
        let query = format!("SELECT count(*) FROM {table} t WHERE CAST(t AS TEXT) LIKE '%{text}%'");
        if world.number(&query).await > 0 {
            return true;
        }
    }
    false
}

on_each_database! {

with("oauth1" = "true")
async fn neither_secret_nor_token_is_in_the_store(world: World) {
    let (consumer, keys) = granted(&world).await;
    let request = consumer.request_token(&world, CALLBACK).await;
    let secrets = [&keys.consumer_secret, &keys.token_secret, &keys.token, &request.token, &request.token_secret];
    assert!(holds(&world, &keys.consumer_key).await, "everything is looked at");
    for secret in secrets {
        assert!(!holds(&world, secret).await, "a secret is in the store");
        let mut hex = String::new();
        for byte in secret.bytes() {
            write!(hex, "{byte:02x}").unwrap();
        }
        assert!(!holds(&world, &hex).await, "a secret is in the store");
    }
}

with("oauth1" = "true")
async fn a_sealed_secret_that_is_moved_to_another_row_does_not_open(world: World) {
    let (consumer, keys) = granted(&world).await;
    let other = Consumer::create(&world, &[CALLBACK], &[]).await;
    let moved = format!(
        "UPDATE oauth1_consumers SET secret_sealed =
             (SELECT x.secret_sealed FROM oauth1_consumers x WHERE x.application_id <> oauth1_consumers.application_id)
         WHERE application_id = (SELECT id FROM applications WHERE client_id = '{}')",
        other.application.client_id
    );
    assert_eq!(world.change_rows(&moved).await, 1);
    assert_eq!(works(&world, &keys).await, 200, "the first is as it was");
    let moved = Keys { consumer_secret: consumer.secret.clone(), ..other.keys() };
    let call = world.call(&moved, "POST", "/oauth/request_token").without("oauth_token").with("oauth_callback", CALLBACK);
    let answer = call.by_header().await;
    assert!([401, 503].contains(&answer.status), "{answer}");
}

with("oauth1" = "true")
async fn a_key_is_rotated_beside_a_server_that_runs(world: World) {
    let (consumer, keys) = granted(&world).await;
    long_known(&world).await;
    let rotated = world.command(&["sealing-key", "rotate", "--json"], "").await.json();
    assert_eq!((&rotated["resealed"], &rotated["unreadable"]), (&3.into(), &0.into()), "{rotated}");
    assert_eq!(rotated["unused"][0]["line"], 2, "{rotated}");
    assert_eq!(works(&world, &keys).await, 200);
    let mode = std::fs::metadata(key_file(&world)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // Without the old line the server goes on, and what it seals now rests under the new key.
    let request = consumer.request_token(&world, CALLBACK).await;
    let again = world.command(&["sealing-key", "reseal", "--json"], "").await.json();
    assert_eq!(again["resealed"], 0, "the server seals with the fresh key: {again}");
    let text = std::fs::read_to_string(key_file(&world)).unwrap();
    std::fs::write(key_file(&world), text.lines().next().unwrap()).unwrap();
    world.restart().await;
    assert_eq!(works(&world, &keys).await, 200);
    let refused = crate::world::exchange(&world, &request, "none").by_header().await;
    assert_eq!(crate::world::member(&refused, "oauth_problem"), "permission_unknown", "its secret opens");
}

with("oauth1" = "true")
async fn a_node_with_keys_of_its_own_does_not_start(world: World) {
    let (_, keys) = granted(&world).await;
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.key");
    let told = another_node(&world, &other).await.unwrap_err();
    assert!(told.contains("copy") && told.contains("other.key"), "{told}");
    assert!(!other.exists(), "none is made where the store knows another");
    tegata::base::sealing::SealingKeys::make(&other, &Entropy::System).unwrap();
    let told = another_node(&world, &other).await.unwrap_err();
    assert!(told.contains("copy"), "{told}");
    std::fs::copy(key_file(&world), &other).unwrap();
    another_node(&world, &other).await.unwrap();

    std::fs::remove_file(key_file(&world)).unwrap();
    let told = another_node(&world, &key_file(&world)).await.unwrap_err();
    assert!(told.contains("from a backup"), "{told}");
    assert!(!key_file(&world).exists());
    assert_eq!(works(&world, &keys).await, 200, "who runs goes on");
}

async fn of_nodes_that_start_at_once_with_keys_of_their_own_one_does(world: World) {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..4).map(|number| folder.path().join(format!("{number}.key"))).collect();
    let started = crate::world::at_once(4, |number| {
        let (world, file) = (world.clone(), files[number].clone());
        // The start waits for its turn at a directory without giving way to others, as a process may.
        let start = move || Handle::current().block_on(another_node(&world, &file)).is_ok();
        async move { tokio::task::spawn_blocking(start).await.unwrap() }
    })
    .await;
    assert_eq!(started.iter().filter(|started| **started).count(), 1, "{started:?}");
}

with("oauth1" = "true")
async fn a_key_file_that_others_may_read_stops_the_start_with_what_to_run(world: World) {
    std::fs::set_permissions(key_file(&world), std::fs::Permissions::from_mode(0o644)).unwrap();
    let told = another_node(&world, &key_file(&world)).await.unwrap_err();
    assert!(told.contains("chmod 600"), "{told}");
    let refused = world.command(&["application", "rotate-consumer-secret", "web"], "").await;
    assert_eq!(refused.exit, 1);
    assert!(refused.stderr.contains("chmod 600") && !refused.stderr.contains("database_url"), "{}", refused.stderr);
    std::fs::set_permissions(key_file(&world), std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = std::fs::read_to_string(key_file(&world)).unwrap();
    std::fs::write(key_file(&world), format!("{text}half-a-key\n")).unwrap();
    let told = another_node(&world, &key_file(&world)).await.unwrap_err();
    assert!(told.contains("line 2") && !told.contains("half-a-key"), "{told}");
}

async fn a_command_that_seals_nothing_neither_makes_nor_needs_the_key_file(world: World) {
    let settings = |file: &PathBuf| ["--oauth1", "true", "--sealing-key-file", file.to_str().unwrap()].map(str::to_owned);
    let file = key_file(&world);
    let run = async |command: &[&str]| {
        let own = settings(&file);
        // Before the command: `application create` has a flag of that name itself.
        let words: Vec<&str> = own.iter().map(String::as_str).chain(command.iter().copied()).collect();
        world.command(&words, "").await
    };
    let create = ["application", "create", "--name", "N", "--grant", "client_credentials"];
    for command in [&["migrate"][..], &["user", "create", "alice"], &create, &["check"]] {
        assert_eq!(run(command).await.exit, 0, "{command:?}");
        assert!(!file.exists(), "{command:?}");
        assert_eq!(ids(&world).await, 0, "{command:?}");
    }
    assert_eq!(run(&[&create[..], &["--oauth1"]].concat()).await.exit, 0);
    assert!(file.exists());
    assert_eq!(ids(&world).await, 1);
    std::fs::write(&file, "broken").unwrap();
    assert_eq!(run(&["application", "list"]).await.exit, 0);
    assert_eq!(run(&["audit"]).await.exit, 0);
}

with("oauth1" = "true")
async fn a_lost_key_under_which_nothing_rests_is_forgotten(world: World) {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.key");
    let told = another_node(&world, &other).await.unwrap_err();
    let id = told.split("sealing-key forget ").nth(1).unwrap().split('`').next().unwrap().to_owned();
    let forgotten = world.command(&["sealing-key", "forget", &id, "--json"], "").await.json();
    assert_eq!((&forgotten["forgotten"], &forgotten["given_up"]), (&id.clone().into(), &0.into()));
    another_node(&world, &other).await.unwrap();
    let again = world.command(&["sealing-key", "forget", &id], "").await;
    assert_eq!(again.exit, 1);
    assert!(again.stderr.contains(&id), "{}", again.stderr);
    let audited = world.command(&["audit", "--event", "sealing_key_forgotten", "--json"], "").await.json();
    assert_eq!(audited.as_array().unwrap().len(), 1, "{audited}");
}

with("oauth1" = "true")
async fn a_lost_key_that_seals_something_is_forgotten_where_that_is_given_up(world: World) {
    let (consumer, _) = granted(&world).await;
    std::fs::remove_file(key_file(&world)).unwrap();
    let told = another_node(&world, &key_file(&world)).await.unwrap_err();
    let id = told.split("sealing-key forget ").nth(1).unwrap().split('`').next().unwrap().to_owned();
    let refused = world.command(&["sealing-key", "forget", &id], "").await;
    assert_eq!(refused.exit, 1);
    assert!(refused.stderr.contains("3 secrets") && refused.stderr.contains("--lost"), "{}", refused.stderr);
    assert_eq!(ids(&world).await, 1);
    let forgotten = world.command(&["sealing-key", "forget", &id, "--lost"], "").await;
    assert!(forgotten.stdout.contains("rotate-consumer-secret"), "{forgotten:?}");

    world.restart().await;
    let closed = consumer.keys();
    let call = world.call(&closed, "POST", "/oauth/request_token").without("oauth_token").with("oauth_callback", CALLBACK);
    assert_eq!(call.by_header().await.status, 503, "what was given up does not open");
    let rotate = ["application", "rotate-consumer-secret", &consumer.application.client_id, "--json"];
    let fresh = world.command(&rotate, "").await.json();
    let opened = Keys { consumer_secret: fresh["consumer_secret"].as_str().unwrap().to_owned(), ..consumer.keys() };
    let call = world.call(&opened, "POST", "/oauth/request_token").without("oauth_token").with("oauth_callback", CALLBACK);
    assert_eq!(call.by_header().await.status, 200);
}

with("oauth1" = "true")
async fn a_fresh_key_is_known_before_anything_rests_under_it(world: World) {
    let consumer = Consumer::create(&world, &[CALLBACK], &[]).await;
    for keys in 2..4 {
        tegata::base::sealing::SealingKeys::put_fresh_key_first(&key_file(&world), &Entropy::System).unwrap();
        consumer.request_token(&world, CALLBACK).await;
        assert_eq!(ids(&world).await, keys);
    }
    tegata::base::sealing::SealingKeys::put_fresh_key_first(&key_file(&world), &Entropy::System).unwrap();
    Consumer::create(&world, &[CALLBACK], &[]).await;
    assert_eq!(ids(&world).await, 4);
}

with("oauth1" = "true")
async fn a_key_of_the_last_hour_is_not_forgotten(world: World) {
    granted(&world).await;
    let rotated = world.command(&["sealing-key", "rotate", "--json"], "").await.json();
    assert_eq!(rotated["unused"].as_array().unwrap().len(), 0, "{rotated}");
    assert_eq!(ids(&world).await, 2);
    long_known(&world).await;
    let again = world.command(&["sealing-key", "reseal", "--json"], "").await.json();
    assert_eq!(again["unused"].as_array().unwrap().len(), 1, "{again}");
    assert_eq!(ids(&world).await, 1);
}

async fn nothing_is_to_be_resealed_where_oauth_1_is_off(world: World) {
    let refused = world.command(&["sealing-key", "rotate"], "").await;
    assert_eq!(refused.exit, 1);
    assert!(refused.stderr.contains("oauth1 = true"), "{}", refused.stderr);
}

}
