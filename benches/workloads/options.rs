//! What is to be measured, and for how long.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Measures Tegata under load and prints Markdown tables.
#[derive(Clone, Debug, Parser)]
#[expect(clippy::struct_excessive_bools, reason = "switches of a command line")]
#[command(name = "workloads", bin_name = "cargo bench --bench workloads --")]
pub(crate) struct Options {
    /// The databases to measure on
    #[arg(long, value_enum, default_value_t = Stores::Both)]
    pub(crate) store: Stores,
    /// How long each workload is measured in a round, after a fifth of that to warm up
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
    /// How often everything is measured; medians are printed
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rounds: u64,
    /// Concurrent keep-alive connections, one request under way on each
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) connections: u64,
    /// Which workloads, as W1,W4
    #[arg(long, value_delimiter = ',', ignore_case = true, default_values_t = Workload::ALL)]
    pub(crate) workloads: Vec<Workload>,
    /// Also compare W3 with a thousand and with a million access tokens in the store
    #[arg(long)]
    pub(crate) tokens: bool,
    /// Also compare the times of refusals that must not be told apart
    #[arg(long)]
    pub(crate) timing: bool,
    /// Measure the sandbox instead: its start, and a thousand worlds made and dropped
    #[arg(long)]
    pub(crate) sandbox: bool,
    /// The server's setting `log`; unless it is off, the log goes to /dev/null
    #[arg(long, default_value = "off")]
    pub(crate) log: String,
    /// The binary to measure, when it is not the one just built
    #[arg(long, value_name = "PATH", default_value = env!("CARGO_BIN_EXE_tegata"))]
    pub(crate) server: PathBuf,
    /// One round of one second, to see that it all works
    #[arg(long)]
    quick: bool,
    /// Cargo says so when it runs benchmarks
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stores {
    Sqlite,
    Postgres,
    Both,
}

/// What a connection does over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// `POST /oauth/token` for `client_credentials`, authenticated by Basic (RFC 6749 §4.4)
    W1,
    /// Introspection of a live token (RFC 7662)
    W2,
    /// `GET /api/memos` with a bearer token (RFC 6750)
    W3,
    /// The authorization code with PKCE, from the redirect to the tokens (RFC 6749 §4.1, RFC 7636)
    W4,
    /// A refresh with rotation (RFC 6749 §6)
    W5,
}

impl Workload {
    const ALL: [Self; 5] = [Self::W1, Self::W2, Self::W3, Self::W4, Self::W5];

    /// In a few words, for the tables.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::W1 => "client_credentials",
            Self::W2 => "introspection",
            Self::W3 => "bearer request",
            Self::W4 => "authorization code",
            Self::W5 => "refresh",
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl Options {
    /// With `--quick` spelled out.
    pub(crate) fn settled(self) -> Self {
        if !self.quick {
            return self;
        }
        Self {
            seconds: 1,
            rounds: 1,
            ..self
        }
    }

    pub(crate) fn measuring(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    pub(crate) fn warming_up(&self) -> Duration {
        self.measuring() / 5
    }

    /// How often a start is timed.
    pub(crate) fn starts(&self) -> usize {
        if self.quick { 2 } else { 10 }
    }

    /// How many access tokens make a full store.
    pub(crate) fn many_tokens(&self) -> i64 {
        if self.quick { 10_000 } else { 1_000_000 }
    }

    /// How many worlds of a sandbox there are at once.
    pub(crate) fn worlds(&self) -> u32 {
        if self.quick { 20 } else { 1_000 }
    }

    /// How often each refusal is timed.
    pub(crate) fn samples(&self) -> usize {
        if self.quick { 100 } else { 5_000 }
    }
}
