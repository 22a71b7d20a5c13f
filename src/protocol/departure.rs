//! Where a server or an application departs from best current practice (RFC 9700).

use serde::Serialize;
use time::{Duration, OffsetDateTime};

use crate::base::config::{Config, PublicUrl, words};
use crate::model::application::{ApplicationSecret, ApplicationSettings, Client, SecretDigest};
use crate::model::client_id::ClientId;
use crate::model::grant_type::GrantType;
use crate::model::origin::Origin;
use crate::model::redirect_uri::RedirectUri;

/// RFC 6750 §5.3: one hour or less.
const ACCESS_TOKEN: Duration = Duration::hours(1);
const IDLE_REFRESH_TOKEN: Duration = Duration::days(90);
const REFRESH_TOKEN: Duration = Duration::days(365);
const RETRY_WINDOW: Duration = Duration::seconds(30);
const SECRET: Duration = Duration::days(365);
const BOTH_SECRETS: Duration = Duration::days(30);

/// One thing that is less safe than it could be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Departure {
    /// Whose it is; `None`: the server's.
    pub application: Option<ClientId>,
    /// The setting of the server or of the application.
    pub setting: &'static str,
    /// What it is now. Never a secret.
    pub value: String,
    /// What can come of it.
    pub why: &'static str,
    /// What to do about it.
    pub mend: &'static str,
    /// Where it is said, as `RFC 9700 §2.4`.
    pub section: &'static str,
}

struct Rule {
    why: &'static str,
    mend: &'static str,
    section: &'static str,
}

impl Rule {
    fn broken(&self, setting: &'static str, value: impl Into<String>) -> Departure {
        Departure {
            application: None,
            setting,
            value: value.into(),
            why: self.why,
            mend: self.mend,
            section: self.section,
        }
    }
}

const PASSWORD: Rule = Rule {
    why: "The application sees people's passwords, and nothing but a password can protect an account.",
    mend: "Take password out of the grants and let the application use authorization_code.",
    section: "RFC 9700 §2.4",
};
const IMPLICIT: Rule = Rule {
    why: "Access tokens travel in URLs, from where they leak, and can be slipped into another's session.",
    mend: "Take implicit out of the grants and let the application use authorization_code with PKCE.",
    section: "RFC 9700 §2.1.2",
};
const NO_PKCE: Rule = Rule {
    why: "A stolen authorization code can be slipped into another's session with the application.",
    mend: "Set require_pkce, of the application or of the server, once the application sends a challenge.",
    section: "RFC 9700 §2.1.1",
};
const NO_RATE_LIMITS: Rule = Rule {
    why: "Passwords and secrets can be guessed at any speed.",
    mend: "Leave rate_limits out, so that attempts are limited.",
    section: "RFC 6749 §10.10",
};
const LONG_ACCESS_TOKEN: Rule = Rule {
    why: "A stolen access token is good until it ends, for an hour at most where that is the limit.",
    mend: "Set it to 1h or less; refresh tokens carry an application further.",
    section: "RFC 6750 §5.3",
};
const LONG_IDLE_REFRESH_TOKEN: Rule = Rule {
    why: "The refresh token of an application that nobody uses any more stays good, and can be stolen.",
    mend: "Set it to 90d or less.",
    section: "RFC 9700 §4.14.2",
};
const LONG_REFRESH_TOKEN: Rule = Rule {
    why: "A grant goes on for so long without anybody being asked again.",
    mend: "Set it to 365d or less.",
    section: "RFC 9700 §4.14.2",
};
const LONG_RETRY_WINDOW: Rule = Rule {
    why: "For so long a stolen refresh token that comes again is not told from a lost answer.",
    mend: "Set it to 30s or less; the usual 10s bears a lost connection.",
    section: "RFC 9700 §4.14.2",
};
const NO_PROXY: Rule = Rule {
    why: "TLS ends in front of this server, but no proxy is believed: everybody seems to come from the proxy's \
          address, and they share one limit of attempts.",
    mend: "Name the proxy's address, and have it replace the Forwarded and X-Forwarded-* headers it is sent.",
    section: "RFC 9700 §4.13",
};
const NO_ISS: Rule = Rule {
    why: "A client that uses several authorization servers can be led to send this one's codes to another, and \
          the metadata cannot promise iss while one application goes without.",
    mend: "Set send_iss, once the client bears a parameter it does not know.",
    section: "RFC 9700 §4.4.2",
};
const TRUSTED: Rule = Rule {
    why: "Nobody is asked: whoever leads a signed-in person to a link obtains a code for the application, or a token by the implicit \
          grant.",
    mend: "Take trusted away, unless the application is run by the people who run this server.",
    section: "RFC 6749 §10.2",
};
const ANY_PORT: Rule = Rule {
    why: "A code may be sent to any port of the person's machine; only native applications need that, and one \
          that keeps a secret is none.",
    mend: "Take localhost_any_port away and register the port.",
    section: "RFC 9700 §2.1",
};
const LOCALHOST: Rule = Rule {
    why: "The name localhost can be made to mean another machine, and a listener may be open to the network.",
    mend: "Register http://127.0.0.1 or http://[::1] for a native application, https for any other.",
    section: "RFC 8252 §8.3",
};
const LOOPBACK: Rule = Rule {
    why: "Codes travel without TLS to whatever listens on the person's machine; an application that keeps a \
          secret does not run there.",
    mend: "Register an https redirect URI, and keep this one for an application of its own for development.",
    section: "RFC 9700 §2.6",
};
const PRIVATE_SCHEME: Rule = Rule {
    why: "Any other application on the device may claim the scheme and be handed the code.",
    mend: "Register an https redirect URI that the device knows to be the application's, or a loopback one.",
    section: "RFC 8252 §8.1",
};
const COPIED: Rule = Rule {
    why: "People who copy codes by hand can be talked into giving them to somebody else, and such a code lives \
          for ten minutes.",
    mend: "Use a loopback redirect URI, or device_code where there is no browser.",
    section: "RFC 8252 §7",
};
const SECRET_IN_BROWSER: Rule = Rule {
    why: "A page in a browser cannot keep a secret: whoever opens it can read it and pass as the application.",
    mend: "Register the browser application as a public one of its own, and take allowed_origins away here.",
    section: "RFC 6749 §2.1",
};
const LOCAL_ORIGIN: Rule = Rule {
    why: "Any page that a program on the person's machine serves there may call the token endpoint as the \
          application.",
    mend: "Keep it for an application of its own for development, and take it away here.",
    section: "RFC 9700 §2.6",
};
const CHOSEN_SECRET: Rule = Rule {
    why: "A secret that a person chose can be guessed, or known from elsewhere; a generated one cannot.",
    mend: "Rotate it: tegata application rotate-secret generates one.",
    section: "RFC 6749 §10.10",
};
const OLD_SECRET: Rule = Rule {
    why: "The longer a secret lives the more copies of it there are, in backups and with people who have left.",
    mend: "Rotate it: tegata application rotate-secret.",
    section: "RFC 6749 §10.1",
};
const TWO_SECRETS: Rule = Rule {
    why: "The older secret was replaced but goes on working, wherever copies of it are.",
    mend: "Retire the older secret on the application's page.",
    section: "RFC 6749 §10.1",
};

const OAUTH1: Rule = Rule {
    why: "Its requests are proven by HMAC-SHA1 or RSA-SHA1 at best, its tokens live for a year and its secrets must be \
          kept readable; nothing of PKCE, short lifetimes and refresh holds for it.",
    mend: "Move the application to OAuth 2.0 and switch OAuth 1.0a off for it.",
    section: "RFC 9700 §1",
};

/// Where the settings of the server depart, in the order of the settings.
pub fn of_server(config: &Config) -> Vec<Departure> {
    let mut found = Vec::new();
    let behind_proxy = config.public_url.as_ref().is_some_and(PublicUrl::is_https);
    found.extend(longer(
        &LONG_ACCESS_TOKEN,
        "access_token_ttl",
        config.access_token_ttl,
        ACCESS_TOKEN,
    ));
    for (grant, ttl) in &config.access_token_ttl_by_grant {
        found.extend(longer_by_grant("access_token_ttl_by_grant", grant, *ttl));
    }
    for (rule, setting, is, most) in [
        (
            &LONG_IDLE_REFRESH_TOKEN,
            "refresh_token_ttl",
            config.refresh_token_ttl,
            IDLE_REFRESH_TOKEN,
        ),
        (
            &LONG_REFRESH_TOKEN,
            "refresh_token_max_ttl",
            config.refresh_token_max_ttl,
            REFRESH_TOKEN,
        ),
        (
            &LONG_RETRY_WINDOW,
            "refresh_token_retry_window",
            config.refresh_token_retry_window,
            RETRY_WINDOW,
        ),
    ] {
        found.extend(longer(rule, setting, is, most));
    }
    for (grant, rule) in [(GrantType::Password, &PASSWORD), (GrantType::Implicit, &IMPLICIT)] {
        if config.grants.contains(grant.name()) {
            found.push(rule.broken("grants", grant.name()));
        }
    }
    if config.oauth1 {
        found.push(OAUTH1.broken("oauth1", "true"));
    }
    if !config.rate_limits {
        found.push(NO_RATE_LIMITS.broken("rate_limits", "false"));
    }
    if behind_proxy && config.trusted_proxies.is_empty() {
        found.push(NO_PROXY.broken("trusted_proxies", "none"));
    }
    found
}

/// Where an application departs by itself: what it has from the server is the server's. `pkce_for_all`: the
/// server's `require_pkce`.
pub fn of_application(client: &Client, pkce_for_all: bool, now: OffsetDateTime) -> Vec<Departure> {
    let settings = &client.application.settings;
    let mut found = grants(settings);
    let by_code = settings.allows(GrantType::AuthorizationCode);
    let pkce = pkce_for_all || settings.require_pkce || !settings.confidential;
    found.extend((by_code && !pkce).then(|| NO_PKCE.broken("require_pkce", "false")));
    if by_code || settings.allows(GrantType::Implicit) {
        found.extend((!settings.send_iss).then(|| NO_ISS.broken("send_iss", "false")));
        found.extend(settings.trusted.then(|| TRUSTED.broken("trusted", "true")));
        let any_port = settings.localhost_any_port && settings.confidential;
        found.extend(any_port.then(|| ANY_PORT.broken("localhost_any_port", "true")));
        found.extend(
            settings
                .redirect_uris
                .iter()
                .filter_map(|uri| redirect_uri(uri, settings.confidential)),
        );
    }
    found.extend(client.application.oauth1.then(|| OAUTH1.broken("oauth1", "true")));
    found.extend(lifetimes(settings));
    found.extend(origins(settings));
    found.extend(secrets(&client.secrets, now));
    for departure in &mut found {
        departure.application = Some(client.application.client_id.clone());
    }
    found
}

fn grants(settings: &ApplicationSettings) -> Vec<Departure> {
    [(GrantType::Password, &PASSWORD), (GrantType::Implicit, &IMPLICIT)]
        .into_iter()
        .filter(|(grant, _)| settings.allows(*grant))
        .map(|(grant, rule)| rule.broken("grants", grant.name()))
        .collect()
}

fn redirect_uri(uri: &RedirectUri, confidential: bool) -> Option<Departure> {
    let text = uri.as_str();
    let rule = if uri.is_oob() {
        &COPIED
    } else if uri.is_loopback_ip() {
        // what a native application is told to use
        confidential.then_some(&LOOPBACK)?
    } else if text.starts_with("http:") {
        &LOCALHOST
    } else if text.starts_with("https:") {
        return None;
    } else {
        &PRIVATE_SCHEME
    };
    Some(rule.broken("redirect_uris", text))
}

/// A page that may call the token endpoint, where it should not.
fn origins(settings: &ApplicationSettings) -> Vec<Departure> {
    let origins = settings.allowed_origins.iter().map(Origin::as_str);
    origins
        .filter_map(|origin| {
            let local = origin.starts_with("http:").then_some(&LOCAL_ORIGIN);
            let rule = settings.confidential.then_some(&SECRET_IN_BROWSER).or(local)?;
            Some(rule.broken("allowed_origins", origin))
        })
        .collect()
}

fn lifetimes(settings: &ApplicationSettings) -> Vec<Departure> {
    let mut found = Vec::new();
    let refreshes = settings.allows(GrantType::RefreshToken);
    for (rule, setting, seconds, most) in [
        (
            &LONG_ACCESS_TOKEN,
            "access_token_ttl",
            settings.access_token_ttl,
            ACCESS_TOKEN,
        ),
        (
            &LONG_IDLE_REFRESH_TOKEN,
            "refresh_token_ttl",
            settings.refresh_token_ttl.filter(|_| refreshes),
            IDLE_REFRESH_TOKEN,
        ),
        (
            &LONG_REFRESH_TOKEN,
            "refresh_token_max_ttl",
            settings.refresh_token_max_ttl.filter(|_| refreshes),
            REFRESH_TOKEN,
        ),
    ] {
        found.extend(seconds.and_then(|seconds| longer(rule, setting, Duration::seconds(seconds), most)));
    }
    for (grant, seconds) in &settings.access_token_ttls {
        let ttl = Duration::seconds(*seconds);
        found.extend(longer_by_grant("access_token_ttls", grant.name(), ttl));
    }
    found
}

fn longer(rule: &Rule, setting: &'static str, is: Duration, most: Duration) -> Option<Departure> {
    (is > most).then(|| rule.broken(setting, words(is)))
}

fn longer_by_grant(setting: &'static str, grant: &str, ttl: Duration) -> Option<Departure> {
    (ttl > ACCESS_TOKEN).then(|| LONG_ACCESS_TOKEN.broken(setting, format!("{grant}={}", words(ttl))))
}

/// Of two secrets, how long they have lived beside each other is the age of the younger.
fn secrets(secrets: &[ApplicationSecret], now: OffsetDateTime) -> Vec<Departure> {
    let live: Vec<&ApplicationSecret> = secrets.iter().filter(|secret| secret.is_live(now)).collect();
    let mut ages: Vec<Duration> = live.iter().map(|secret| now - secret.created_at).collect();
    ages.sort();
    let days = |age: Duration| format!("{} days old", age.whole_days());
    let mut found = Vec::new();
    let chosen = |secret: &&ApplicationSecret| matches!(secret.digest, SecretDigest::Chosen(_));
    found.extend(
        live.iter()
            .any(chosen)
            .then(|| CHOSEN_SECRET.broken("client_secret", "chosen by a person")),
    );
    if let Some(oldest) = ages.last().filter(|age| **age > SECRET) {
        found.push(OLD_SECRET.broken("client_secret", days(*oldest)));
    }
    if let [youngest, _, ..] = ages.as_slice()
        && *youngest > BOTH_SECRETS
    {
        found.push(TWO_SECRETS.broken("client_secret", format!("two, the younger {}", days(*youngest))));
    }
    found
}

#[cfg(test)]
mod tests;
