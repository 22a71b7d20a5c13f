use std::fs;

use super::*;

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn from_environment(variables: &[(&str, &str)]) -> Result<Config, Faults> {
    Config::load(Sources {
        environment: pairs(variables),
        ..Sources::default()
    })
}

fn from_flags(flags: &[(&str, &str)]) -> Result<Config, Faults> {
    Config::load(Sources {
        flags: pairs(flags),
        ..Sources::default()
    })
}

fn from_file(text: &str) -> Result<Config, Faults> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tegata.toml");
    fs::write(&path, text).unwrap();
    Config::load(Sources {
        file: FileSource::Explicit(path),
        ..Sources::default()
    })
}

/// The only fault there is.
fn fault(outcome: Result<Config, Faults>) -> String {
    let faults = outcome.unwrap_err();
    assert_eq!(faults.iter().count(), 1, "{faults}");
    faults.to_string()
}

#[test]
fn without_any_source_the_defaults_count() {
    let config = Config::load(Sources::default()).unwrap();
    assert_eq!(config.listen, None);
    assert_eq!(config.issuer(4000).as_str(), "http://localhost:4000");
    assert_eq!(config.database_url.to_string(), "sqlite://data/tegata.db");
    assert_eq!(config.access_token_ttl, Duration::hours(1));
    assert_eq!(config.refresh_token_ttl, Duration::days(30));
    assert_eq!(config.refresh_token_max_ttl, Duration::days(365));
    assert_eq!(config.refresh_token_retry_window, Duration::seconds(10));
    assert_eq!(config.authorization_code_ttl, Duration::seconds(60));
    assert_eq!(config.device_code_ttl, Duration::minutes(10));
    assert_eq!(config.session_ttl, Duration::hours(12));
    assert_eq!(config.session_max_ttl, Duration::days(30));
    assert!(!config.require_pkce && !config.oauth1 && config.rate_limits);
    let grants: Vec<&str> = config.grants.iter().map(String::as_str).collect();
    assert_eq!(
        grants,
        [
            "authorization_code",
            "client_credentials",
            "device_code",
            "refresh_token"
        ]
    );
    let scopes: Vec<&str> = config.scopes.iter().map(|scope| scope.name.as_str()).collect();
    assert_eq!(scopes, ["read", "write"]);
    assert_eq!(config.default_scopes, ["read"]);
    assert_eq!(config.trusted_proxies, []);
    assert_eq!((config.log.as_str(), config.log_format), ("info", None));
}

#[test]
fn the_command_line_beats_the_environment_beats_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    fs::write(
        &path,
        "access_token_ttl = '1m'\nsession_ttl = '1m'\ndevice_code_ttl = '1m'\n",
    )
    .unwrap();
    let config = Config::load(Sources {
        defaults: Vec::new(),
        flags: pairs(&[("access_token_ttl", "3m")]),
        environment: pairs(&[("TEGATA_ACCESS_TOKEN_TTL", "2m"), ("TEGATA_SESSION_TTL", "2m")]),
        file: FileSource::Explicit(path),
    })
    .unwrap();
    assert_eq!(config.access_token_ttl, Duration::minutes(3));
    assert_eq!(config.session_ttl, Duration::minutes(2));
    assert_eq!(config.device_code_ttl, Duration::minutes(1));
}

#[test]
fn the_last_of_two_flags_counts() {
    let config = from_flags(&[("log", "warn"), ("log", "debug")]).unwrap();
    assert_eq!(config.log, "debug");
}

#[test]
fn the_file_may_be_named_by_flag_or_variable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    fs::write(&path, "rate_limits = false").unwrap();
    let path = path.to_str().unwrap();
    assert!(!from_flags(&[("config", path)]).unwrap().rate_limits);
    assert!(!from_environment(&[("TEGATA_CONFIG", path)]).unwrap().rate_limits);
    let missing = fault(from_flags(&[("config", "/nonexistent/tegata.toml")]));
    assert!(
        missing.starts_with(r#"config = "/nonexistent/tegata.toml" (from --config): the file"#),
        "{missing}"
    );
}

#[test]
fn a_file_has_arrays_numbers_and_switches() {
    let config = from_file(
        r#"
        listen = ["127.0.0.1:0", "[::1]:0"]
        access_token_ttl = 90
        require_pkce = true
        scopes = ["memos=Read, and write, your memos", "plain"]
        default_scopes = ["memos"]
        trusted_proxies = ["10.0.0.0/8", "::1"]
        grants = ["client_credentials"]
        "#,
    )
    .unwrap();
    assert_eq!(config.listen.unwrap().len(), 2);
    assert_eq!(config.access_token_ttl, Duration::seconds(90));
    assert!(config.require_pkce);
    assert_eq!(config.scopes[0].description, "Read, and write, your memos");
    assert_eq!(
        config.scopes[1],
        ScopeEntry {
            name: "plain".into(),
            description: "plain".into()
        }
    );
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.grants.len(), 1);
}

#[test]
fn scopes_may_be_a_table_of_the_file() {
    let config = from_file("[scopes]\nread = 'Read it'\n").unwrap();
    assert_eq!(
        config.scopes,
        [ScopeEntry {
            name: "read".into(),
            description: "Read it".into()
        }]
    );
}

#[test]
fn lists_are_comma_separated_in_environment_and_flags() {
    let config = from_environment(&[
        ("TEGATA_SCOPES", "read=Read your memos, write=Write memos"),
        ("TEGATA_DEFAULT_SCOPES", "read,write"),
        (
            "TEGATA_GRANTS",
            "authorization_code,urn:ietf:params:oauth:grant-type:device_code",
        ),
    ])
    .unwrap();
    assert_eq!(
        config.scopes[1],
        ScopeEntry {
            name: "write".into(),
            description: "Write memos".into()
        }
    );
    assert_eq!(config.default_scopes, ["read", "write"]);
    assert!(config.grants.contains("device_code"));
}

#[test]
fn all_faults_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    fs::write(
        &path,
        "lisen = 'x'\nsession_ttl = 1.5\nlog_format = 'xml'\nconfig = 'y'\n",
    )
    .unwrap();
    let faults = Config::load(Sources {
        defaults: Vec::new(),
        flags: pairs(&[("public_url", "http://auth.example.com")]),
        environment: pairs(&[
            ("TEGATA_ACCESS_TOKEN_TTL", "1x"),
            ("TEGATA_LOG_LEVEL", "info"),
            ("HOME", "/"),
        ]),
        file: FileSource::Explicit(path),
    })
    .unwrap_err()
    .to_string();
    assert_eq!(faults.lines().count(), 7, "{faults}");
    for told in [
        "access_token_ttl = \"1x\" (from TEGATA_ACCESS_TOKEN_TTL): a duration from 1s to 3650d is allowed",
        "public_url = \"http://auth.example.com\" (from --public-url): an https URL is allowed",
        "TEGATA_LOG_LEVEL (from the environment): there is no such setting",
        "lisen (from ",
        "config (from ",
        "session_ttl (from ",
        "log_format = \"xml\" (from ",
    ] {
        assert!(
            faults.lines().any(|line| line.starts_with(told)),
            "{told}\n{faults}"
        );
    }
}

#[test]
fn an_empty_value_is_a_fault_in_every_setting() {
    for setting in SETTINGS {
        for empty in ["", " "] {
            let told = fault(from_environment(&[(&setting.variable(), empty)]));
            assert!(
                told.contains("is empty") && told.contains(&setting.variable()),
                "{told}"
            );
        }
    }
    assert!(fault(from_file("listen = []")).contains("is empty"));
    assert!(fault(from_flags(&[("grants", "refresh_token,")])).contains("piece"));
}

#[test]
fn control_characters_are_a_fault_and_are_told_escaped() {
    let told = fault(from_environment(&[("TEGATA_LOG", "info\u{1b}[2J\n")]));
    assert!(
        told.contains("control characters") && !told.contains('\u{1b}') && !told.contains('\n'),
        "{told}"
    );
}

#[test]
fn wrong_values_are_faults() {
    let wrong = [
        ("listen", "3801"),
        ("listen", "localhost:3801"),
        ("listen", "127.0.0.1:1,127.0.0.1:1"),
        ("public_url", "https://auth.example.com/"),
        ("database_url", "mysql://db/x"),
        ("access_token_ttl", "0s"),
        ("access_token_ttl", "3651d"),
        ("refresh_token_retry_window", "6m"),
        ("authorization_code_ttl", "11m"),
        ("device_code_ttl", "0"),
        ("require_pkce", "yes"),
        ("grants", "magic"),
        ("grants", "Password"),
        ("scopes", "read=Read,read=Again"),
        ("scopes", "re ad=Read"),
        ("scopes", "read="),
        ("default_scopes", "admin"),
        ("resources", "api.example.com"),
        ("resources", "https://api.example.com/#x"),
        ("resources", "https://api.example.com,https://api.example.com/"),
        ("rate_limits", "1"),
        ("trusted_proxies", "0.0.0.0/0"),
        ("oauth1", "1"),
        ("oauth1_timestamp_window", "2h"),
        ("oauth1_clock_skew", "0s"),
        ("mtls_listen", "nowhere"),
        ("client_certificate_header", "Cookie"),
        ("log", "inof"),
        ("log_format", "JSON"),
    ];
    for (name, value) in wrong {
        let told = fault(from_flags(&[(name, value)]));
        assert!(told.starts_with(&format!("{name} = ")), "{told}");
    }
    assert!(from_flags(&[("refresh_token_retry_window", "0s"), ("oauth1", "true")]).is_ok());
}

#[test]
fn what_needs_another_setting_names_it() {
    let pair = [("tls_certificate", "cert.pem"), ("tls_key", "key.pem")];
    let with_pair = |more: &[(&'static str, &'static str)]| from_flags(&[&pair, more].concat());
    for (given, needed) in [
        (vec![("tls_certificate", "cert.pem")], "tls_key"),
        (vec![("tls_key", "key.pem")], "tls_certificate"),
        (vec![("tls_client_ca", "ca.pem")], "tls_certificate"),
        (vec![("mtls_listen", "127.0.0.1:3802")], "tls_certificate"),
        (
            vec![("client_certificate_header", "Client-Cert")],
            "trusted_proxies",
        ),
        (
            vec![
                ("oauth1", "true"),
                ("database_url", "postgres://tegata@db/tegata"),
            ],
            "sealing_key_file",
        ),
    ] {
        let told = fault(from_flags(&given));
        assert!(told.contains(needed), "{told}");
    }
    let told = fault(with_pair(&[("mtls_public_url", "https://mtls.example.com")]));
    assert!(told.contains("mtls_listen"), "{told}");
    assert!(with_pair(&[("tls_client_ca", "ca.pem"), ("mtls_listen", "127.0.0.1:3802")]).is_ok());
    let by_proxy = [
        ("client_certificate_header", "Client-Cert"),
        ("trusted_proxies", "10.0.0.1"),
        ("tls_client_ca", "ca.pem"),
    ];
    let config = from_flags(&by_proxy).unwrap();
    assert_eq!(config.client_certificate_header.as_deref(), Some("client-cert"));
    assert!(config.sees_client_certificates());
}

#[test]
fn where_tls_is_spoken_the_issuer_is_https() {
    let pair = [("tls_certificate", "cert.pem"), ("tls_key", "key.pem")];
    let config = from_flags(&pair).unwrap();
    assert_eq!(config.issuer(4000).as_str(), "https://localhost:4000");
    let plain = [pair[0], pair[1], ("public_url", "http://localhost:3801")];
    assert!(fault(from_flags(&plain)).contains("must be https"));
}

#[test]
fn an_idle_limit_is_within_the_absolute_one() {
    let told = fault(from_flags(&[("refresh_token_ttl", "400d")]));
    assert!(
        told.contains("is over refresh_token_max_ttl, which is 365d"),
        "{told}"
    );
    assert!(from_flags(&[("session_ttl", "2d"), ("session_max_ttl", "1d")]).is_err());
    let followed = from_flags(&[("refresh_token_max_ttl", "5s"), ("session_max_ttl", "7s")]).unwrap();
    assert_eq!(followed.refresh_token_ttl, Duration::seconds(5));
    assert_eq!(followed.session_ttl, Duration::seconds(7));
}

#[test]
fn default_scopes_are_among_the_scopes() {
    let told = fault(from_environment(&[("TEGATA_SCOPES", "memos=Memos")]));
    assert_eq!(
        told,
        r#"default_scopes = "read" (the default): "read" is not among the scopes, which are memos"#
    );
}

#[test]
fn the_database_is_taken_in_order_and_remembers_who_named_it() {
    let source = |sources| Config::load(sources).unwrap().database_url.source().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.toml");
    fs::write(&path, "database_url = 'sqlite://file.db'").unwrap();
    let file = FileSource::Explicit(path.clone());
    let both = pairs(&[
        ("TEGATA_DATABASE_URL", "sqlite://a.db"),
        ("DATABASE_URL", "sqlite://b.db"),
    ]);
    let other = pairs(&[("DATABASE_URL", "sqlite://b.db")]);
    let flags = pairs(&[("database_url", "sqlite::memory:")]);

    assert_eq!(source(Sources::default()), "the default");
    assert_eq!(
        source(Sources {
            environment: other.clone(),
            ..Sources::default()
        }),
        "DATABASE_URL"
    );
    let named = source(Sources {
        environment: other,
        file: file.clone(),
        ..Sources::default()
    });
    assert_eq!(named, path.to_str().unwrap());
    let ours = Sources {
        environment: both.clone(),
        file: file.clone(),
        ..Sources::default()
    };
    assert_eq!(source(ours), "TEGATA_DATABASE_URL");
    assert_eq!(
        source(Sources {
            defaults: Vec::new(),
            flags,
            environment: both,
            file
        }),
        "--database-url"
    );
}

#[test]
fn a_wrong_or_empty_database_url_of_another_program_is_told() {
    let told = fault(from_environment(&[(
        "DATABASE_URL",
        "mysql://root:hunter2@db/app",
    )]));
    assert!(
        told.starts_with(r#"database_url = "mysql://***" (from DATABASE_URL): sqlite://PATH"#),
        "{told}"
    );
    assert!(fault(from_environment(&[("DATABASE_URL", "")])).contains("DATABASE_URL"));
}

#[test]
fn no_password_is_shown() {
    let config = from_environment(&[("TEGATA_DATABASE_URL", "postgres://me:hunter2@db/tegata")]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    let broken = from_file("database_url = 'postgres://me:hunter2@db/tegata")
        .unwrap_err()
        .to_string();
    assert!(
        broken.contains("line 1 is not TOML") && !broken.contains("hunter2"),
        "{broken}"
    );
    let list = from_file("database_url = ['postgres://me:hunter2@db/tegata']")
        .unwrap_err()
        .to_string();
    assert!(!list.contains("hunter2"), "{list}");
    let sources = Sources {
        flags: pairs(&[("database_url", "postgres://me:hunter2@db/x")]),
        ..Sources::default()
    };
    assert!(!format!("{sources:?}").contains("hunter2"));
}

#[test]
fn kubernetes_service_links_are_explained() {
    let told = fault(from_environment(&[("TEGATA_SERVICE_HOST", "10.0.0.1")]));
    assert!(told.contains("enableServiceLinks"), "{told}");
}

#[test]
fn names_are_the_same_everywhere() {
    let setting = SETTINGS
        .iter()
        .find(|setting| setting.name == "access_token_ttl")
        .unwrap();
    assert_eq!(setting.flag(), "access-token-ttl");
    assert_eq!(setting.variable(), "TEGATA_ACCESS_TOKEN_TTL");
    assert_eq!(setting.default_text(), "1h");
}

#[test]
fn what_one_grant_may_give_is_listed_by_grant() {
    let config = from_flags(&[(
        "scopes_by_grant",
        "client_credentials=read,client_credentials=write, device_code=read write applications",
    )])
    .unwrap();
    let names = |grant: &str| config.scopes_by_grant[grant].iter().cloned().collect::<Vec<_>>();
    assert_eq!(names("client_credentials"), ["read", "write"]);
    assert_eq!(names("device_code"), ["applications", "read", "write"]);
    let file = from_file("scopes_by_grant = { client_credentials = 'read' }").unwrap();
    assert_eq!(file.scopes_by_grant["client_credentials"].len(), 1);
    for (value, reason) in [
        ("client_credentials=admin", r#""admin" is not among the scopes"#),
        (
            "refresh_token=read",
            "what is refreshed has what its own grant gives",
        ),
        ("code=read", r#""code" is no grant"#),
        ("read", "as client_credentials=read write is"),
        ("client_credentials=", "as client_credentials=read write is"),
    ] {
        let told = fault(from_flags(&[("scopes_by_grant", value)]));
        assert!(told.contains(reason), "{told}");
    }
}

#[test]
fn the_lifetime_of_one_grant_is_named_once() {
    let config = from_flags(&[(
        "access_token_ttl_by_grant",
        "client_credentials=15m,urn:ietf:params:oauth:grant-type:device_code=2h",
    )])
    .unwrap();
    assert_eq!(
        config.access_token_ttl_by_grant["client_credentials"],
        Duration::minutes(15)
    );
    assert_eq!(
        config.access_token_ttl_by_grant["device_code"],
        Duration::hours(2)
    );
    for (value, reason) in [
        ("client_credentials=1m,client_credentials=2m", "named twice"),
        ("client_credentials=0s", "a duration from 1s"),
        (
            "refresh_token=1m",
            "what is refreshed has what its own grant gives",
        ),
    ] {
        let told = fault(from_flags(&[("access_token_ttl_by_grant", value)]));
        assert!(told.contains(reason), "{told}");
    }
}

#[test]
fn a_scope_may_stand_for_many_but_a_default_is_one() {
    let scopes = ("scopes", "read=Read,user:*=Act for one user");
    let config = from_flags(&[
        scopes,
        ("default_scopes", "user:me"),
        ("optional_scopes", "user:*,user:1"),
    ])
    .unwrap();
    assert_eq!(config.default_scopes, ["user:me"]);
    assert_eq!(config.optional_scopes, ["user:*", "user:1"]);
    let told = fault(from_flags(&[scopes, ("default_scopes", "user:*")]));
    assert!(told.contains("stands for many scopes"), "{told}");
    let told = fault(from_flags(&[scopes, ("optional_scopes", "group:1")]));
    assert!(told.contains(r#""group:1" is not among the scopes"#), "{told}");
}
