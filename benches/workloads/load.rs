//! Drives the workers and takes the measurements.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::error::{Failure, Result};
use super::options::Workload;
use super::process::Tree;
use super::worker::Worker;

/// Whose CPU is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watched {
    pub(crate) server: Tree,
    pub(crate) database: Option<Tree>,
}

/// One workload in one round.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) elapsed: Duration,
    pub(crate) server_cpu: Duration,
    pub(crate) database_cpu: Duration,
    /// What making the load took.
    pub(crate) load_cpu: Duration,
    /// The server's memory at the end of it, in bytes.
    pub(crate) pss: u64,
    /// In microseconds, ascending; one an operation.
    pub(crate) latencies: Vec<u32>,
}

/// What has been used so far.
#[derive(Debug)]
struct Used {
    at: Instant,
    server: Duration,
    database: Duration,
    load: Duration,
}

/// What the workers are told.
#[derive(Debug, Default)]
struct Phase(AtomicU8);

impl Phase {
    const WARMING_UP: u8 = 0;
    const MEASURING: u8 = 1;
    const OVER: u8 = 2;
}

/// Has all workers do `workload` for `warming_up` and then `measuring`, and gives them back.
pub(crate) async fn drive(
    workers: Vec<Worker>,
    workload: Workload,
    watched: Watched,
    (warming_up, measuring): (Duration, Duration),
) -> Result<(Vec<Worker>, Measured)> {
    let phase = Arc::new(Phase::default());
    let mut running = JoinSet::new();
    for worker in workers {
        running.spawn(work(worker, workload, Arc::clone(&phase)));
    }
    undisturbed(&mut running, warming_up).await?;
    let before = Used::now(watched)?;
    phase.0.store(Phase::MEASURING, Ordering::Relaxed);
    undisturbed(&mut running, measuring).await?;
    phase.0.store(Phase::OVER, Ordering::Relaxed);
    let after = Used::now(watched)?;

    let mut measured = Measured {
        elapsed: after.at - before.at,
        server_cpu: after.server.saturating_sub(before.server),
        database_cpu: after.database.saturating_sub(before.database),
        load_cpu: after.load.saturating_sub(before.load),
        pss: watched.server.pss()?,
        latencies: Vec::new(),
    };
    let mut workers = Vec::new();
    while let Some(done) = running.join_next().await {
        let (worker, latencies) = done.map_err(|error| Failure::when("a worker", error))??;
        workers.push(worker);
        measured.latencies.extend(latencies);
    }
    measured.latencies.sort_unstable();
    Ok((workers, measured))
}

type Done = Result<(Worker, Vec<u32>)>;

/// Lets the workers work. None of them ends before it is told to, but by a failure.
async fn undisturbed(running: &mut JoinSet<Done>, time: Duration) -> Result<()> {
    tokio::select! {
        () = tokio::time::sleep(time) => Ok(()),
        Some(ended) = running.join_next() => match ended {
            Ok(Err(failure)) => Err(failure),
            Ok(Ok(_)) => Err("a worker ended early".into()),
            Err(error) => Err(Failure::when("a worker", error)),
        },
    }
}

async fn work(mut worker: Worker, workload: Workload, phase: Arc<Phase>) -> Done {
    let mut latencies = Vec::new();
    loop {
        let begun = Instant::now();
        worker.run(workload).await?;
        match phase.0.load(Ordering::Relaxed) {
            Phase::WARMING_UP => {}
            Phase::MEASURING => {
                latencies.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
            _ => return Ok((worker, latencies)),
        }
    }
}

impl Used {
    fn now(watched: Watched) -> Result<Self> {
        Ok(Self {
            at: Instant::now(),
            server: watched.server.cpu()?,
            database: watched.database.map_or(Ok(Duration::ZERO), Tree::cpu)?,
            load: Tree::own().cpu_alone()?,
        })
    }
}

impl Measured {
    /// The latency that the share `quantile` of all operations stays within, in milliseconds.
    pub(crate) fn latency(&self, quantile: f64) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index into fewer than 2^52 latencies"
        )]
        let index = (self.latencies.len().saturating_sub(1) as f64 * quantile) as usize;
        f64::from(self.latencies.get(index).copied().unwrap_or(0)) / 1_000.0
    }

    pub(crate) fn operations(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^52")]
        let operations = self.latencies.len() as f64;
        operations
    }

    /// Milliseconds of CPU an operation.
    pub(crate) fn cost(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1_000.0 / self.operations().max(1.0)
    }
}
