//! TLS of the server's own: what is spoken, with which certificate, and what changes while it serves.

use std::fs;

use tegata::server::tls::Reload;

use super::process::{Process, command};
use crate::world::{Ask, Authority, Database, Pair, Scripts, World};

/// The settings that name the certificate and the key of `world`'s server, as arguments.
fn pair_of(world: &World) -> [String; 4] {
    let path = |name: &str| world.folder().join(name).to_str().unwrap().to_owned();
    let [certificate, key] = ["server.pem", "server.key"].map(path);
    [
        "--tls-certificate".to_owned(),
        certificate,
        "--tls-key".to_owned(),
        key,
    ]
}

async fn process(world: &World) -> Process {
    let pair = pair_of(world);
    Process::start(world, &pair.each_ref().map(String::as_str)).await
}

on_each_database! {

with("tls" = "on") async fn a_code_is_got_and_redeemed_over_https(world: World) {
    assert!(world.base_url.starts_with("https://localhost:"), "{}", world.base_url);
    let alice = world.user("alice").await;
    let app = world.application().create().await;
    let browser = world.browser();
    let authorized = browser.authorize_as(&alice, &Ask::of(&app)).await;
    let tokens = world.redeem(&app, &authorized.code()).await.tokens();
    let memos = world.memos(&tokens.access).await;
    assert_eq!(memos.status, 200, "{memos}");
}

}

/// Where the store does not matter.
fn on_one_database<F: Future<Output = ()> + Send + 'static>(
    settings: &[(&str, &str)],
    test: impl FnOnce(World) -> F,
) {
    crate::world::run(Database::Sqlite, settings, test);
}

#[test]
fn the_session_cookie_is_of_https_alone() {
    on_one_database(&[("tls", "on")], async |world: World| {
        let alice = world.user("alice").await;
        let answer = world
            .browser()
            .try_to_sign_in(&alice.username, &alice.password)
            .await;
        assert_eq!(answer.status, 303, "{answer}");
        let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
        assert!(!cookies.is_empty(), "{answer}");
        for cookie in cookies {
            let cookie = cookie.to_str().unwrap();
            assert!(
                cookie.starts_with("__Host-") && cookie.contains("; Secure"),
                "{cookie}"
            );
        }
    });
}

#[test]
fn browsers_are_told_to_come_by_https_alone_but_not_to_localhost() {
    on_one_database(&[("tls", "on")], async |world: World| {
        let answer = world.get("/readyz").await;
        assert_eq!(answer.header("strict-transport-security"), "", "{answer}");
        world
            .restart_with(&[("public_url", "https://auth.example.com")])
            .await;
        let answer = world.get("/readyz").await;
        assert!(
            answer.header("strict-transport-security").starts_with("max-age="),
            "{answer}"
        );
    });
}

#[test]
fn a_server_at_localhost_is_signed_in_to_by_its_address_too() {
    on_one_database(&[("tls", "on")], async |world: World| {
        let alice = world.user("alice").await;
        let by_address = world.through(&world.base_url.replace("localhost", "127.0.0.1"));
        by_address.browser().sign_in(&alice).await;
    });
}

#[test]
fn chromium_signs_in_over_https() {
    on_one_database(&[("tls", "on")], async |world: World| {
        let alice = world.user("alice").await;
        let window = world.chromium(Scripts::Off).await;
        window.open("/login").await;
        window.sign_in(&alice).await;
        let url = window.url().await;
        assert_eq!(url.scheme(), "https", "{url}");
    });
}

#[test]
fn a_new_certificate_is_served_without_a_restart() {
    on_one_database(&[("tls", "on")], async |world: World| {
        assert_eq!(world.get("/readyz").await.status, 200);
        assert_eq!(world.reload_certificate().await, [Reload::Unchanged]);
        // from an authority that the clients do not know: they tell when it is served
        Authority::new("Nobody")
            .pair("localhost", |_| {})
            .write(world.folder(), "server");
        assert!(matches!(
            world.reload_certificate().await[..],
            [Reload::Taken { .. }]
        ));
        assert_eq!(
            world.get("/readyz").await.status,
            200,
            "an open connection goes on"
        );
        let newcomer = world.through(&world.base_url);
        assert!(
            newcomer.get("/readyz").try_send().await.is_none(),
            "the new certificate is served"
        );

        fs::write(world.folder().join("server.key"), "no key").unwrap();
        assert!(matches!(
            world.reload_certificate().await[..],
            [Reload::Refused(_)]
        ));
        world.replace_certificate();
        assert!(matches!(
            world.reload_certificate().await[..],
            [Reload::Taken { .. }]
        ));
        assert_eq!(newcomer.get("/readyz").await.status, 200);
    });
}

#[test]
fn clients_are_asked_for_certificates_where_that_is_wanted() {
    on_one_database(
        &[("tls", "on"), ("mtls_listen", "127.0.0.1:0")],
        async |world: World| {
            let client = world.presenting(&Pair::self_signed("client", |_| {}));
            assert_eq!(client.get("/readyz").await.status, 200);
            let mtls = client.at_mtls().await;
            assert_ne!(mtls.base_url, world.base_url);
            assert_eq!(mtls.get("/readyz").await.status, 200);
            assert_eq!(
                world.at_mtls().await.get("/readyz").await.status,
                200,
                "it is not required"
            );
        },
    );
}

#[cfg(unix)]
#[test]
fn a_process_reads_its_certificate_again_on_sighup_and_by_itself() {
    on_one_database(&[("tls", "on")], async |world: World| {
        let process = process(&world).await;
        assert!(process.world.base_url.starts_with("https://localhost:"));
        assert_eq!(process.world.get("/readyz").await.status, 200);
        fs::write(world.folder().join("server.key"), "no key").unwrap();
        process.signal("HUP");
        let told = process
            .says_in_a_line(&["tls_key", "no key in it", "stays in use"])
            .await;
        assert!(told.contains("server.key"), "{told}");
        let newcomer = process.world.through(&process.world.base_url);
        assert_eq!(newcomer.get("/readyz").await.status, 200);
        world.replace_certificate();
        process.says_in_a_line(&["tls_reloaded", "2120-01-01"]).await;
        process.signal("TERM");
        let (status, told) = process.ended().await;
        assert!(status.success(), "{told}");
        assert_eq!(told.matches("tls_not_reloaded").count(), 1, "{told}");
    });
}

#[test]
fn a_certificate_that_cannot_be_served_ends_the_start_in_a_line() {
    on_one_database(&[("tls", "on")], async |world: World| {
        let refused = async || {
            let pair = pair_of(&world);
            let mut command = command(&world, &pair.each_ref().map(String::as_str));
            let output = tokio::task::spawn_blocking(move || command.output().unwrap())
                .await
                .unwrap();
            assert_eq!(
                (output.status.code(), &output.stdout[..]),
                (Some(1), &b""[..]),
                "{output:?}"
            );
            String::from_utf8(output.stderr).unwrap()
        };
        Pair::of_server().write(world.folder(), "other");
        fs::rename(
            world.folder().join("other.key"),
            world.folder().join("server.key"),
        )
        .unwrap();
        let told = refused().await;
        assert!(
            told.lines()
                .any(|line| line.starts_with("tegata: tls_key = ") && line.contains("does not fit")),
            "{told}"
        );
        fs::remove_file(world.folder().join("server.pem")).unwrap();
        let told = refused().await;
        assert!(
            told.lines()
                .any(|line| line.starts_with("tegata: tls_certificate = ") && line.contains("server.pem")),
            "{told}"
        );
    });
}

#[test]
fn a_questionable_certificate_is_warned_of_and_served() {
    on_one_database(&[("tls", "on")], async |world: World| {
        let old = Authority::new("Nobody").pair("old", |wanted| {
            wanted.not_after = rcgen::date_time_ymd(2024, 1, 1);
        });
        old.write(world.folder(), "server");
        let process = process(&world).await;
        let told = process.says_in_a_line(&["WARN", "tls_certificate_ends"]).await;
        for words in [
            "ended on 2024-01-01",
            "is not for localhost",
            "may read the TLS key",
        ] {
            assert!(told.contains(words), "{words}: {told}");
        }
    });
}
