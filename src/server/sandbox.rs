//! Sets a sandbox going.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::listen::{self, Limits};
use super::start::{Doors, StartError};
use super::stop::Stop;
use super::tls::Tls;
use crate::base::clock::Clock;
use crate::base::config::{Config, Database, PublicUrl, Sources};
use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::http::sandbox::Sandboxes;

/// Between two rounds of housekeeping.
const SWEEP_EVERY: Duration = Duration::from_secs(10);
/// Longer than a script may hold an answer back.
const LONGEST_ANSWER: Duration = Duration::from_mins(11);
/// A made sandbox that nobody used for so long, or up to twice as long, is dropped.
const UNUSED: Duration = Duration::from_mins(10);

/// What a sandbox may do beyond the machine that it runs on.
#[derive(Debug, Default)]
pub struct Reach {
    /// Whether addresses and issuers that others reach are meant.
    pub beyond_loopback: bool,
    /// Whoever steers it has to send this as a bearer token.
    pub control_token: Option<Secret>,
}

/// A sandbox that runs until it is stopped.
#[derive(Debug)]
pub struct RunningSandbox {
    sandboxes: Sandboxes,
    addresses: Vec<SocketAddr>,
    issuer: PublicUrl,
    stop: Stop,
    tasks: Vec<JoinHandle<()>>,
}

/// Listens and opens the first world. Nothing of it is written to a disk. `sources`: what `config` was read from.
///
/// # Errors
/// A store that is to be kept, an address or issuer that others reach and that nobody meant, an address that is
/// taken, settings that cannot be used.
pub async fn start(
    mut config: Config,
    sources: Sources,
    entropy: Entropy,
    reach: Reach,
) -> Result<RunningSandbox, StartError> {
    refuse_stores(&config)?;
    // What it seals is gone with it.
    config.sealing_key_file = None;
    let tls = Tls::load(&config, Clock::System.now()).map_err(StartError::new)?;
    let doors = Doors::open(&mut config, tls.as_ref())?;
    let issuer = issuer(&config, &doors.addresses);
    let addresses = [&*doors.addresses, &*doors.mtls_addresses].concat();
    let urls = [Some(&issuer), config.mtls_public_url.as_ref()];
    keep_in(&addresses, urls.into_iter().flatten(), &reach)?;

    let stop = Stop::default();
    let asked = stop.clone();
    let stopping = Arc::new(move || asked.is_requested());
    let token = reach.control_token.as_ref();
    let opening = Sandboxes::open(config, sources, issuer.clone(), entropy, token, stopping);
    let sandboxes = Box::pin(opening).await.map_err(StartError::new)?;
    let addresses = doors.addresses;
    let router = sandboxes.router();
    let mut tasks = vec![
        tokio::spawn(listen::serve(doors.all, router, limits(), stop.clone())),
        tokio::spawn(keep_house(sandboxes.clone(), stop.clone())),
    ];
    if let Some(tls) = tls {
        tasks.push(tokio::spawn(tls.keep(Clock::System, stop.clone())));
    }
    Ok(RunningSandbox {
        sandboxes,
        addresses,
        issuer,
        stop,
        tasks,
    })
}

/// A sandbox forgets, and gives tokens to whoever asks: no store that is anybody's may be under it.
fn refuse_stores(config: &Config) -> Result<(), StartError> {
    let database = &config.database_url;
    if matches!(database.database(), Database::SqliteMemory) {
        return Ok(());
    }
    Err(StartError::new(format!(
        "database_url = {database} (from {}): a sandbox keeps nothing and gives tokens to whoever asks, so it \
         takes no store: leave the setting out",
        database.source()
    )))
}

/// By the address, since `localhost` may lead a client to another family than is listened on.
fn issuer(config: &Config, addresses: &[SocketAddr]) -> PublicUrl {
    let port = addresses.first().map_or(0, SocketAddr::port);
    let scheme = if config.tls_certificate.is_some() {
        "https"
    } else {
        "http"
    };
    let own = match (&config.public_url, addresses) {
        (None, [only]) if only.ip().is_loopback() => PublicUrl::parse(&format!("{scheme}://{only}")).ok(),
        _ => None,
    };
    own.unwrap_or_else(|| config.issuer(port))
}

/// A script may hold an answer back for long, and nobody waits for one when the tests are over.
fn limits() -> Limits {
    Limits {
        request: LONGEST_ANSWER,
        drain: Duration::from_secs(5),
        ..Limits::default()
    }
}

fn keep_in<'u>(
    addresses: &[SocketAddr],
    mut urls: impl Iterator<Item = &'u PublicUrl>,
    reach: &Reach,
) -> Result<(), StartError> {
    let is_reached = |address: &&SocketAddr| !IpAddr::is_loopback(&address.ip().to_canonical());
    let outside = addresses
        .iter()
        .find(is_reached)
        .map(|address| format!("the address {address}"))
        .or_else(|| {
            let url = urls.find(|url| !url.is_loopback())?;
            Some(format!("the URL {}", url.as_str()))
        });
    let Some(outside) = outside else { return Ok(()) };
    if reach.beyond_loopback && reach.control_token.is_some() {
        return Ok(());
    }
    Err(StartError::new(format!(
        "{outside}: others than this machine would reach the sandbox, which gives tokens to whoever asks: if that \
         is meant, say --beyond-loopback and put a control token of 16 characters or more into \
         TEGATA_CONTROL_TOKEN"
    )))
}

async fn keep_house(sandboxes: Sandboxes, stop: Stop) {
    let rounds = UNUSED.as_secs() / SWEEP_EVERY.as_secs();
    for round in 1_u64.. {
        tokio::select! {
            () = stop.requested() => return sandboxes.release(),
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
        sandboxes.sweep().await;
        if round % rounds == 0 {
            sandboxes.drop_unused().await;
        }
    }
}

impl RunningSandbox {
    /// Where it listens, with the real ports.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The issuer of the first world.
    pub fn issuer(&self) -> &PublicUrl {
        &self.issuer
    }

    pub fn sandboxes(&self) -> &Sandboxes {
        &self.sandboxes
    }

    /// As [`super::Running::stop_on_signals`].
    ///
    /// # Errors
    /// When the signals cannot be listened for.
    pub fn stop_on_signals(&self) -> std::io::Result<()> {
        self.stop.on_signals()
    }

    /// Waits until it has stopped.
    pub async fn wait(self) {
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the sandbox ended badly");
            }
        }
        self.sandboxes.close().await;
    }

    /// Stops it: what is under way is finished.
    pub async fn stop(self) {
        self.stop.request();
        self.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_in(address: &str, issuer: &str, reach: &Reach) -> bool {
        let issuer = PublicUrl::parse(issuer).unwrap();
        keep_in(&[address.parse().unwrap()], [&issuer].into_iter(), reach).is_ok()
    }

    #[test]
    fn a_sandbox_is_reached_from_elsewhere_only_by_a_word_and_a_token() {
        let here = Reach::default();
        assert!(kept_in("127.0.0.1:1", "http://127.0.0.1:1", &here));
        assert!(kept_in("[::1]:1", "http://[::1]:1", &here));
        for (address, issuer) in [
            ("0.0.0.0:1", "http://localhost:1"),
            ("[::]:1", "http://localhost:1"),
            ("192.0.2.1:1", "http://localhost:1"),
            ("127.0.0.1:1", "https://login.example"),
        ] {
            let token = || Some(Secret::new("a token of sixteen and more"));
            assert!(!kept_in(address, issuer, &here), "{address} {issuer}");
            let half = Reach {
                beyond_loopback: true,
                control_token: None,
            };
            assert!(!kept_in(address, issuer, &half), "{address} {issuer}");
            let half = Reach {
                beyond_loopback: false,
                control_token: token(),
            };
            assert!(!kept_in(address, issuer, &half), "{address} {issuer}");
            let whole = Reach {
                beyond_loopback: true,
                control_token: token(),
            };
            assert!(kept_in(address, issuer, &whole), "{address} {issuer}");
        }
    }
}
