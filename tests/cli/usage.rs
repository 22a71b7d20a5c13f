//! Wrong usage, wrong settings, and where a setting comes from.

use serde_json::json;

use crate::world::World;

on_each_database! {

async fn wrong_usage_is_exit_2_and_prints_nothing(world: World) {
    for arguments in [
        &["nonsense"][..],
        &["user"],
        &["user", "create"],
        &["user", "create", "a", "b"],
        &["user", "list", "--nonsense"],
        &["application", "create"],
        &["application", "show"],
        &["token"],
        &["sweep", "now"],
        &["user", "create", ""],
    ] {
        let arguments = [arguments, &["--json"]].concat();
        let printed = world.command(&arguments, "").await;
        assert_eq!((printed.exit, printed.stdout.as_str()), (2, ""), "{arguments:?}: {printed:?}");
        assert!(!printed.stderr.is_empty(), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["user", "--help"], &["--version"]] {
        let printed = world.command(arguments, "").await;
        assert_eq!(printed.exit, 0, "{printed:?}");
        assert!(printed.stdout.to_lowercase().contains("tegata"), "{printed:?}");
    }
}

async fn wrong_settings_are_exit_1_all_at_once(world: World) {
    let arguments = ["user", "list", "--json", "--session-ttl", "never", "--grants", "nonsense", "--scopes", ""];
    let printed = world.command(&arguments, "").await;
    assert_eq!((printed.exit, printed.stdout.as_str()), (1, ""), "{printed:?}");
    for name in ["session_ttl", "grants", "scopes"] {
        assert!(printed.stderr.lines().any(|line| line.contains(name)), "{name}: {printed:?}");
    }
}

async fn a_setting_may_stand_before_or_after_the_command(world: World) {
    for arguments in [
        ["--log", "warn", "user", "list", "--json"],
        ["user", "--log", "warn", "list", "--json"],
        ["--json", "user", "list", "--log", "warn"],
    ] {
        assert_eq!(world.command(&arguments, "").await.json(), json!([]), "{arguments:?}");
    }
}

async fn a_flag_beats_the_environment_and_the_environment_beats_the_file(world: World) {
    let file = world.folder().join("own.toml");
    std::fs::write(&file, "access_token_ttl = \"soon\"\n").unwrap();
    let config = file.to_str().unwrap();
    let told = world.command(&["user", "list", "--config", config], "").await;
    assert_eq!(told.exit, 1, "{told:?}");
    assert!(told.stderr.contains("own.toml"), "{told:?}");
    let beaten = ["user", "list", "--json", "--config", config, "--access-token-ttl", "5m"];
    assert_eq!(world.command(&beaten, "").await.json(), json!([]));
    let missing = world.command(&["user", "list", "--config", "missing.toml"], "").await;
    assert_eq!(missing.exit, 1, "{missing:?}");
    assert!(missing.stderr.contains("missing.toml"), "{missing:?}");
}

async fn a_store_that_cannot_be_reached_is_exit_1(world: World) {
    for url in ["postgres://nobody@127.0.0.1:1/nothing", "sqlite:///proc/nothing/tegata.db", "mysql://localhost/x", ""] {
        let printed = world.command(&["user", "list", "--json", "--database-url", url], "").await;
        assert_eq!((printed.exit, printed.stdout.as_str()), (1, ""), "{url}: {printed:?}");
        assert!(printed.stderr.contains("database_url"), "{url}: {printed:?}");
    }
    let secret = "postgres://tegata:hush-hush@127.0.0.1:1/nothing";
    let printed = world.command(&["user", "list", "--database-url", secret], "").await;
    assert!(!printed.stderr.contains("hush-hush"), "a password in the URL is not shown: {printed:?}");
}

}
