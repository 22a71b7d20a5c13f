//! Who and what is there when a sandbox begins: known credentials, written in the documentation.

use super::super::applications::{self, Manager, Wanted};
use super::super::users::{self, Profile};
use super::super::{App, OpenError};
use crate::base::secret::Secret;
use crate::model::caller::Caller;

/// A user name.
pub const USER: &str = "alice";
pub const PASSWORD: &str = "alice-in-wonderland";
/// The `client_id` of the application that keeps a secret.
pub const CONFIDENTIAL: &str = "confidential";
pub const SECRET: &str = "confidential-secret-of-the-sandbox";
/// The `client_id` of the application that cannot.
pub const PUBLIC: &str = "public";
/// Any port will do, and any other path is learnt when it is asked for.
pub const REDIRECT_URIS: [&str; 2] = ["http://127.0.0.1/callback", "http://localhost/callback"];

/// Makes the user and both applications; not one that may do nothing, by the grants that are offered.
///
/// # Errors
/// What the store or the settings refuse, in words for whoever starts it.
pub async fn plant(app: &App) -> Result<(), OpenError> {
    let profile = Profile {
        username: USER.to_owned(),
        email: None,
        password: Secret::new(PASSWORD),
        groups: Vec::new(),
    };
    let made = users::create(app, &Caller::SYSTEM, &profile, false).await;
    made.map_err(|refused| OpenError::Store(format!("the user {USER} could not be made: {refused:?}")))?;
    let confidential = Wanted {
        confidential: true,
        introspect: true,
        client_secret: Some(Secret::new(SECRET)),
        ..application(app, CONFIDENTIAL)
    };
    let wanted = [confidential, application(app, PUBLIC)];
    for wanted in wanted
        .into_iter()
        .filter(|wanted| is_planted(app, &wanted.client_id))
    {
        let made = applications::create(app, Manager::Administrator, &Caller::SYSTEM, &wanted).await;
        made.map_err(|refused| {
            OpenError::Store(format!(
                "the application {} could not be made: {refused:?}",
                wanted.client_id
            ))
        })?;
    }
    Ok(())
}

/// Whether there is such an application from the beginning.
pub fn is_planted(app: &App, client_id: &str) -> bool {
    !grants(app, client_id).is_empty()
}

/// Every grant that is offered and that it may have.
fn grants(app: &App, client_id: &str) -> Vec<String> {
    let is_for_all = |grant: &str| client_id == CONFIDENTIAL || grant != "client_credentials";
    let offered = app.offered_grants();
    let names = offered.iter().map(|grant| grant.name().to_owned());
    names.filter(|grant| is_for_all(grant)).collect()
}

fn application(app: &App, client_id: &str) -> Wanted {
    Wanted {
        name: format!("The {client_id} application"),
        client_id: client_id.to_owned(),
        redirect_uris: REDIRECT_URIS.map(str::to_owned).to_vec(),
        grants: Some(grants(app, client_id)),
        localhost_any_port: Some(true),
        ..Wanted::default()
    }
}
