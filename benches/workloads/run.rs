//! The whole course: one database after the other, everything on it in turn.

use std::time::Duration;

use super::error::{Failure, Result};
use super::load::{Measured, Watched, drive};
use super::machine::Machine;
use super::options::{Options, Stores, Workload};
use super::postgres::Postgres;
use super::report::{self, Outcome, Row};
use super::sandbox;
use super::scene::Scene;
use super::server::Server;
use super::store::Store;
use super::timing;
use super::tokens;

/// A server that has just started is given so long to come to rest.
const REST: Duration = Duration::from_millis(1_500);

/// Measures what the options name and prints the tables.
pub(crate) async fn all(options: &Options) -> Result<()> {
    if options.sandbox {
        println!("{}\n\n{}", Machine::this(None), sandbox::measure(options).await?);
        return Ok(());
    }
    let postgres = match options.store {
        Stores::Sqlite => None,
        Stores::Postgres | Stores::Both => Some(Postgres::start().await?),
    };
    println!(
        "{}\n",
        Machine::this(postgres.as_ref().map(|p| p.version.as_str()))
    );
    println!("{}", report::setting(options));
    if options.store != Stores::Postgres {
        on(options, None).await?;
    }
    if let Some(postgres) = &postgres {
        on(options, Some(postgres)).await?;
    }
    Ok(())
}

async fn on(options: &Options, postgres: Option<&Postgres>) -> Result<()> {
    let title = postgres.map_or("SQLite", |_| "Postgres");
    let store = Store::create(postgres, "workloads", &options.server).await?;
    let outcome = measure(options, &store, title).await;
    let outcome = outcome.map_err(|error| Failure::when(error, store.logged()));
    store.delete().await?;
    println!("\n### {title}\n\n{}", outcome?);
    if options.tokens {
        println!("\n{}", tokens::compare(options, postgres, title).await?);
    }
    if options.timing {
        println!("\n{}", timing::compare(options, postgres, title).await?);
    }
    Ok(())
}

async fn measure(options: &Options, store: &Store<'_>, title: &str) -> Result<Outcome> {
    let first_start = timed_start(store, options).await?;
    let scene = Scene::set(store).await?;
    let mut starts = Vec::new();
    for _ in 0..options.starts() {
        starts.push(timed_start(store, options).await?);
    }
    let server = Server::start(store, &options.log).await?;
    tokio::time::sleep(REST).await;
    let idle = server.processes.pss()?;
    let watched = Watched {
        server: server.processes,
        database: store.processes(),
    };

    let mut workers = scene.workers(&server, options.connections).await?;
    let mut rounds: Vec<(Workload, Vec<Measured>)> = options
        .workloads
        .iter()
        .map(|&workload| (workload, Vec::new()))
        .collect();
    for round in 1..=options.rounds {
        for (workload, measured) in &mut rounds {
            eprintln!("{title}, round {round} of {}: {workload}", options.rounds);
            let times = (options.warming_up(), options.measuring());
            let (back, result) = drive(workers, *workload, watched, times).await?;
            workers = back;
            measured.push(result);
        }
    }
    drop(workers);
    server.stop().await?;
    let busy = rounds
        .iter()
        .flat_map(|(_, measured)| measured)
        .map(|m| m.pss)
        .max();
    Ok(Outcome {
        rows: rounds
            .iter()
            .map(|(workload, measured)| (*workload, Row::of(measured, store.is_remote())))
            .collect(),
        first_start,
        start: report::median(&starts),
        idle,
        busy: busy.unwrap_or(idle),
    })
}

/// Milliseconds from the start of the process to its first answer.
async fn timed_start(store: &Store<'_>, options: &Options) -> Result<f64> {
    let server = Server::start(store, &options.log).await?;
    let milliseconds = server.started_in.as_secs_f64() * 1_000.0;
    server.stop().await?;
    Ok(milliseconds)
}
