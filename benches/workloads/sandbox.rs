//! What a target of tests costs: `tegata sandbox` until it answers, and worlds made and dropped in it.

use std::fmt;
use std::time::{Duration, Instant};

use super::error::Result;
use super::http1::{self, Connection};
use super::options::Options;
use super::report::{median, megabytes};
use super::server::Server;

/// The second round shows whether the first left something behind.
const ROUNDS: usize = 2;
/// The allocator gives memory back within so long.
const REST: Duration = Duration::from_secs(15);

/// One process with worlds in it. Memory in bytes (PSS).
struct Round {
    worlds: u32,
    made_in: Duration,
    dropped_in: Duration,
    full: u64,
    empty: u64,
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\n- {} worlds made in {:.2} s, {:.1} MB; dropped in {:.2} s, {:.1} MB {} s later.",
            self.worlds,
            self.made_in.as_secs_f64(),
            megabytes(self.full),
            self.dropped_in.as_secs_f64(),
            megabytes(self.empty),
            REST.as_secs(),
        )
    }
}

/// Says it in a few sentences.
pub(crate) async fn measure(options: &Options) -> Result<String> {
    let mut starts = Vec::new();
    for _ in 0..options.starts() {
        let server = Server::start_sandbox(&options.server).await?;
        starts.push(server.started_in.as_secs_f64() * 1_000.0);
        server.stop().await?;
    }
    let server = Server::start_sandbox(&options.server).await?;
    let started = server.processes.pss()?;
    let mut said = format!(
        "A sandbox gives its first 200 {:.0} ms after the start of the process (longest {:.0} ms), and takes \
         {:.1} MB (PSS).\n",
        median(&starts),
        starts.iter().copied().fold(0.0, f64::max),
        megabytes(started),
    );
    for number in 1..=ROUNDS {
        eprintln!("round {number} of {ROUNDS}: {} worlds", options.worlds());
        said.push_str(&round(&server, options.worlds()).await?.to_string());
    }
    server.stop().await?;
    Ok(said)
}

/// Makes the worlds one after the other, then drops them.
async fn round(server: &Server, worlds: u32) -> Result<Round> {
    let mut connection = Connection::open(server.address).await?;
    let asked = http1::with_body(server.host(), "/sandbox", "", "application/json", "{}");
    let begun = Instant::now();
    let mut made = Vec::new();
    for _ in 0..worlds {
        let answer = connection.send(&asked).await?;
        answer.unless(answer.status == 201, "world")?;
        let control = answer.member("control").unwrap_or_default();
        made.push(control.trim_start_matches(&server.issuer).to_owned());
    }
    let made_in = begun.elapsed();
    let full = server.processes.pss()?;
    let begun = Instant::now();
    for control in &made {
        let drop = format!("DELETE {control} HTTP/1.1\r\nHost: {}\r\n\r\n", server.host());
        let answer = connection.send(drop.as_bytes()).await?;
        answer.unless(answer.status == 204, "end of a world")?;
    }
    let dropped_in = begun.elapsed();
    tokio::time::sleep(REST).await;
    Ok(Round {
        worlds,
        made_in,
        dropped_in,
        full,
        empty: server.processes.pss()?,
    })
}
