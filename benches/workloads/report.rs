//! Medians over the rounds, and the tables.

use std::fmt;

use super::load::Measured;
use super::options::{Options, Workload};

/// One workload, medians over its rounds. CPU in milliseconds an operation, latencies in milliseconds.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) rate: f64,
    pub(crate) server_cpu: f64,
    /// Absent where the database's processes cannot be seen.
    pub(crate) database_cpu: Option<f64>,
    load_cpu: f64,
    pub(crate) p50: f64,
    p99: f64,
    /// The longest of all rounds.
    longest: f64,
}

/// Everything that was measured on one database. Times in milliseconds, memory in bytes.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<(Workload, Row)>,
    pub(crate) first_start: f64,
    pub(crate) start: f64,
    pub(crate) idle: u64,
    pub(crate) busy: u64,
}

impl Row {
    pub(crate) fn of(rounds: &[Measured], database_is_remote: bool) -> Self {
        let over = |value: &dyn Fn(&Measured) -> f64| median(&rounds.iter().map(value).collect::<Vec<_>>());
        Self {
            rate: over(&|m| m.operations() / m.elapsed.as_secs_f64()),
            server_cpu: over(&|m| m.cost(m.server_cpu)),
            database_cpu: (!database_is_remote).then(|| over(&|m| m.cost(m.database_cpu))),
            load_cpu: over(&|m| m.cost(m.load_cpu)),
            p50: over(&|m| m.latency(0.5)),
            p99: over(&|m| m.latency(0.99)),
            longest: rounds.iter().map(|m| m.latency(1.0)).fold(0.0, f64::max),
        }
    }

    /// Server and database together.
    pub(crate) fn cpu(&self) -> f64 {
        self.server_cpu + self.database_cpu.unwrap_or(0.0)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| workload | operations/s | CPU ms an operation | server | database | p50 ms | p99 ms | longest ms | load's CPU |\n\
             |---|--:|--:|--:|--:|--:|--:|--:|--:|"
        )?;
        for (workload, row) in &self.rows {
            let database = row
                .database_cpu
                .map_or_else(|| "not seen".to_owned(), |cpu| format!("{cpu:.3}"));
            writeln!(
                f,
                "| {workload} {} | {:.0} | **{:.3}** | {:.3} | {database} | {:.2} | {:.2} | {:.1} | {:.3} |",
                workload.title(),
                row.rate,
                row.cpu(),
                row.server_cpu,
                row.p50,
                row.p99,
                row.longest,
                row.load_cpu,
            )?;
        }
        write!(
            f,
            "\nFirst answer {:.0} ms after the start (on an empty database: {:.0} ms); \
             memory (PSS) {:.1} MB idle, {:.1} MB busy.",
            self.start,
            self.first_start,
            megabytes(self.idle),
            megabytes(self.busy),
        )
    }
}

/// How it was measured, in a sentence.
pub(crate) fn setting(options: &Options) -> String {
    let (plural, log) = (if options.rounds == 1 { "" } else { "s" }, &options.log);
    format!(
        "{} connections, median of {} round{plural} of {} s each, rate_limits = false, log = {log}; the load \
         is made on the same cores.",
        options.connections,
        options.rounds,
        options.measuring().as_secs(),
    )
}

/// The middle value; between two, their mean; of none, 0.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        length if length % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

pub(crate) fn megabytes(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "less than 2^52 bytes")]
    let bytes = bytes as f64;
    bytes / 1_000_000.0
}
