//! `tegata doctor` as it is run, on servers of this house.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::stranger::Stranger;
use crate::world::{Printed, World};

/// Runs the command in an environment of its own; what it trusts is named there.
async fn doctor(arguments: &[&str], authority: Option<&str>, input: &str) -> Printed {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tegata"));
    command.arg("doctor").args(arguments).env_clear();
    command.envs(authority.map(|file| ("SSL_CERT_FILE", file)));
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let input = input.to_owned();
    let run = move || {
        use std::io::Write;
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    Printed {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The rules that are not kept, with their outcomes.
fn not_kept(report: &Value) -> Vec<(String, String)> {
    let steps = report["steps"].as_array().unwrap();
    let checks = steps.iter().flat_map(|step| step["checks"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let not_kept = checks.filter(|check| check["outcome"] != "pass");
    not_kept
        .map(|check| (text(&check["rule"]), text(&check["outcome"])))
        .collect()
}

on_each_database! {

async fn this_server_keeps_every_rule_with_a_public_client(world: World) {
    let app = world.application().public().client_id("native")
        .grant("authorization_code").grant("refresh_token")
        .grant("urn:ietf:params:oauth:grant-type:device_code").create().await;
    let arguments = [&*world.base_url, "--json", "--client-id", "native", "--redirect-uri", app.redirect_uri(),
        "--scope", "read"];
    let printed = doctor(&arguments, None, "").await;
    let report = printed.json();
    assert_eq!(not_kept(&report), [], "{}", printed.stdout);
    assert!(report["passed"].as_u64().unwrap() > 60, "{}", printed.stdout);
}

async fn this_server_keeps_every_rule_with_a_secret(world: World) {
    let app = world.application().require_pkce().create().await;
    let arguments = [&*world.base_url, "--json", "--client-id", &app.client_id, "--redirect-uri", app.redirect_uri(),
        "--client-secret-stdin"];
    let printed = doctor(&arguments, None, app.secret()).await;
    assert_eq!(printed.exit, 0, "{printed:?}");
    let unauthorized = ("device_codes".to_owned(), "not_tried".to_owned());
    assert_eq!(not_kept(&printed.json()), [unauthorized], "{}", printed.stdout);
    assert!(!printed.stdout.contains(app.secret()) && !printed.stdout.contains("tga_"), "{}", printed.stdout);
}

async fn from_our_resource_and_under_a_path_the_walk_is_the_same(world: World) {
    let world = world.under("/auth").await;
    let memos = format!("{}/api/memos", world.base_url);
    for target in [&*world.base_url, &memos] {
        let printed = doctor(&[target, "--json"], None, "").await;
        let report = printed.json();
        assert!(not_kept(&report).iter().all(|(_, outcome)| outcome == "not_tried"), "{}", printed.stdout);
        let rules = printed.stdout.as_str();
        assert!(rules.contains("resource_is_the_one_asked") && rules.contains("issuer_is_the_one_asked"), "{rules}");
    }
}

with("tls" = "on")
async fn over_tls_the_authority_has_to_be_known(world: World) {
    let authority = world.authority_file();
    let trusting = doctor(&[&*world.base_url, "--json"], authority.to_str(), "").await;
    assert_eq!(trusting.exit, 0, "{trusting:?}");
    let other = doctor(&[&world.base_url], None, "").await;
    assert_eq!(other.exit, 1, "{other:?}");
    assert!(other.stdout.contains("UnknownIssuer") && other.stdout.contains("SSL_CERT_FILE"), "{other:?}");
}

}

#[tokio::test]
async fn what_is_broken_is_exit_1_with_the_section_the_side_and_the_mend() {
    let stranger = Stranger::wrong(|asked, reply| {
        if asked.is("/.well-known/oauth-authorization-server") {
            reply.json["registration_endpoint"] = Value::Null;
        }
    })
    .await;
    let printed = doctor(&[&stranger.base], None, "").await;
    assert_eq!(printed.exit, 1, "{printed:?}");
    assert_eq!(printed.stderr.lines().count(), 1, "{printed:?}");
    for words in [
        "FAIL  No member of the metadata is null. [RFC 8414 §3.2; metadata_no_null]",
        "saw: registration_endpoint",
        "whose: the authorization server",
        "mend: Leave out what is not there",
        "not tried: it takes a client",
        "1 broken",
    ] {
        assert!(printed.stdout.contains(words), "{words}: {}", printed.stdout);
    }
    let json = doctor(&[&*stranger.base, "--json"], None, "").await;
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.exit, &report["failed"]), (1, &Value::from(1)), "{json:?}");
}

#[tokio::test]
async fn it_needs_no_store_and_no_settings_and_a_web_address() {
    let stranger = Stranger::sound().await;
    let printed = doctor(&[&stranger.base], None, "").await;
    assert_eq!((printed.exit, printed.stderr.as_str()), (0, ""), "{printed:?}");
    let refused = doctor(&["id.example"], None, "").await;
    assert_eq!((refused.exit, refused.stdout.as_str()), (1, ""), "{refused:?}");
}
