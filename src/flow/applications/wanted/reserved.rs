//! What only an administrator gives to an application. Whoever else manages it keeps what it has, or takes it
//! away.

use std::collections::BTreeMap;

use super::Faults;
use crate::base::config::words;
use crate::flow::App;
use crate::flow::applications::Manager;
use crate::model::application::ApplicationSettings;
use crate::model::grant_type::GrantType;
use crate::model::scope::{Scope, Scopes};
use crate::protocol::scope::APPLICATIONS;

/// Adds what `by` may not set. `before`: as it is registered, if it is.
pub(super) fn check(
    app: &App,
    by: Manager,
    before: Option<&ApplicationSettings>,
    after: &ApplicationSettings,
    faults: &mut Faults,
) {
    if by.is_administrator() {
        return;
    }
    let had = |has: fn(&ApplicationSettings) -> bool| before.is_some_and(has);
    if after.trusted && !had(|before| before.trusted) {
        faults.add("trusted", "Only an administrator makes an application trusted.");
    }
    if after.introspect && !had(|before| before.introspect) {
        faults.add(
            "introspect",
            "Only an administrator lets an application introspect the tokens of others.",
        );
    }
    // With one that is silent the metadata could promise `iss` for none.
    if !after.send_iss && !had(|before| !before.send_iss) {
        faults.add("send_iss", "Only an administrator leaves iss out.");
    }
    if after.allows(GrantType::Password) && !had(|before| before.allows(GrantType::Password)) {
        faults.add("grants", "Only an administrator allows the password grant.");
    }
    if manages(app, after) && !before.is_some_and(|before| manages(app, before)) {
        let message = format!("Only an administrator allows {APPLICATIONS}: name the scopes without it.");
        faults.add("scopes", message);
    }
    if let Some(before) = before {
        leads_nowhere_else(app, before, after, faults);
    }
    no_longer_than_usual(app, before, after, faults);
}

/// An administrator trusts an application, or lets it see passwords, as it is: for what it gets and where it leads
/// nobody is asked again.
fn leads_nowhere_else(
    app: &App,
    before: &ApplicationSettings,
    after: &ApplicationSettings,
    faults: &mut Faults,
) {
    let [had, wanted] = [before, after].map(|one| app.catalog.allowed(one.scopes.as_ref()));
    let more_scopes = !wanted.is_subset(&had);
    if after.allows(GrantType::Password) && more_scopes {
        faults.add(
            "scopes",
            "Only an administrator gives more scopes to an application that may use the password grant.",
        );
    }
    let leads_elsewhere = after
        .redirect_uris
        .iter()
        .any(|uri| !before.redirect_uris.contains(uri))
        || after
            .allowed_origins
            .iter()
            .any(|origin| !before.allowed_origins.contains(origin))
        || (after.localhost_any_port && !before.localhost_any_port);
    if after.trusted && (more_scopes || leads_elsewhere || !after.grants.is_subset(&before.grants)) {
        faults.add(
            "trusted",
            "Nobody is asked about a trusted application: only an administrator gives it scopes, grants or \
             addresses that it did not have. Ask one, or take the trust away.",
        );
    }
}

/// Whether its users' tokens may manage applications.
fn manages(app: &App, settings: &ApplicationSettings) -> bool {
    reaches_applications(&app.catalog.allowed(settings.scopes.as_ref()))
}

/// Whether one of them is, or stands for, the scope that manages applications.
pub(super) fn reaches_applications(scopes: &Scopes) -> bool {
    Scope::parse(APPLICATIONS).is_ok_and(|scope| scopes.covers(&scope))
}

/// The server's lifetimes are the most that others than administrators give; by every grant, as one that is
/// not allowed now may be allowed later.
fn no_longer_than_usual(
    app: &App,
    before: Option<&ApplicationSettings>,
    after: &ApplicationSettings,
    faults: &mut Faults,
) {
    let usual = ApplicationSettings {
        access_token_ttl: None,
        refresh_token_ttl: None,
        refresh_token_max_ttl: None,
        access_token_ttls: BTreeMap::new(),
        ..after.clone()
    };
    for grant in GrantType::ALL {
        let lifetimes = |settings: &ApplicationSettings| app.lifetimes(settings, grant);
        let (wanted, server) = (lifetimes(after), lifetimes(&usual));
        let had = before.map_or(server, lifetimes);
        let access = if after.access_token_ttls.contains_key(&grant) {
            "access_token_ttls"
        } else {
            "access_token_ttl"
        };
        for (field, wanted, most) in [
            (
                access,
                wanted.access_token,
                had.access_token.max(server.access_token),
            ),
            (
                "refresh_token_ttl",
                wanted.refresh_token,
                had.refresh_token.max(server.refresh_token),
            ),
            (
                "refresh_token_max_ttl",
                wanted.refresh_token_max,
                had.refresh_token_max.max(server.refresh_token_max),
            ),
        ] {
            if wanted > most && !faults.has(field) {
                let most = words(most);
                faults.add(field, format!("Only an administrator gives more than {most}."));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, SteeredClock};
    use crate::base::config::{Config, Sources};
    use crate::base::entropy::Entropy;
    use crate::flow::applications::Wanted;

    #[tokio::test]
    async fn the_password_grant_is_an_administrators_to_give() {
        let flags = vec![("database_url".to_owned(), "sqlite::memory:".to_owned())];
        let config = Config::load(Sources {
            flags,
            ..Sources::default()
        })
        .unwrap();
        let issuer = config.issuer(3801);
        let clock = Clock::Steered(SteeredClock::at(1_700_000_000));
        let app = App::open(config, clock, Entropy::seeded(1), issuer)
            .await
            .unwrap();
        let without = Wanted::default().settings(&app, None, &mut Faults::default());
        let mut with = without.clone();
        with.grants.insert(GrantType::Password);
        let owner = Manager::Owner(uuid::Uuid::nil().into());
        for (by, before, refused) in [
            (owner, None, true),
            (owner, Some(&without), true),
            (owner, Some(&with), false),
            (Manager::Administrator, None, false),
        ] {
            let mut faults = Faults::default();
            check(&app, by, before, &with, &mut faults);
            assert_eq!(faults.has("grants"), refused, "{by:?} {before:?}");
        }
    }
}
