//! The table of settings. Names, defaults, help and readings come from here and nowhere else.

use std::ops::RangeInclusive;

use time::Duration;

use super::Config;
use super::database_url::{DatabaseUrl, redacted};
use super::fault::{Fault, Faults};
use super::public_url::PublicUrl;
use super::source::{Given, Origin};
use super::value::{Reading, Value};

const NETWORKS: &str = "addresses and blocks are allowed, as 192.0.2.7 or 10.0.0.0/8";

/// Of anything that ends some day.
const LIFETIME: RangeInclusive<Duration> = Duration::seconds(1)..=Duration::days(3650);
/// RFC 6749 §4.1.2: a maximum of 10 minutes.
const CODE: RangeInclusive<Duration> = Duration::seconds(1)..=Duration::minutes(10);
const DEVICE_CODE: RangeInclusive<Duration> = Duration::seconds(1)..=Duration::days(1);
/// Long enough for a client that retries, too short for a thief who reads old traffic.
const RETRY_WINDOW: RangeInclusive<Duration> = Duration::ZERO..=Duration::minutes(5);
/// Of how old the timestamp of a signed request may be: a clock that is set by hand is minutes off, and what is
/// accepted must be remembered as long.
const TIMESTAMP_WINDOW: RangeInclusive<Duration> = Duration::seconds(1)..=Duration::hours(1);
const CLOCK_SKEW: RangeInclusive<Duration> = Duration::seconds(1)..=Duration::hours(1);

/// A setting: its name and what people are told of it.
#[derive(Debug)]
pub struct Setting {
    /// As in the file.
    pub name: &'static str,
    pub preset: Preset,
    /// One sentence without a full stop.
    pub help: &'static str,
    set: fn(&mut Config, &Value) -> Reading<()>,
}

/// What counts when nobody says anything.
#[derive(Debug)]
pub enum Preset {
    /// Read like any other value.
    Value(&'static str),
    /// Depends on circumstances; these are the words for it.
    Words(&'static str),
}

impl Setting {
    /// The default, for people.
    pub fn default_text(&self) -> &'static str {
        match self.preset {
            Preset::Value(text) | Preset::Words(text) => text,
        }
    }

    /// `access-token-ttl`: the name on the command line, without its two dashes.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// `TEGATA_ACCESS_TOKEN_TTL`: the name in the environment.
    pub fn variable(&self) -> String {
        format!("TEGATA_{}", self.name.to_ascii_uppercase())
    }
}

/// The setting of that name.
pub(super) fn named(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

/// Sets the given value, or the default.
pub(super) fn apply(setting: &Setting, given: Option<&Given>, config: &mut Config, faults: &mut Faults) {
    let preset;
    let given = match (given, &setting.preset) {
        (Some(given), _) => given,
        (None, Preset::Words(_)) => return,
        (None, Preset::Value(text)) => {
            preset = Given {
                value: Value::One((*text).to_owned()),
                origin: Origin::Default,
            };
            &preset
        }
    };
    let outcome = given.value.check().and_then(|()| match setting.name {
        "database_url" => database_url(config, given),
        _ => (setting.set)(config, &given.value),
    });
    if let Err(reason) = outcome {
        faults.add(Fault::value(
            setting.name,
            &shown(setting, &given.value),
            &given.origin,
            &reason,
        ));
    }
}

/// The value as a fault may show it.
fn shown(setting: &Setting, value: &Value) -> String {
    let text = value.shown();
    if setting.name == "database_url" {
        redacted(&text)
    } else {
        text
    }
}

/// The one setting that remembers where it came from.
fn database_url(config: &mut Config, given: &Given) -> Reading<()> {
    config.database_url = DatabaseUrl::parse(given.value.text()?, given.origin.name())?;
    Ok(())
}

/// Every setting, in the order people read about them.
pub static SETTINGS: &[Setting] = &[
    Setting {
        name: "config",
        preset: Preset::Words("tegata.toml if it is there"),
        help: "Path of the file with settings",
        set: |_, v| v.path().map(drop),
    },
    Setting {
        name: "listen",
        preset: Preset::Words("127.0.0.1:3801, and [::1]:3801 where there is IPv6"),
        help: "Addresses to listen on; port 0 picks a free one",
        set: |c, v| v.addresses().map(|read| c.listen = Some(read)),
    },
    Setting {
        name: "public_url",
        preset: Preset::Words("http://localhost:3801, with the port in use"),
        help: "The issuer: where people and applications reach this server; https, except on loopback",
        set: |c, v| PublicUrl::parse(v.text()?).map(|read| c.public_url = Some(read)),
    },
    Setting {
        name: "database_url",
        preset: Preset::Value("sqlite://data/tegata.db"),
        help: "sqlite://PATH, sqlite::memory: or postgres://…; without it, DATABASE_URL counts",
        set: |c, v| DatabaseUrl::parse(v.text()?, "").map(|read| c.database_url = read),
    },
    Setting {
        name: "access_token_ttl",
        preset: Preset::Value("1h"),
        help: "How long an access token lives",
        set: |c, v| v.duration(&LIFETIME).map(|read| c.access_token_ttl = read),
    },
    Setting {
        name: "access_token_ttl_by_grant",
        preset: Preset::Words("none"),
        help: "The same for one grant, as client_credentials=15m",
        set: |c, v| {
            v.durations_by_grant(&LIFETIME)
                .map(|read| c.access_token_ttl_by_grant = read)
        },
    },
    Setting {
        name: "refresh_token_ttl",
        preset: Preset::Value("30d"),
        help: "How long a refresh token lives that nobody uses",
        set: |c, v| v.duration(&LIFETIME).map(|read| c.refresh_token_ttl = read),
    },
    Setting {
        name: "refresh_token_max_ttl",
        preset: Preset::Value("365d"),
        help: "How long a grant can be refreshed at all",
        set: |c, v| v.duration(&LIFETIME).map(|read| c.refresh_token_max_ttl = read),
    },
    Setting {
        name: "refresh_token_retry_window",
        preset: Preset::Value("10s"),
        help: "How long a lost refresh answer is given again; 0s: never",
        set: |c, v| {
            v.duration(&RETRY_WINDOW)
                .map(|read| c.refresh_token_retry_window = read)
        },
    },
    Setting {
        name: "authorization_code_ttl",
        preset: Preset::Value("60s"),
        help: "How long an authorization code lives; always 10m where a person copies it",
        set: |c, v| v.duration(&CODE).map(|read| c.authorization_code_ttl = read),
    },
    Setting {
        name: "device_code_ttl",
        preset: Preset::Value("10m"),
        help: "How long a device code lives",
        set: |c, v| v.duration(&DEVICE_CODE).map(|read| c.device_code_ttl = read),
    },
    Setting {
        name: "session_ttl",
        preset: Preset::Value("12h"),
        help: "How long a person stays signed in without doing anything",
        set: |c, v| v.duration(&LIFETIME).map(|read| c.session_ttl = read),
    },
    Setting {
        name: "session_max_ttl",
        preset: Preset::Value("30d"),
        help: "How long a person stays signed in at all",
        set: |c, v| v.duration(&LIFETIME).map(|read| c.session_max_ttl = read),
    },
    Setting {
        name: "audit_log_ttl",
        preset: Preset::Value("365d"),
        help: "How long the audit log keeps an event",
        set: |c, v| v.duration(&LIFETIME).map(|read| c.audit_log_ttl = read),
    },
    Setting {
        name: "require_pkce",
        preset: Preset::Value("false"),
        help: "Ask PKCE of confidential applications too; public ones always need it",
        set: |c, v| v.switch().map(|read| c.require_pkce = read),
    },
    Setting {
        name: "user_applications",
        preset: Preset::Value("false"),
        help: "Let users who are no administrators register and manage applications of their own",
        set: |c, v| v.switch().map(|read| c.user_applications = read),
    },
    Setting {
        name: "grants",
        preset: Preset::Value("authorization_code,refresh_token,client_credentials,device_code"),
        help: "The grants offered at all; password and implicit too, if you must (RFC 9700 is against both)",
        set: |c, v| v.grants().map(|read| c.grants = read),
    },
    Setting {
        name: "scopes",
        preset: Preset::Value("read=Read your memos,write=Write and delete your memos"),
        help: "The scopes offered, as name=description; user:*=… offers user:1, user:2 and so on",
        set: |c, v| v.scopes().map(|read| c.scopes = read),
    },
    Setting {
        name: "default_scopes",
        preset: Preset::Value("read"),
        help: "The scopes of a request that names none",
        set: |c, v| v.scope_names().map(|read| c.default_scopes = read),
    },
    Setting {
        name: "optional_scopes",
        preset: Preset::Words("none"),
        help: "The scopes that a person may untick on the consent page",
        set: |c, v| v.scope_names().map(|read| c.optional_scopes = read),
    },
    Setting {
        name: "scopes_by_grant",
        preset: Preset::Words("every scope by every grant"),
        help: "All that one grant may give, as client_credentials=read write",
        set: |c, v| v.scopes_by_grant().map(|read| c.scopes_by_grant = read),
    },
    Setting {
        name: "resources",
        preset: Preset::Words("none but /api/memos of this server"),
        help: "The resources that tokens may be asked for, as https://api.example.com (RFC 8707)",
        set: |c, v| v.resources().map(|read| c.resources = read),
    },
    Setting {
        name: "rate_limits",
        preset: Preset::Value("true"),
        help: "Limit attempts; false is for test runs",
        set: |c, v| v.switch().map(|read| c.rate_limits = read),
    },
    Setting {
        name: "trusted_proxies",
        preset: Preset::Words("none"),
        help: "Addresses or blocks whose Forwarded and X-Forwarded-* headers are believed",
        set: |c, v| v.list(NETWORKS).map(|read| c.trusted_proxies = read),
    },
    Setting {
        name: "tls_certificate",
        preset: Preset::Words("none"),
        help: "PEM file with the certificate chain; with it every address of listen speaks TLS",
        set: |c, v| v.path().map(|read| c.tls_certificate = Some(read)),
    },
    Setting {
        name: "tls_key",
        preset: Preset::Words("none"),
        help: "PEM file with the certificate's key",
        set: |c, v| v.path().map(|read| c.tls_key = Some(read)),
    },
    Setting {
        name: "tls_client_ca",
        preset: Preset::Words("none"),
        help: "PEM file with the authorities whose certificates prove applications (RFC 8705)",
        set: |c, v| v.path().map(|read| c.tls_client_ca = Some(read)),
    },
    Setting {
        name: "mtls_listen",
        preset: Preset::Words("none: the addresses of listen ask for client certificates"),
        help: "Addresses that ask for client certificates, so that those of listen do not",
        set: |c, v| v.addresses().map(|read| c.mtls_listen = Some(read)),
    },
    Setting {
        name: "mtls_public_url",
        preset: Preset::Words("the host of public_url, with the port of mtls_listen"),
        help: "Where applications reach mtls_listen",
        set: |c, v| PublicUrl::parse(v.text()?).map(|read| c.mtls_public_url = Some(read)),
    },
    Setting {
        name: "client_certificate_header",
        preset: Preset::Words("none"),
        help: "The header in which the trusted proxies hand on a client's certificate, as Client-Cert; of Envoy with \
               SANITIZE_SET alone",
        set: |c, v| {
            v.header_name()
                .map(|read| c.client_certificate_header = Some(read))
        },
    },
    Setting {
        name: "oauth1",
        preset: Preset::Value("false"),
        help: "Be an OAuth 1.0a provider too (RFC 5849), for the applications that are allowed it",
        set: |c, v| v.switch().map(|read| c.oauth1 = read),
    },
    Setting {
        name: "oauth1_access_token_ttl",
        preset: Preset::Value("365d"),
        help: "How long an access token of OAuth 1.0a lives; it cannot be refreshed",
        set: |c, v| v.duration(&LIFETIME).map(|read| c.oauth1_access_token_ttl = read),
    },
    Setting {
        name: "oauth1_timestamp_window",
        preset: Preset::Value("5m"),
        help: "How old a signed request of OAuth 1.0a may be; its nonce is remembered as long, for about 300 requests a second",
        set: |c, v| {
            v.duration(&TIMESTAMP_WINDOW)
                .map(|read| c.oauth1_timestamp_window = read)
        },
    },
    Setting {
        name: "oauth1_clock_skew",
        preset: Preset::Value("1m"),
        help: "How far ahead the clock may be of who signs a request of OAuth 1.0a",
        set: |c, v| v.duration(&CLOCK_SKEW).map(|read| c.oauth1_clock_skew = read),
    },
    Setting {
        name: "sealing_key_file",
        preset: Preset::Words("sealing.key beside the SQLite file"),
        help: "The keys that seal what must be read again; to be given on PostgreSQL where oauth1 is on",
        set: |c, v| v.path().map(|read| c.sealing_key_file = Some(read)),
    },
    Setting {
        name: "log",
        preset: Preset::Value("info"),
        help: "What is logged: off, error, warn, info, debug or trace, also for a target, as info,sqlx=warn",
        set: |c, v| v.log_filter().map(|read| c.log = read),
    },
    Setting {
        name: "log_format",
        preset: Preset::Words("pretty on a terminal, else json"),
        help: "How it is logged: pretty or json",
        set: |c, v| v.log_format().map(|read| c.log_format = Some(read)),
    },
];
