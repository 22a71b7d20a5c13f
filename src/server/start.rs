//! Assembles a server and sets it going.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::listen::{self, Door, Limits};
use super::stop::Stop;
use super::tls::{Reload, Tls};
use crate::base::clock::Clock;
use crate::base::config::{Config, PublicUrl};
use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::flow::{App, OpenError, setup, sweep};
use crate::http;
use crate::model::grant_type::GrantType;

/// Between two rounds of housekeeping.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// A server that runs until it is stopped.
#[derive(Debug)]
pub struct Running {
    app: App,
    addresses: Vec<SocketAddr>,
    mtls_addresses: Vec<SocketAddr>,
    tls: Option<Arc<Tls>>,
    stop: Stop,
    tasks: Vec<JoinHandle<()>>,
    /// The token of the link that makes the first administrator, on a store without any user.
    pub setup_token: Option<Secret>,
}

/// Why a server did not start, in a line that says what to do.
#[derive(Debug)]
pub struct StartError(String);

impl StartError {
    pub(crate) fn new(why: impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// Listens, opens and migrates the store, and serves.
///
/// # Errors
/// An address that is taken, a certificate that cannot be used, a store that cannot be opened.
pub async fn start(mut config: Config, clock: Clock, entropy: Entropy) -> Result<Running, StartError> {
    let tls = Tls::load(&config, clock.now()).map_err(|fault| StartError(fault.to_string()))?;
    let Doors {
        all: doors,
        addresses,
        mtls_addresses,
    } = Doors::open(&mut config, tls.as_ref())?;
    let port = addresses.first().map_or(0, SocketAddr::port);
    let issuer = config.issuer(port);
    let database = config.database_url.clone();
    let opened = Box::pin(App::open(config, clock, entropy, issuer)).await;
    let app = opened.map_err(|error| match error {
        OpenError::Store(error) => StartError(format!(
            "database_url = {database} (from {}): {error}",
            database.source()
        )),
        OpenError::SealingKeys(error) | OpenError::Setting(error) => StartError(error),
    })?;
    discourage(&app);
    let setup_token = setup::link(&app)
        .await
        .map_err(|error| StartError(error.to_string()))?;

    let stop = Stop::default();
    let asked = stop.clone();
    let router = http::router(app.clone(), Arc::new(move || asked.is_requested()));
    let mut tasks = vec![
        tokio::spawn(listen::serve(doors, router, Limits::default(), stop.clone())),
        tokio::spawn(keep_house(app.clone(), stop.clone())),
    ];
    if let Some(tls) = &tls {
        tasks.push(tokio::spawn(
            Arc::clone(tls).keep(app.clock.clone(), stop.clone()),
        ));
    }
    Ok(Running {
        app,
        addresses,
        mtls_addresses,
        tls,
        stop,
        tasks,
        setup_token,
    })
}

/// What is listened on.
pub(super) struct Doors {
    pub(super) all: Vec<Door>,
    /// Of those that everybody uses.
    pub(super) addresses: Vec<SocketAddr>,
    /// Of those kept for client certificates.
    pub(super) mtls_addresses: Vec<SocketAddr>,
}

impl Doors {
    /// Where no addresses are kept for client certificates, every one that speaks TLS asks for them. `config` learns
    /// the real ports of those that are.
    pub(super) fn open(config: &mut Config, tls: Option<&Arc<Tls>>) -> Result<Self, StartError> {
        let mut doors = Self {
            all: Vec::new(),
            addresses: Vec::new(),
            mtls_addresses: Vec::new(),
        };
        let asks = config.mtls_listen.is_none();
        doors.addresses = doors.add(config.listen.as_deref(), "--listen", tls, asks)?;
        if let Some(wanted) = config.mtls_listen.as_deref() {
            doors.mtls_addresses = doors.add(Some(wanted), "--mtls-listen", tls, true)?;
            config.mtls_listen = Some(doors.mtls_addresses.clone());
        }
        Ok(doors)
    }

    /// The addresses with their real ports.
    fn add(
        &mut self,
        wanted: Option<&[SocketAddr]>,
        flag: &str,
        tls: Option<&Arc<Tls>>,
        asks: bool,
    ) -> Result<Vec<SocketAddr>, StartError> {
        let listeners = listen::bind(wanted, flag).map_err(|error| StartError(error.to_string()))?;
        let bound = listeners
            .iter()
            .filter_map(|listener| listener.local_addr().ok())
            .collect();
        self.all.extend(listeners.into_iter().map(|listener| Door {
            listener,
            tls: tls.map(|tls| tls.acceptor(asks)),
        }));
        Ok(bound)
    }
}

/// Whoever has to offer them should know what they cost.
fn discourage(app: &App) {
    let dangerous: Vec<_> = [GrantType::Password, GrantType::Implicit]
        .into_iter()
        .filter(|grant| app.offers(*grant))
        .map(GrantType::name)
        .collect();
    if dangerous.is_empty() {
        return;
    }
    tracing::warn!(
        event = "discouraged_grants",
        grants = dangerous.join(","),
        "the setting grants names what RFC 9700 (sections 2.1.2 and 2.4) says not to use: move the \
         applications to authorization_code with PKCE"
    );
}

async fn keep_house(app: App, stop: Stop) {
    loop {
        tokio::select! {
            () = stop.requested() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
        match sweep::round(&app).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "deleted what had expired"),
            Err(error) => tracing::warn!(%error, "could not delete what has expired; trying again later"),
        }
    }
}

impl Running {
    /// Where it listens, with the real ports.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where it asks for client certificates, apart from the others; empty where it has no such addresses.
    pub fn mtls_addresses(&self) -> &[SocketAddr] {
        &self.mtls_addresses
    }

    /// Reads the TLS certificate again; `None` where there is none.
    pub async fn reload_certificate(&self) -> Option<Reload> {
        match &self.tls {
            Some(tls) => Some(tls.reload(self.app.now()).await),
            None => None,
        }
    }

    /// From now on SIGHUP reads the TLS certificate again. Without TLS the signal keeps its meaning.
    ///
    /// # Errors
    /// When the signal cannot be listened for.
    #[cfg(unix)]
    pub fn reload_on_signal(&self) -> std::io::Result<()> {
        use tokio::signal::unix::{SignalKind, signal};

        let Some(tls) = self.tls.clone() else {
            return Ok(());
        };
        let mut hangups = signal(SignalKind::hangup())?;
        let (clock, stop) = (self.app.clock.clone(), self.stop.clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    Some(()) = hangups.recv() => { tls.reload(clock.now()).await; }
                    () = stop.forced() => return,
                    else => return,
                }
            }
        });
        Ok(())
    }

    pub fn issuer(&self) -> &str {
        self.app.issuer.as_str()
    }

    pub fn public_url(&self) -> &PublicUrl {
        &self.app.issuer
    }

    /// What the server does, for whoever runs it inside the own process.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// From now on SIGTERM and SIGINT stop it: once to finish what is under way, twice to drop it.
    ///
    /// # Errors
    /// When the signals cannot be listened for.
    pub fn stop_on_signals(&self) -> std::io::Result<()> {
        self.stop.on_signals()
    }

    /// Waits until it has stopped and everything is written.
    pub async fn wait(self) {
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a part of the server ended badly");
            }
        }
        self.app.close().await;
    }

    /// Stops it: what is under way is finished.
    pub async fn stop(self) {
        self.stop.request();
        self.wait().await;
    }
}
