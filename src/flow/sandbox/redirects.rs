//! Any loopback redirect URI, for the applications that a sandbox begins with.

use url::Url;

use super::super::App;
use super::super::applications::{self, MOST_REDIRECT_URIS, Manager, NotSaved, Wanted};
use super::super::error::Refusal;
use super::seeds::{CONFIDENTIAL, PUBLIC, REDIRECT_URIS};
use crate::model::caller::Caller;

/// Registers `asked` for the seeded application `client_id`, where it leads to this machine and is not
/// registered yet; in place of the first that was learnt, where there are as many as there may be.
///
/// # Errors
/// The store's.
pub async fn learn(app: &App, client_id: &str, asked: &str) -> Result<(), Refusal> {
    if ![CONFIDENTIAL, PUBLIC].contains(&client_id) || !is_loopback(asked) {
        return Ok(());
    }
    loop {
        let Some(client) = applications::find_by_client_id(app, client_id).await? else {
            return Ok(());
        };
        let application = client.application;
        if application.settings.redirect_uri(asked).is_some() {
            return Ok(());
        }
        let add = |wanted: &mut Wanted| {
            if wanted.redirect_uris.len() >= MOST_REDIRECT_URIS {
                wanted.redirect_uris.remove(REDIRECT_URIS.len());
            }
            wanted.redirect_uris.push(asked.to_owned());
        };
        let (id, at) = (application.id, Some(application.version));
        match applications::edit(app, Manager::Administrator, &Caller::SYSTEM, id, at, add).await {
            Err(NotSaved::Conflict) => {}
            Err(NotSaved::Refused(refusal)) => return Err(refusal),
            _ => return Ok(()),
        }
    }
}

fn is_loopback(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    matches!(url.scheme(), "http" | "https")
        && matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for uri in [
            "http://127.0.0.1:9/cb",
            "http://localhost/a/b?c=d",
            "http://[::1]:1/",
            "https://localhost/cb",
        ] {
            assert!(is_loopback(uri), "{uri}");
        }
        for uri in [
            "http://127.0.0.1.evil.test/",
            "http://localhost@evil.test/",
            "https://app.example/",
            "app:/cb",
        ] {
            assert!(!is_loopback(uri), "{uri}");
        }
    }
}
