//! The command line: `tegata`, its commands and their exit codes.
//!
//! Results go to stdout, everything else to stderr. Exit 0: done; 1: refused or failed; 2: wrong usage.

pub mod arguments;
pub mod settings;

mod application;
mod audit;
mod certificate;
mod check;
mod doctor;
mod failure;
mod grant;
mod output;
mod sandbox;
mod sealing_key;
mod serve;
mod stdin;
mod token;
mod user;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};

use crate::base::clock::Clock;
use crate::base::config::{Config, Database, Sources};
use crate::base::entropy::Entropy;
use crate::base::secret::Secret;
use crate::flow::{App, OpenError, Purpose, sweep};
use arguments::{Arguments, CertificateCommand, Command};
use failure::Failure;
use output::{Format, Migrated, Swept};

/// The port in the issuer of a server that was given neither `listen` nor `public_url`.
const USUAL_PORT: u16 = 3801;

/// Does what `words` (the program's name first) say.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match arguments::parse(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            // nothing is left to be done where help cannot be shown
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match execute(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::tell(&failure.to_string());
            ExitCode::FAILURE
        }
    }
}

fn execute(arguments: Arguments) -> Result<(), Failure> {
    // what is looked at may be anybody's, whatever this machine's settings are
    if let Command::Doctor(given) = &arguments.command {
        return runtime(Builder::new_current_thread())?.block_on(doctor::run(given, arguments.format));
    }
    if let Command::Sandbox(wanted) = arguments.command {
        return sandbox::run(&wanted, arguments.settings);
    }
    let config =
        Config::load(Sources::of_process(arguments.settings)).map_err(|faults| Failure::settings(&faults))?;
    if let Command::Serve = arguments.command {
        return runtime(Builder::new_multi_thread())?.block_on(serve::serve(config));
    }
    if let Command::Certificate(CertificateCommand::Create(wanted)) = arguments.command {
        let made = certificate::create(&config, wanted, arguments.format, &Clock::System)?;
        return output::print(&made);
    }
    if let Command::Check(check) = &arguments.command {
        let checking = check::run(config, check, arguments.format);
        return runtime(Builder::new_current_thread())?.block_on(checking);
    }
    if let Command::Audit(search) = arguments.command {
        let searching = audit::run(config, search, arguments.format);
        return runtime(Builder::new_current_thread())?.block_on(searching);
    }
    let result = runtime(Builder::new_current_thread())?.block_on(once(
        arguments.command,
        arguments.format,
        config,
    ))?;
    output::print(&result)
}

fn runtime(mut builder: Builder) -> Result<Runtime, Failure> {
    let cannot = |error: io::Error| {
        Failure::new(format!(
            "cannot start a thread: {error}: raise the process's limits"
        ))
    };
    builder.enable_all().build().map_err(cannot)
}

/// What stdin has to give is read first, so that a wrong secret leaves no trace in the store.
async fn once(command: Command, format: Format, config: Config) -> Result<String, Failure> {
    let secret = command.reads().map(stdin::secret).transpose()?;
    let purpose = if command.seals() {
        Purpose::Seal
    } else {
        Purpose::Manage
    };
    let app = open(config, purpose).await?;
    let result = perform(&app, command, secret, format).await;
    app.close().await;
    result
}

/// The result as it is to be printed.
async fn perform(
    app: &App,
    command: Command,
    secret: Option<Secret>,
    format: Format,
) -> Result<String, Failure> {
    match command {
        Command::User(command) => user::run(app, command, secret, format).await,
        Command::Application(command) => application::run(app, command, secret, format).await,
        Command::Token(command) => token::run(app, command, secret, format).await,
        Command::Grant(command) => grant::run(app, command, format).await,
        Command::SealingKey(command) => sealing_key::run(app, command, format).await,
        Command::Sweep => format.render(&Swept::new(sweep::all(app).await?)),
        // whoever opens the store migrates it
        Command::Migrate
        | Command::Audit(_)
        | Command::Certificate(_)
        | Command::Check(_)
        | Command::Doctor(_)
        | Command::Sandbox(_)
        | Command::Serve => format.render(&Migrated::new(app.config.database_url.to_string())),
    }
}

/// Opens and migrates the store that the settings name.
async fn open(config: Config, purpose: Purpose) -> Result<App, Failure> {
    let url = config.database_url.clone();
    if matches!(url.database(), Database::SqliteMemory) {
        output::tell(&format!(
            "{url} ({}) is gone when this command ends: name a file with --database-url to keep what it does",
            url.source()
        ));
    }
    let issuer = config.issuer(USUAL_PORT);
    let opened = Box::pin(App::open_to(
        purpose,
        config,
        Clock::System,
        Entropy::System,
        issuer,
    ))
    .await;
    opened.map_err(|error| match error {
        OpenError::Store(cause) => Failure::store(&url, &cause),
        OpenError::SealingKeys(cause) | OpenError::Setting(cause) => Failure::new(cause),
    })
}

#[cfg(test)]
mod tests;
