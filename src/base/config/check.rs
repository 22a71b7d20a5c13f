//! Settings that must go together.

use time::Duration;

use super::Config;
use super::fault::{Fault, Faults};
use super::source::{GivenValues, Origin};
use super::value::words;

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
    default_scopes(config, given, faults);
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

fn default_scopes(config: &Config, given: &GivenValues, faults: &mut Faults) {
    if config.scopes.is_empty() {
        return;
    }
    let offered = |name: &String| config.scopes.iter().any(|scope| scope.name == *name);
    let Some(missing) = config.default_scopes.iter().find(|name| !offered(name)) else {
        return;
    };
    let names: Vec<&str> = config.scopes.iter().map(|scope| scope.name.as_str()).collect();
    let reason = format!(
        "{missing:?} is not among the scopes, which are {}",
        names.join(", ")
    );
    let shown = config.default_scopes.join(",");
    faults.add(Fault::value(
        "default_scopes",
        &shown,
        &origin("default_scopes", given),
        &reason,
    ));
}

fn origin(name: &str, given: &GivenValues) -> Origin {
    given
        .get(name)
        .map_or(Origin::Default, |given| given.origin.clone())
}
