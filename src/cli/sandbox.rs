//! `tegata sandbox`

use tokio::runtime::Builder;

use super::arguments::Sandbox;
use super::failure::Failure;
use super::output::{self, Format, Ready};
use crate::base::clock::Clock;
use crate::base::config::{Config, FileSource, Sources};
use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::server::sandbox::{self, Reach};
use crate::server::telemetry;

/// No setting: `serve` knows nothing of it.
const CONTROL_TOKEN: &str = "TEGATA_CONTROL_TOKEN";
/// In characters.
const SHORTEST_TOKEN: usize = 16;
/// In an environment that was made for a server: they name what is kept.
const OF_SERVERS: [&str; 2] = ["DATABASE_URL", "TEGATA_SEALING_KEY_FILE"];
/// What a target of tests does otherwise than a server, unless it is told.
const DEFAULTS: [(&str, &str); 4] = [
    ("listen", "127.0.0.1:3801"),
    ("database_url", "sqlite::memory:"),
    ("rate_limits", "false"),
    ("log", "warn"),
];

/// Runs until told to stop. Of the settings count flags, environment and the file that is named, never a
/// `tegata.toml` that happens to be there, nor `DATABASE_URL`.
pub(super) fn run(wanted: &Sandbox, settings: Vec<(String, String)>) -> Result<(), Failure> {
    let mut sources = Sources::of_process(settings);
    let token = take_token(&mut sources)?;
    prepare(&mut sources);
    let config = Config::load(sources.clone()).map_err(|faults| Failure::settings(&faults))?;
    let reach = Reach {
        beyond_loopback: wanted.beyond_loopback,
        control_token: token,
    };
    super::runtime(Builder::new_multi_thread())?.block_on(serve(config, sources, reach))
}

async fn serve(config: Config, sources: Sources, reach: Reach) -> Result<(), Failure> {
    let _telemetry = telemetry::init(&config.log, config.log_format, Clock::System)
        .map_err(|error| Failure::new(format!("logging cannot start: {error}: look at the setting log")))?;
    let starting = Box::pin(sandbox::start(config, sources, Entropy::System, reach));
    let running = starting.await.map_err(|error| Failure::new(error.to_string()))?;
    running
        .stop_on_signals()
        .map_err(|error| Failure::new(format!("signals cannot be listened for: {error}: start it again")))?;
    let listen = running.addresses().first().map(ToString::to_string);
    let ready = Ready::new(listen.unwrap_or_default(), running.issuer().as_str().to_owned());
    output::print(&Format::Json.render(&ready)?)?;
    running.wait().await;
    Ok(())
}

fn take_token(sources: &mut Sources) -> Result<Option<Secret>, Failure> {
    let is_token = |(name, _): &(String, String)| name == CONTROL_TOKEN;
    let Some(at) = sources.environment.iter().position(is_token) else {
        return Ok(None);
    };
    let (_, token) = sources.environment.swap_remove(at);
    if token.chars().count() < SHORTEST_TOKEN {
        return Err(Failure::new(format!(
            "{CONTROL_TOKEN}: at least {SHORTEST_TOKEN} characters are needed: openssl rand -hex 16 makes one"
        )));
    }
    Ok(Some(Secret::new(token)))
}

fn prepare(sources: &mut Sources) {
    sources.file = FileSource::None;
    sources.defaults = DEFAULTS.to_vec();
    sources
        .environment
        .retain(|(name, _)| !OF_SERVERS.contains(&&**name));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(environment: &[(&str, &str)]) -> Sources {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Sources {
            environment: environment.iter().map(own).collect(),
            file: FileSource::Default,
            ..Sources::default()
        }
    }

    #[test]
    fn a_database_of_the_machine_is_not_taken_and_one_that_is_named_stays_named() {
        let mut found = sources(&[("DATABASE_URL", "postgres://a@b/c"), ("TEGATA_LOG", "debug")]);
        prepare(&mut found);
        let config = Config::load(found).unwrap();
        assert_eq!(
            (config.database_url.to_string(), config.log),
            ("sqlite::memory:".to_owned(), "debug".to_owned())
        );
        let mut named = sources(&[("TEGATA_DATABASE_URL", "sqlite://data/tegata.db")]);
        prepare(&mut named);
        let config = Config::load(named).unwrap();
        assert_eq!(config.database_url.to_string(), "sqlite://data/tegata.db");
    }

    #[test]
    fn a_control_token_is_long_and_no_setting() {
        let mut found = sources(&[(CONTROL_TOKEN, "short")]);
        assert!(take_token(&mut found).is_err());
        let mut found = sources(&[(CONTROL_TOKEN, "0123456789abcdef")]);
        assert_eq!(
            take_token(&mut found).unwrap().unwrap().expose(),
            "0123456789abcdef"
        );
        assert!(found.environment.is_empty());
    }
}
