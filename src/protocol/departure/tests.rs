use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::*;
use crate::base::config::Sources;
use crate::base::secret::SecretHash;
use crate::model::application::{Application, SecretDigest};

const NOW: i64 = 1_700_000_000;

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(NOW).unwrap()
}

fn config(given: &[(&str, &str)]) -> Config {
    let flags = given
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect();
    Config::load(Sources {
        flags,
        ..Sources::default()
    })
    .unwrap()
}

fn settings() -> ApplicationSettings {
    ApplicationSettings {
        name: "Notes".into(),
        confidential: true,
        trusted: false,
        require_pkce: true,
        introspect: false,
        send_iss: true,
        localhost_any_port: false,
        redirect_uris: vec![RedirectUri::register("https://app.example/callback").unwrap()],
        scopes: None,
        grants: BTreeSet::from([GrantType::AuthorizationCode, GrantType::RefreshToken]),
        access_token_ttl: None,
        refresh_token_ttl: None,
        refresh_token_max_ttl: None,
        default_scopes: None,
        optional_scopes: None,
        access_token_ttls: BTreeMap::new(),
        reuse_access_token: false,
        reuse_refresh_token: false,
        revoke_previous_tokens: false,
        allowed_origins: Vec::new(),
        restricted: false,
        authentication: Box::default(),
    }
}

fn secret(days: i64) -> ApplicationSecret {
    ApplicationSecret {
        id: Uuid::nil().into(),
        digest: SecretDigest::Generated(SecretHash::of("tgs_")),
        created_at: now() - Duration::days(days),
        last_used_at: None,
        expires_at: None,
    }
}

fn client(settings: ApplicationSettings, secrets: Vec<ApplicationSecret>) -> Client {
    Client {
        application: Application {
            id: Uuid::nil().into(),
            client_id: ClientId::parse("notes").unwrap(),
            settings,
            owner_id: None,
            owner: None,
            version: 1,
            created_at: now(),
            updated_at: now(),
            last_used_at: None,
            oauth1: false,
            oauth1_rsa_public_key: None,
            disabled_at: None,
        },
        secrets,
    }
}

fn seen(departures: &[Departure]) -> Vec<(&str, &str)> {
    departures
        .iter()
        .map(|departure| (departure.setting, departure.value.as_str()))
        .collect()
}

/// What is found of the usual application after `change`.
fn after(change: impl FnOnce(&mut ApplicationSettings)) -> Vec<(&'static str, String)> {
    let mut changed = settings();
    change(&mut changed);
    of_application(&client(changed, vec![secret(1)]), false, now())
        .into_iter()
        .map(|departure| (departure.setting, departure.value))
        .collect()
}

#[test]
fn the_usual_settings_and_a_careful_application_depart_in_nothing() {
    assert_eq!(of_server(&config(&[])), []);
    assert_eq!(
        of_application(&client(settings(), vec![secret(365)]), false, now()),
        []
    );
}

#[test]
fn every_setting_of_the_server_that_departs_is_found() {
    for (name, text, most) in [
        ("access_token_ttl", "61m", "1h"),
        ("refresh_token_ttl", "91d", "90d"),
        ("refresh_token_max_ttl", "366d", "365d"),
        ("refresh_token_retry_window", "31s", "30s"),
    ] {
        assert_eq!(seen(&of_server(&config(&[(name, text)]))), [(name, text)]);
        assert_eq!(of_server(&config(&[(name, most)])), [], "{name} = {most}");
    }
    let by_grant = config(&[("access_token_ttl_by_grant", "client_credentials=2h")]);
    assert_eq!(
        seen(&of_server(&by_grant)),
        [("access_token_ttl_by_grant", "client_credentials=2h")]
    );
    let unlimited = config(&[("rate_limits", "false")]);
    assert_eq!(seen(&of_server(&unlimited)), [("rate_limits", "false")]);
    let mut legacy = config(&[]);
    legacy.grants.extend(["password".into(), "implicit".into()]);
    assert_eq!(
        seen(&of_server(&legacy)),
        [("grants", "password"), ("grants", "implicit")]
    );
}

#[test]
fn behind_tls_a_proxy_is_to_be_named() {
    let https = ("public_url", "https://auth.example.com");
    assert_eq!(seen(&of_server(&config(&[https]))), [("trusted_proxies", "none")]);
    assert_eq!(of_server(&config(&[https, ("trusted_proxies", "10.0.0.1")])), []);
    assert_eq!(of_server(&config(&[("public_url", "http://localhost:3801")])), []);
}

#[test]
fn every_switch_of_an_application_that_departs_is_found() {
    assert_eq!(
        after(|app| app.require_pkce = false),
        [("require_pkce", "false".into())]
    );
    assert_eq!(after(|app| app.send_iss = false), [("send_iss", "false".into())]);
    assert_eq!(after(|app| app.trusted = true), [("trusted", "true".into())]);
    assert_eq!(
        after(|app| app.localhost_any_port = true),
        [("localhost_any_port", "true".into())]
    );
    for grant in [GrantType::Password, GrantType::Implicit] {
        let found = after(|app| app.grants = BTreeSet::from([grant]));
        assert_eq!(found, [("grants", grant.name().into())]);
    }
}

#[test]
fn pkce_that_is_required_for_all_or_of_public_applications_is_required() {
    let mut lax = settings();
    lax.require_pkce = false;
    assert_eq!(of_application(&client(lax.clone(), Vec::new()), true, now()), []);
    lax.confidential = false;
    lax.localhost_any_port = true;
    assert_eq!(of_application(&client(lax, Vec::new()), false, now()), []);
}

#[test]
fn who_sends_nobody_anywhere_departs_in_nothing_of_that() {
    let found = after(|app| {
        app.grants = BTreeSet::from([GrantType::ClientCredentials]);
        app.require_pkce = false;
        app.send_iss = false;
    });
    assert_eq!(found, []);
}

#[test]
fn a_redirect_uri_departs_by_where_it_leads() {
    for (uri, confidential, public) in [
        ("https://app.example/callback", None, None),
        ("http://127.0.0.1/callback", Some("RFC 9700 §2.6"), None),
        ("http://[::1]:8080/callback", Some("RFC 9700 §2.6"), None),
        (
            "http://localhost:8080/callback",
            Some("RFC 8252 §8.3"),
            Some("RFC 8252 §8.3"),
        ),
        (
            "com.example.app:/callback",
            Some("RFC 8252 §8.1"),
            Some("RFC 8252 §8.1"),
        ),
        (RedirectUri::OOB, Some("RFC 8252 §7"), Some("RFC 8252 §7")),
    ] {
        let uri = RedirectUri::register(uri).unwrap();
        for (keeps_a_secret, expected) in [(true, confidential), (false, public)] {
            let found = redirect_uri(&uri, keeps_a_secret);
            assert_eq!(
                found.as_ref().map(|found| found.section),
                expected,
                "{uri} {keeps_a_secret}"
            );
            assert!(found.is_none_or(|found| found.value == uri.as_str()));
        }
    }
}

#[test]
fn lifetimes_of_an_application_are_measured_like_the_servers() {
    let found = after(|app| {
        app.access_token_ttl = Some(3601);
        app.refresh_token_ttl = Some(91 * 86_400);
        app.refresh_token_max_ttl = Some(366 * 86_400);
        app.access_token_ttls = BTreeMap::from([(GrantType::AuthorizationCode, 7200)]);
    });
    assert_eq!(
        found,
        [
            ("access_token_ttl", "3601s".into()),
            ("refresh_token_ttl", "91d".into()),
            ("refresh_token_max_ttl", "366d".into()),
            ("access_token_ttls", "authorization_code=2h".into()),
        ]
    );
    let short = after(|app| {
        app.access_token_ttl = Some(3600);
        app.refresh_token_ttl = Some(90 * 86_400);
        app.refresh_token_max_ttl = Some(365 * 86_400);
    });
    assert_eq!(short, []);
}

#[test]
fn lifetimes_of_what_an_application_never_gets_are_nobodys_concern() {
    let found = after(|app| {
        app.grants = BTreeSet::from([GrantType::AuthorizationCode]);
        app.refresh_token_ttl = Some(91 * 86_400);
        app.refresh_token_max_ttl = Some(366 * 86_400);
    });
    assert_eq!(found, []);
}

#[test]
fn a_page_that_may_call_departs_where_it_is_local_or_would_need_a_secret() {
    let (web, local) = ("https://app.example", "http://localhost:5173");
    let asked = |confidential: bool| {
        let origins = [web, local].map(|text| Origin::register(text).unwrap());
        let mut changed = settings();
        changed.confidential = confidential;
        changed.allowed_origins = origins.to_vec();
        of_application(&client(changed, Vec::new()), false, now())
            .into_iter()
            .map(|found| (found.value, found.section))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        asked(true),
        [
            (web.to_owned(), "RFC 6749 §2.1"),
            (local.to_owned(), "RFC 6749 §2.1")
        ]
    );
    assert_eq!(asked(false), [(local.to_owned(), "RFC 9700 §2.6")]);
}

#[test]
fn an_application_of_the_implicit_grant_is_looked_at_like_one_of_codes() {
    let found = after(|app| {
        app.grants = BTreeSet::from([GrantType::Implicit]);
        app.require_pkce = false;
        app.send_iss = false;
        app.trusted = true;
        app.redirect_uris = vec![RedirectUri::register("com.example.app:/callback").unwrap()];
    });
    let settings: Vec<_> = found.iter().map(|(setting, _)| *setting).collect();
    assert_eq!(settings, ["grants", "send_iss", "trusted", "redirect_uris"]);
}

#[test]
fn a_secret_that_a_person_chose_departs_while_it_lives() {
    let chosen = |expires_at| ApplicationSecret {
        digest: SecretDigest::Chosen(String::new()),
        expires_at,
        ..secret(1)
    };
    let found = |secrets| of_application(&client(settings(), secrets), false, now());
    assert_eq!(
        seen(&found(vec![secret(2), chosen(None)])),
        [("client_secret", "chosen by a person")]
    );
    assert_eq!(found(vec![secret(2), chosen(Some(now()))]), []);
}

#[test]
fn secrets_age_and_two_do_not_live_side_by_side_for_long() {
    let values = |secrets| -> Vec<String> {
        let found = of_application(&client(settings(), secrets), false, now());
        found.into_iter().map(|departure| departure.value).collect()
    };
    assert_eq!(values(vec![secret(366)]), ["366 days old"]);
    assert_eq!(values(vec![secret(300), secret(30)]), Vec::<String>::new());
    assert_eq!(
        values(vec![secret(300), secret(31)]),
        ["two, the younger 31 days old"]
    );
    let mut retired = secret(400);
    retired.expires_at = Some(now());
    assert_eq!(
        values(vec![retired, secret(31)]),
        Vec::<String>::new(),
        "one of them is over"
    );
}

#[test]
fn what_departs_says_whose_it_is_why_what_to_do_and_where_it_is_said() {
    let mut worst = settings();
    worst.trusted = true;
    worst.send_iss = false;
    let of_application = of_application(&client(worst, vec![secret(400), secret(399)]), false, now());
    assert_eq!(of_application.len(), 4);
    assert!(
        of_application
            .iter()
            .all(|found| found.application == ClientId::parse("notes").ok())
    );
    let of_server = of_server(&config(&[("rate_limits", "false"), ("access_token_ttl", "1d")]));
    assert!(of_server.iter().all(|found| found.application.is_none()));
    for found in of_application.iter().chain(&of_server) {
        assert!(found.why.ends_with('.') && found.mend.ends_with('.'), "{found:?}");
        assert!(
            found.section.starts_with("RFC ") && found.section.contains('§'),
            "{found:?}"
        );
    }
}
