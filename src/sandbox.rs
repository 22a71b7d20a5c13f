//! A sandbox inside the own process: what a Rust test starts.
//!
//! ```
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # runtime.block_on(async {
//! let sandbox = tegata::sandbox::start().await?;
//! let issuer = sandbox.issuer().as_str().to_owned();
//! assert!(issuer.starts_with("http://127.0.0.1:"));
//!
//! // an hour from now, for codes, tokens, sessions and all else of this sandbox
//! let world = sandbox.sandboxes().root().ok_or("it has stopped")?;
//! world.clock().advance(3600);
//!
//! sandbox.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Everything else is done over HTTP, under `{issuer}/sandbox`.

use std::net::{Ipv4Addr, SocketAddr};

use crate::base::config::{Config, Sources};
use crate::base::entropy::Entropy;
use crate::server::StartError;
use crate::server::sandbox::{self, Reach};

pub use crate::flow::sandbox::seeds;
pub use crate::http::sandbox::{Sandboxes, World};
pub use crate::server::sandbox::RunningSandbox;

/// Starts a sandbox on a free port of 127.0.0.1. Needs a tokio runtime with time and network.
///
/// # Errors
/// No port is free.
pub async fn start() -> Result<RunningSandbox, StartError> {
    start_with::<&str>([]).await
}

/// The same with `settings`, as `("access_token_ttl", "60s")`: what `tegata --help` lists.
///
/// # Errors
/// No port is free, or what is wrong with the settings.
pub async fn start_with<T: Into<String>>(
    settings: impl IntoIterator<Item = (T, T)>,
) -> Result<RunningSandbox, StartError> {
    let usual = [
        ("listen", SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).to_string()),
        ("database_url", "sqlite::memory:".to_owned()),
        ("rate_limits", "false".to_owned()),
    ];
    let usual = usual.map(|(name, value)| (name.to_owned(), value));
    let settings = settings.into_iter();
    let sources = Sources::default()
        .with(usual)
        .with(settings.map(|(name, value)| (name.into(), value.into())));
    let loaded = Config::load(sources.clone());
    let config = loaded.map_err(|faults| StartError::new(faults.to_string()))?;
    Box::pin(sandbox::start(config, sources, Entropy::System, Reach::default())).await
}
