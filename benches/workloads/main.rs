//! The benchmark: the real binary under five workloads, on SQLite and on Postgres.
//!
//! `cargo bench --bench workloads` starts the server as an operator would, drives it over real
//! connections, checks every answer, and prints what an operation costs. It never judges a time: numbers
//! are for reading, and machines differ. `benches/README.md` says how to read them.

mod error;
mod http1;
mod load;
mod machine;
mod options;
mod postgres;
mod process;
mod report;
mod run;
mod sandbox;
mod scene;
mod server;
mod store;
mod timing;
mod tokens;
mod worker;

use std::process::ExitCode;

use clap::Parser;

use self::error::Result;
use self::options::Options;

fn main() -> ExitCode {
    let options = Options::parse().settled();
    match measure(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("workloads: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One thread for the load: two cores are to be left to the server as far as possible.
fn measure(options: &Options) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        tokio::select! {
            done = run::all(options) => done,
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                Err("interrupted".into())
            }
        }
    })
}
