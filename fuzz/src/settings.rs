//! Settings: what is taken is within its bounds and reads back, what is refused is told in one printable
//! line that holds no password.

use tegata::base::address::Network;
use tegata::base::config::{Config, DatabaseUrl, PublicUrl, SETTINGS, Sources, seconds, words};
use tegata::base::pattern;
use time::Duration;

use super::{assert_printable, text_lines};

const PASSWORD: &str = "correct-horse";

/// Lines of `name=value`.
pub fn holds(input: &[u8]) {
    let Some([text]) = text_lines(input) else { return };
    for line in text.lines() {
        let value = line.split_once('=').map_or(line, |(_, value)| value);
        duration(value);
        network(value);
        public_url(value);
        database_url(value);
    }
    let is_file = |name: &str| name == "config";
    let flags: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| !is_file(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    load(Sources {
        flags: flags.clone(),
        ..Sources::default()
    });
    let in_capitals = |name: String| format!("TEGATA_{}", name.to_ascii_uppercase());
    let variables = flags.into_iter().map(|(name, value)| (in_capitals(name), value));
    load(Sources {
        environment: variables.filter(|(name, _)| name != "TEGATA_CONFIG").collect(),
        ..Sources::default()
    });
}

fn load(sources: Sources) {
    let known = |name: &str| SETTINGS.iter().any(|setting| setting.name == name);
    let all_known = sources.flags.iter().all(|(name, _)| known(name));
    match Config::load(sources) {
        Ok(config) => {
            assert!(all_known);
            is_within_bounds(&config);
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults.iter() {
                assert_printable(&fault.to_string());
            }
        }
    }
}

fn is_within_bounds(config: &Config) {
    let code = config.authorization_code_ttl;
    assert!(code.is_positive() && code <= Duration::minutes(10));
    assert!(
        config.refresh_token_ttl.is_positive() && config.refresh_token_ttl <= config.refresh_token_max_ttl
    );
    assert!(config.session_ttl.is_positive() && config.session_ttl <= config.session_max_ttl);
    assert!(config.access_token_ttl.is_positive() && config.access_token_ttl <= Duration::days(3650));
    assert!(!config.scopes.is_empty() && !config.grants.is_empty());
    for name in &config.default_scopes {
        assert!(
            config
                .scopes
                .iter()
                .any(|scope| pattern::covers(&scope.name, name))
        );
    }
    assert!(!config.log.chars().any(char::is_control));
    assert!(config.issuer(80).is_https() || config.issuer(80).as_str().starts_with("http://"));
}

fn duration(text: &str) {
    let Some(seconds_read) = seconds(text) else { return };
    assert!(seconds_read >= 0);
    assert_eq!(
        seconds(&words(Duration::seconds(seconds_read))),
        Some(seconds_read)
    );
}

fn network(text: &str) {
    let network: Network = match text.parse() {
        Ok(network) => network,
        Err(_) => return,
    };
    assert_eq!(network.to_string().parse(), Ok(network));
    let written = network.to_string();
    let (base, bits) = written.split_once('/').unwrap();
    assert_ne!(bits, "0");
    assert!(network.contains(base.parse().unwrap()), "{network}");
}

fn public_url(text: &str) {
    let url = match PublicUrl::parse(text) {
        Ok(url) => url,
        Err(error) => return assert_printable(&error),
    };
    assert_eq!(url.as_str(), text);
    assert_eq!(format!("{}{}", url.origin(), url.path()), text);
    let read = url::Url::parse(text).unwrap();
    assert_eq!(read.origin().ascii_serialization(), url.origin());
    assert_eq!(read.host_str(), Some(url.host()));
    assert!(url.is_https() || matches!(url.host(), "localhost" | "127.0.0.1" | "[::1]"));
    let joined = url::Url::parse(&url.join("/oauth/token")).unwrap();
    assert_eq!(joined.as_str(), url.join("/oauth/token"));
    assert_eq!(joined.origin(), read.origin());
    assert!(
        url.path()
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b'"' | b'<' | b'&'))
    );
}

/// Whatever stands around a password, it is not shown.
fn database_url(text: &str) {
    if text.contains(PASSWORD) {
        return;
    }
    for url in [
        format!("postgres://user:{PASSWORD}{text}"),
        format!("postgres://user:{text}{PASSWORD}@db.example/tegata"),
    ] {
        match DatabaseUrl::parse(&url, "DATABASE_URL") {
            Ok(read) => {
                let shown = format!("{read} {read:?}");
                assert!(!url.contains('@') || !shown.contains(PASSWORD), "{shown}");
            }
            Err(error) => assert!(!error.contains(PASSWORD), "{error}"),
        }
        let faults = Config::load(Sources {
            flags: vec![
                ("database_url".to_owned(), url.clone()),
                ("listen".to_owned(), "x".to_owned()),
            ],
            ..Sources::default()
        });
        assert!(!faults.unwrap_err().to_string().contains(PASSWORD));
    }
}
