//! Settings that must go together.

use time::Duration;

use super::fault::{Fault, Faults};
use super::source::{GivenValues, Origin};
use super::value::words;
use super::{APPLICATIONS_SCOPE, Config, Database, PublicUrl};
use crate::base::pattern;

/// Checks what no setting can know alone. A default that does not fit a value somebody gave follows it
/// where that is harmless.
pub(super) fn together(config: &mut Config, given: &GivenValues, faults: &mut Faults) {
    within(
        ("refresh_token_ttl", &mut config.refresh_token_ttl),
        ("refresh_token_max_ttl", config.refresh_token_max_ttl),
        given,
        faults,
    );
    within(
        ("session_ttl", &mut config.session_ttl),
        ("session_max_ttl", config.session_max_ttl),
        given,
        faults,
    );
    scopes(config, given, faults);
    tls(config, given, faults);
    sealing(config, given, faults);
}

fn tls(config: &Config, given: &GivenValues, faults: &mut Faults) {
    let certificate = config.tls_certificate.is_some();
    let by_proxy = given.contains_key("client_certificate_header");
    // a value that was refused already is told once
    for (name, was_read, other) in [
        ("tls_certificate", certificate, "tls_key"),
        ("tls_key", config.tls_key.is_some(), "tls_certificate"),
        ("mtls_listen", config.mtls_listen.is_some(), "tls_certificate"),
        (
            "mtls_public_url",
            config.mtls_public_url.is_some() && !by_proxy,
            "mtls_listen",
        ),
        (
            "client_certificate_header",
            config.client_certificate_header.is_some(),
            "trusted_proxies",
        ),
        (
            "tls_client_ca",
            config.tls_client_ca.is_some() && !by_proxy,
            "tls_certificate",
        ),
    ] {
        let Some(value) = given.get(name).filter(|_| was_read) else {
            continue;
        };
        if !given.contains_key(other) {
            let reason = format!("is of no use without {other}: set both or none");
            faults.add(Fault::value(name, &value.value.shown(), &value.origin, &reason));
        }
    }
    if certificate {
        https("public_url", config.public_url.as_ref(), given, faults);
    }
    https("mtls_public_url", config.mtls_public_url.as_ref(), given, faults);
}

fn https(name: &str, url: Option<&PublicUrl>, given: &GivenValues, faults: &mut Faults) {
    if let Some(url) = url.filter(|url| !url.is_https()) {
        let reason = "must be https, since TLS is spoken there";
        faults.add(Fault::value(name, url.as_str(), &origin(name, given), reason));
    }
}

/// Two nodes that each make a key of their own could not read what the other sealed.
fn sealing(config: &Config, given: &GivenValues, faults: &mut Faults) {
    let many_nodes = matches!(config.database_url.database(), Database::Postgres(_));
    if config.oauth1 && many_nodes && config.sealing_key_file.is_none() {
        let reason =
            "seals secrets, and on PostgreSQL the file of the keys must be named: set sealing_key_file";
        faults.add(Fault::value("oauth1", "true", &origin("oauth1", given), reason));
    }
}

/// The idle limit is never over the absolute one.
fn within(idle: (&str, &mut Duration), most: (&str, Duration), given: &GivenValues, faults: &mut Faults) {
    let (idle_name, idle) = idle;
    let (most_name, most) = most;
    // a zero was refused already, or was never read
    if most.is_zero() || *idle <= most {
        return;
    }
    if !given.contains_key(idle_name) {
        *idle = most;
        return;
    }
    let reason = format!("is over {most_name}, which is {}", words(most));
    faults.add(Fault::value(
        idle_name,
        &words(*idle),
        &origin(idle_name, given),
        &reason,
    ));
}

/// Where scopes are named, they are offered.
fn scopes(config: &Config, given: &GivenValues, faults: &mut Faults) {
    // they were refused already, or were never read
    if config.scopes.is_empty() {
        return;
    }
    let mut refuse = |name: &str, shown: &str, reason: Option<String>| {
        if let Some(reason) = reason {
            faults.add(Fault::value(name, shown, &origin(name, given), &reason));
        }
    };
    let stands_for_many = |name: &&String| pattern::prefix(name).is_some();
    let default = &config.default_scopes;
    let too_many = default.iter().find(stands_for_many).map(|name| {
        format!("{name:?} stands for many scopes, and a default is one: give it a value in place of the star")
    });
    let reason = too_many.or_else(|| missing(config, default, &[]));
    refuse("default_scopes", &default.join(","), reason);
    let optional = &config.optional_scopes;
    refuse(
        "optional_scopes",
        &optional.join(","),
        missing(config, optional, &[]),
    );
    for (grant, names) in &config.scopes_by_grant {
        let shown = names.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let reason = missing(config, names, &[APPLICATIONS_SCOPE]);
        refuse("scopes_by_grant", &format!("{grant}={shown}"), reason);
    }
}

/// The first of `names` that is neither offered nor one of `others`, in words.
fn missing<'a>(
    config: &Config,
    names: impl IntoIterator<Item = &'a String>,
    others: &[&str],
) -> Option<String> {
    let offered: Vec<&str> = config.scopes.iter().map(|scope| scope.name.as_str()).collect();
    let known =
        |name: &str| others.contains(&name) || offered.iter().any(|offered| pattern::covers(offered, name));
    let missing = names.into_iter().find(|name| !known(name))?;
    Some(format!(
        "{missing:?} is not among the scopes, which are {}",
        offered.join(", ")
    ))
}

fn origin(name: &str, given: &GivenValues) -> Origin {
    given
        .get(name)
        .map_or(Origin::Default, |given| given.origin.clone())
}
