//! `tegata serve`

use super::failure::Failure;
use super::output::{self, Format, Ready};
use crate::base::clock::Clock;
use crate::base::config::{Config, PublicUrl};
use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::server::{self, telemetry};

/// Serves until told to stop, and then finishes what is under way.
pub(super) async fn serve(config: Config) -> Result<(), Failure> {
    let _telemetry = telemetry::init(&config.log, config.log_format, Clock::System)
        .map_err(|error| Failure::new(format!("logging cannot start: {error}: look at the setting log")))?;
    output::tell(&format!(
        "The database is {} ({}).",
        config.database_url,
        config.database_url.source()
    ));
    let running = server::start(config, Clock::System, Entropy::System)
        .await
        .map_err(|error| Failure::new(error.to_string()))?;
    running
        .stop_on_signals()
        .and_then(|()| running.reload_on_signal())
        .map_err(|error| Failure::new(format!("signals cannot be listened for: {error}: start it again")))?;
    if let Some(token) = &running.setup_token {
        output::tell(&invitation(running.public_url(), token));
    }
    let listen = running
        .addresses()
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    let ready = Ready::new(listen, running.issuer().to_owned());
    output::print(&Format::Json.render(&ready)?)?;
    running.wait().await;
    Ok(())
}

/// The one place where the set-up link is shown.
fn invitation(issuer: &PublicUrl, token: &Secret) -> String {
    format!(
        "There is no user yet. Create the first administrator here, once, within a day: {}?token={}",
        issuer.join("/setup"),
        token.expose()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_invitation_ends_in_the_whole_link() {
        let issuer = PublicUrl::parse("https://login.example/auth").unwrap();
        let line = invitation(&issuer, &Secret::new("abc_-1"));
        assert!(
            line.ends_with(" https://login.example/auth/setup?token=abc_-1"),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1);
    }
}
