//! TLS of the server's own (RFC 8446, RFC 5246): the certificate, what is offered with it, and how both change
//! while the server serves.
//!
//! A changed certificate is served by a new configuration: connections that there are keep theirs, and nothing
//! that was handed out before (tickets, cached sessions) is resumed, so that nobody goes around what changed.

mod client;
mod pair;
pub mod self_signed;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::server::ServerConfig;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::stop::Stop;
use crate::base::clock::Clock;
use crate::base::config::Config;
pub use pair::Fault;
use pair::{Files, Pair, Stamps};

/// The name of HTTP/2 in a handshake (RFC 7301, RFC 9113 §3.1).
pub(super) const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";
/// The first byte of a TLS connection (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;
/// Between two looks at the files. What has changed is read when it has stayed so until the next look, so that
/// a certificate is not read before its key is there.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long before its end a certificate is complained of, and how often.
const NEAR_ITS_END: time::Duration = time::Duration::days(14);
const COMPLAIN_EVERY: time::Duration = time::Duration::days(1);
const SPEAKS_HTTPS: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
     Content-Length: 24\r\nConnection: close\r\n\r\nThis port speaks https.\n";

/// The server's certificate as it is served.
pub struct Tls {
    files: Files,
    /// What the certificate is for: the hosts under which the server is reached.
    hosts: Vec<String>,
    provider: Arc<CryptoProvider>,
    serving: RwLock<Serving>,
    /// What the files were when they were read last, whatever came of it.
    read: Mutex<Stamps>,
}

/// One certificate in use.
#[derive(Clone)]
struct Serving {
    key: Arc<CertifiedKey>,
    not_after: OffsetDateTime,
    ordinary: Arc<ServerConfig>,
    /// Asks for a client certificate.
    asking: Arc<ServerConfig>,
}

/// What came of reading the files again.
#[derive(Debug, PartialEq, Eq)]
pub enum Reload {
    /// New connections get the new certificate, which is valid so long.
    Taken { not_after: OffsetDateTime },
    /// They hold what is in use.
    Unchanged,
    /// The certificate in use stays.
    Refused(Fault),
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// The certificate that the settings name. What is questionable about it is logged.
    ///
    /// # Errors
    /// Names the setting and the file: one that cannot be read, holds no certificate or no key, a key that does
    /// not fit.
    pub fn load(config: &Config, now: OffsetDateTime) -> Result<Option<Arc<Self>>, Fault> {
        let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) else {
            return Ok(None);
        };
        let files = Files {
            certificate: certificate.clone(),
            key: key.clone(),
        };
        let urls = [&config.public_url, &config.mtls_public_url];
        let mut hosts: Vec<String> = urls
            .into_iter()
            .flatten()
            .map(|url| url.host().to_owned())
            .collect();
        if config.public_url.is_none() {
            hosts.push("localhost".to_owned());
        }
        let provider = Arc::new(ring::default_provider());
        let stamps = files.stamps();
        let pair = files.read(&provider)?;
        complain(&pair, &hosts, now);
        let serving = Serving::of(pair, &provider).map_err(|error| files.unusable(&error))?;
        Ok(Some(Arc::new(Self {
            files,
            hosts,
            provider,
            serving: RwLock::new(serving),
            read: Mutex::new(stamps),
        })))
    }

    /// Where clients are asked for a certificate, or are not.
    pub fn acceptor(self: &Arc<Self>, asks: bool) -> Acceptor {
        Acceptor {
            tls: Arc::clone(self),
            asks,
        }
    }

    /// Until when the certificate in use is valid.
    pub fn not_after(&self) -> OffsetDateTime {
        self.serving().not_after
    }

    /// Reads the files again, and logs what comes of it.
    pub async fn reload(self: &Arc<Self>, now: OffsetDateTime) -> Reload {
        let mut read = self.read.lock().await;
        let this = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || (this.files.stamps(), this.replaced(now)));
        let Ok((stamps, reload)) = reading.await else {
            return Reload::Unchanged;
        };
        *read = stamps;
        match &reload {
            Reload::Taken { not_after } => {
                tracing::info!(
                    event = "tls_reloaded",
                    not_after = told(*not_after),
                    "new connections get the new TLS certificate"
                );
            }
            Reload::Unchanged => tracing::debug!("the TLS certificate is as before"),
            Reload::Refused(fault) => {
                tracing::error!(
                    event = "tls_not_reloaded",
                    "{fault}; the certificate before it stays in use"
                );
            }
        }
        reload
    }

    fn replaced(&self, now: OffsetDateTime) -> Reload {
        let pair = match self.files.read(&self.provider) {
            Ok(pair) => pair,
            Err(fault) => return Reload::Refused(fault),
        };
        if pair.key.cert == self.serving().key.cert {
            return Reload::Unchanged;
        }
        complain(&pair, &self.hosts, now);
        match Serving::of(pair, &self.provider) {
            Ok(serving) => {
                let not_after = serving.not_after;
                *self.serving.write().unwrap_or_else(PoisonError::into_inner) = serving;
                Reload::Taken { not_after }
            }
            Err(error) => Reload::Refused(self.files.unusable(&error)),
        }
    }

    /// Reads the files again whenever they change, and complains daily of an end that is near, until the stop.
    pub(super) async fn keep(self: Arc<Self>, clock: Clock, stop: Stop) {
        let mut seen = self.read.lock().await.clone();
        let mut complained = None;
        loop {
            let now = clock.now();
            if is_due(self.not_after(), complained, now) {
                complained = Some(now);
                tracing::warn!(
                    event = "tls_certificate_ends",
                    "the TLS certificate is valid until {} and no longer: put a new one in {}",
                    told(self.not_after()),
                    self.files.certificate.display()
                );
            }
            tokio::select! {
                () = stop.requested() => return,
                () = sleep(LOOK_EVERY) => {}
            }
            self.look(&mut seen, clock.now()).await;
        }
    }

    /// Reads the files again if they are others than those that were read, and as they were at the last look.
    async fn look(self: &Arc<Self>, seen: &mut Stamps, now: OffsetDateTime) -> Option<Reload> {
        let this = Arc::clone(self);
        let stamps = tokio::task::spawn_blocking(move || this.files.stamps())
            .await
            .ok()?;
        let settled = stamps == *seen;
        *seen = stamps;
        let is_new = *seen != *self.read.lock().await;
        if settled && is_new {
            Some(self.reload(now).await)
        } else {
            None
        }
    }

    fn serving(&self) -> Serving {
        self.serving
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Serving {
    fn of(pair: Pair, provider: &Arc<CryptoProvider>) -> Result<Self, rustls::Error> {
        let key = Arc::new(pair.key);
        Ok(Self {
            ordinary: Arc::new(configured(&key, provider, false)?),
            asking: Arc::new(configured(&key, provider, true)?),
            key,
            not_after: pair.not_after,
        })
    }
}

/// TLS 1.2 and 1.3. Tickets and cached sessions are this configuration's own: what was resumed from one that
/// does not ask would have no certificate.
fn configured(
    key: &Arc<CertifiedKey>,
    provider: &Arc<CryptoProvider>,
    asks: bool,
) -> Result<ServerConfig, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(Arc::clone(provider))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?;
    let builder = if asks {
        builder.with_client_cert_verifier(client::any(provider))
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(key))));
    config.alpn_protocols = vec![HTTP2.to_vec(), HTTP1.to_vec()];
    config.ticketer = ring::Ticketer::new()?;
    // without it, a TLS 1.2 session with a certificate can be spliced into another (RFC 7627 §1)
    config.require_ems = asks;
    Ok(config)
}

fn complain(pair: &Pair, hosts: &[String], now: OffsetDateTime) {
    for complaint in pair.complaints(hosts, now) {
        tracing::warn!(event = "tls_certificate", "{complaint}");
    }
}

fn told(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_default()
}

fn is_due(not_after: OffsetDateTime, complained: Option<OffsetDateTime>, now: OffsetDateTime) -> bool {
    not_after - now <= NEAR_ITS_END && complained.is_none_or(|then| now - then >= COMPLAIN_EVERY)
}

/// What greets the clients of an address that speaks TLS.
#[derive(Clone, Debug)]
pub struct Acceptor {
    tls: Arc<Tls>,
    asks: bool,
}

impl Acceptor {
    /// `None`: it is no handshake, or it failed. That is the client's affair and logged for whoever looks for it.
    pub(super) async fn accept(&self, mut stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let mut first = [0];
        if stream.peek(&mut first).await.ok()? == 0 {
            return None;
        }
        let [first] = first;
        if first != HANDSHAKE {
            if first.is_ascii_uppercase() {
                let _ = say_https(&mut stream).await;
            }
            return None;
        }
        let serving = self.tls.serving();
        let config = if self.asks {
            serving.asking
        } else {
            serving.ordinary
        };
        match TlsAcceptor::from(config).accept(stream).await {
            Ok(stream) => Some(stream),
            Err(error) => {
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
        }
    }
}

/// To a client that speaks HTTP without TLS, as people do who leave the s of https out.
async fn say_https(stream: &mut TcpStream) -> std::io::Result<()> {
    // what is left unread when the connection is closed would take the answer with it
    let mut request = [0; 4096];
    let _ = stream.read(&mut request).await?;
    stream.write_all(SPEAKS_HTTPS.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests;
