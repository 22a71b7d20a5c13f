//! Clients with certificates over TLS, end to end: requests-oauthlib as its documentation has it, and curl.

use std::process::{Command, Output};

use serde_json::{Value, json};

use super::python::Desk;
use crate::flows::certificates::{self, text};
use crate::form::text_of;
use crate::world::{Application, Pair, World};

fn known(application: &Value) -> Application {
    let client_id = text(&application["client_id"]);
    Application::known(client_id, None, "https://app.example/callback")
}

/// Where the script runs, with the certificate that it presents.
fn desk(world: &World, application: &Application, pair: &Pair) -> Desk {
    let authority = world.authority_file().display().to_string();
    let desk = Desk::new(world, application).with("AUTHORITY", &authority);
    pair.write(desk.folder(), "test-client");
    desk
}

async fn curl(world: &World, arguments: &[&str]) -> (String, Value) {
    let mut command = Command::new("curl");
    let authority = world.authority_file();
    command.args([
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--write-out",
        "\n%{http_code}",
        "--cacert",
    ]);
    command.arg(authority).args(arguments).current_dir(world.folder());
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap());
    let Output {
        status,
        stdout,
        stderr,
    } = ran.await.unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    let stdout = String::from_utf8(stdout).unwrap();
    let (body, code) = stdout.rsplit_once('\n').unwrap();
    (code.to_owned(), serde_json::from_str(body).unwrap())
}

/// What a command line prints that a person pasted into a shell.
async fn run(world: &World, line: &str, secret: &str) -> Value {
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(world.folder());
    command.env("CURL_CA_BUNDLE", world.authority_file());
    command.env("CLIENT_SECRET", secret).env("NO_PROXY", "*");
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap());
    serde_json::from_slice(&ran.await.unwrap().stdout).unwrap()
}

/// The command of that title on the page of an application.
fn shown(page: &str, title: &str) -> String {
    let found = (1..).map_while(|number| {
        let id = format!("command-{number}");
        let before = page.split_once(&format!("id=\"{id}\""))?.0;
        Some((before.rsplit_once("<summary>")?.1, text_of(page, &id)?))
    });
    let titled = found.filter(|(summary, _)| summary.starts_with(title));
    titled
        .map(|(_, text)| text)
        .last()
        .unwrap_or_else(|| panic!("{title}: {page}"))
}

on_each_database! {

with("tls" = "on")
async fn seed_004_tls_client_authentication_as_requests_oauthlib_does_it_in_a_backend(world: World) {
    let office = certificates::Desk::of(world.clone()).await;
    let of_authority = office.authority.pair("app", |_| {});
    let by_itself = Pair::self_signed("app", |_| {});
    for (application, pair) in [
        (office.of_authority().await, of_authority),
        (office.of_certificate(&by_itself).await, by_itself),
    ] {
        let desk = desk(&world, &known(&application), &pair);
        let printed = desk.run("tls_client_authentication.py", &["backend"]);
        assert_eq!(printed, "memos 0 stolen 401\n");
    }
}

with("tls" = "on")
async fn seed_004_tls_client_authentication_as_requests_oauthlib_does_it_in_a_web_application(world: World) {
    let office = certificates::Desk::of(world.clone()).await;
    let alice = world.user("alice").await;
    let application = known(&office.of_authority().await);
    let desk = desk(&world, &application, &office.authority.pair("app", |_| {}));
    let script = desk.open_with("tls_client_authentication.py", &["web"]);
    let callback = script.opened(&world, &alice).await;
    assert_eq!(script.answer(&callback), "memos 0 stolen 401\n");
}

with("tls" = "on")
async fn curl_authenticates_by_its_certificate_and_by_no_other(world: World) {
    let office = certificates::Desk::of(world.clone()).await;
    let application = office.of_authority().await;
    office.authority.pair("app", |_| {}).write(world.folder(), "client");
    office.authority.pair("another", |_| {}).write(world.folder(), "another");
    let client = format!("client_id={}", text(&application["client_id"]));
    let token = format!("{}/oauth/token", world.base_url);
    let form = [token.as_str(), "--data", "grant_type=client_credentials", "--data", &client];
    let with = |name: &str, more: &[&str]| -> Vec<String> {
        let pair = ["--cert".to_owned(), format!("{name}.pem"), "--key".to_owned(), format!("{name}.key")];
        more.iter().map(|word| (*word).to_owned()).chain(pair).collect()
    };
    let asked = async |words: Vec<String>| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        curl(&world, &words).await
    };
    let (code, tokens) = asked(with("client", &form)).await;
    assert_eq!(code, "200", "{tokens}");
    let (code, refused) = asked(with("another", &form)).await;
    assert_eq!((code.as_str(), &refused["error"]), ("401", &"invalid_client".into()));
    let (code, _) = curl(&world, &form).await;
    assert_eq!(code, "401");
    // A header of that name is a stranger's word.
    let pair = certificates::header(&office.authority.pair("app", |_| {}));
    let forged: Vec<&str> = form.iter().copied().chain(["--header", &pair]).collect();
    assert_eq!(curl(&world, &forged).await.0, "401");

    let memos = format!("{}/api/memos", world.base_url);
    let bearer = format!("Authorization: Bearer {}", text(&tokens["access_token"]));
    let read = [memos.as_str(), "--header", &bearer];
    assert_eq!(asked(with("client", &read)).await.0, "200");
    assert_eq!(asked(with("another", &read)).await.0, "401");
    assert_eq!(curl(&world, &read).await.0, "401");
}

with("tls" = "on", "mtls_listen" = "127.0.0.1:0")
async fn the_metadata_leads_to_the_port_that_asks_for_certificates(world: World) {
    let office = certificates::Desk::of(world.clone()).await;
    let application = office.of_authority().await;
    let pair = office.authority.pair("app", |_| {});
    let metadata = world.get("/.well-known/oauth-authorization-server").await.json();
    let alias = text(&metadata["mtls_endpoint_aliases"]["token_endpoint"]);
    assert_ne!(alias, text(&metadata["token_endpoint"]));
    let there = world.at_mtls().await;
    assert_eq!(alias, format!("{}/oauth/token", there.base_url));
    let tokens = certificates::asked(&there.presenting(&pair), "/oauth/token", &application).await.tokens();
    let here = world.presenting(&pair);
    certificates::asked(&here, "/oauth/token", &application).await.refused(401, "invalid_client");
    here.memos(&tokens.access).await.challenged(401, "invalid_token");
    assert_eq!(there.presenting(&pair).memos(&tokens.access).await.status, 200);
    let resource = world.get("/.well-known/oauth-protected-resource/api/memos").await.json();
    assert_eq!(resource["tls_client_certificate_bound_access_tokens"], Value::Null, "nobody is asked for one there");
}

with("tls" = "on", "mtls_listen" = "127.0.0.1:0")
async fn the_commands_of_the_page_run_where_certificates_count(world: World) {
    let office = certificates::Desk::of(world.clone()).await;
    let root = world.administrator("boss").await;
    let browser = world.signed_in(&root).await;
    let alice = world.user("alice").await;
    let pair = office.authority.pair("app", |_| {});
    std::fs::write(world.folder().join("client.pem"), &pair.certificate_pem).unwrap();
    std::fs::write(world.folder().join("client-key.pem"), &pair.key_pem).unwrap();
    let binding = |grants: &[&str], confidential: bool| json!({
        "confidential": confidential, "grants": grants, "tls_client_certificate_bound_access_tokens": true,
    });
    let with_secret = binding(&["authorization_code", "client_credentials"], true);
    for application in [
        office.of_authority().await,
        office.register(&with_secret).await,
        office.register(&binding(&["authorization_code"], false)).await,
    ] {
        let page = browser.get(&format!("/oauth/applications/{}", text(&application["id"]))).await.body;
        let id = text(&application["client_id"]);
        let secret = application["client_secret"].as_str();
        let known = Application::known(id, secret, "https://app.example/callback");
        let desk = desk(&world, &known, &pair).with("REQUESTS_CA_BUNDLE", &world.authority_file().display().to_string());
        for name in ["client.pem", "client-key.pem"] {
            std::fs::copy(world.folder().join(name), desk.path(name)).unwrap();
        }
        let script = desk.open_program(&shown(&page, "Python: requests-oauthlib"));
        let callback = script.opened(&world, &alice).await;
        let printed = script.answer(&callback);
        assert!(printed.ends_with("{'memos': []}\n"), "{printed}");

        let code = shown(&page, "curl: a code for tokens");
        assert!(code.contains("--cert client.pem --key client-key.pem"), "{code}");
        if application["grants"].as_array().unwrap().contains(&json!("client_credentials")) {
            let command = shown(&page, "curl: a token of its own");
            let told = run(&world, &command, secret.unwrap_or_default()).await;
            assert_eq!(told["token_type"], "Bearer", "{told}");
        }
    }
}

with("tls" = "on", "trusted_proxies" = "127.0.0.1", "client_certificate_header" = "client-cert")
async fn behind_a_proxy_the_certificate_of_the_connection_is_the_proxys(world: World) {
    let office = certificates::Desk::of(world.clone()).await;
    let application = office.of_authority().await;
    let pair = office.authority.pair("app", |_| {});
    let proxy = world.presenting(&pair);
    certificates::asked(&proxy, "/oauth/token", &application).await.refused(401, "invalid_client");
    certificates::asked(&world, "/oauth/token", &application).carrying(&pair).await.tokens();
}

}
