//! `tegata check`, while a server runs.

use serde_json::{Value, json};

use crate::world::{Printed, World};

async fn check(world: &World, options: &[&str]) -> Printed {
    world
        .command(
            &[&["check", "--json", "--rate-limits", "true"], options].concat(),
            "",
        )
        .await
}

/// Application, setting and value of all that is listed.
fn listed(printed: &Printed) -> Value {
    let found: Value = serde_json::from_str(&printed.stdout).unwrap();
    let short = found
        .as_array()
        .unwrap()
        .iter()
        .map(|departure| json!([departure["application"], departure["setting"], departure["value"]]));
    short.collect()
}

on_each_database! {

async fn a_server_that_departs_in_nothing_passes_even_strictly(world: World) {
    world.application().require_pkce().create().await;
    for options in [&[][..], &["--strict"]] {
        assert_eq!(check(&world, options).await.json(), json!([]), "{options:?}");
    }
    let plain = world.command(&["check", "--rate-limits", "true"], "").await;
    assert_eq!((plain.exit, plain.stdout.lines().count()), (0, 1), "{plain:?}");
}

async fn what_departs_is_listed_the_servers_first_and_only_strictly_it_fails(world: World) {
    world.application().client_id("b-trusted").trusted().require_pkce().create().await;
    world.application().client_id("a-native").public().redirect_uri("com.example.app:/callback").create().await;
    let expected = json!([
        [null, "access_token_ttl", "2h"],
        ["a-native", "redirect_uris", "com.example.app:/callback"],
        ["b-trusted", "trusted", "true"],
    ]);
    let told = check(&world, &["--access-token-ttl", "2h"]).await;
    assert_eq!((told.exit, listed(&told)), (0, expected.clone()), "{told:?}");
    let strict = check(&world, &["--access-token-ttl", "2h", "--strict"]).await;
    assert_eq!((strict.exit, listed(&strict)), (1, expected), "{strict:?}");
    assert!(strict.stderr.contains("3 departures"), "{strict:?}");
    let plain = world.command(&["check"], "").await;
    for words in ["this server: rate_limits = false", "application b-trusted: trusted = true", "RFC 6749 §10.2"] {
        assert!(plain.stdout.contains(words), "{words}: {plain:?}");
    }
}

async fn a_chosen_secret_is_listed_and_never_shown(world: World) {
    let secret = "correct horse battery staple and more of it";
    let app = world.application().require_pkce().chosen_secret(secret).create().await;
    let told = check(&world, &[]).await;
    assert_eq!(listed(&told), json!([[app.client_id, "client_secret", "chosen by a person"]]));
    assert!(!told.stdout.contains(secret), "{told:?}");
}

async fn pkce_that_the_server_asks_of_all_is_not_missed_on_an_application(world: World) {
    let app = world.application().create().await;
    let lax = json!([[app.client_id, "require_pkce", "false"]]);
    assert_eq!(listed(&check(&world, &[]).await), lax);
    assert_eq!(check(&world, &["--require-pkce", "true"]).await.json(), json!([]));
}

async fn each_application_is_listed_by_itself_whatever_secrets_it_has(world: World) {
    for name in ["one", "two"] {
        world.application().client_id(name).require_pkce().trusted().create().await;
        world.command(&["application", "rotate-secret", name, "--json"], "").await.json();
    }
    let trusted = json!([["one", "trusted", "true"], ["two", "trusted", "true"]]);
    assert_eq!(listed(&check(&world, &[]).await), trusted);
    world.command(&["application", "disable", "one", "--json"], "").await.json();
    assert_eq!(listed(&check(&world, &[]).await), json!([["two", "trusted", "true"]]), "the disabled harm nobody");
    world.command(&["application", "delete", "one", "--json"], "").await.json();
    assert_eq!(listed(&check(&world, &[]).await), json!([["two", "trusted", "true"]]), "the deleted are gone");
}

}
