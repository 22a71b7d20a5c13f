//! An empty database to measure on, and a folder for the server to run in.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use super::error::{Failure, Result};
use super::postgres::Postgres;
use super::process::Tree;

/// A database of the benchmark's own.
#[derive(Debug)]
pub(crate) struct Store<'p> {
    pub(crate) url: String,
    folder: TempDir,
    postgres: Option<(&'p Postgres, String)>,
    binary: PathBuf,
}

impl<'p> Store<'p> {
    /// On `postgres`, or as a SQLite file.
    pub(crate) async fn create(postgres: Option<&'p Postgres>, purpose: &str, binary: &Path) -> Result<Self> {
        // it runs in a folder of its own, where a relative path leads nowhere
        let binary = binary
            .canonicalize()
            .map_err(|error| Failure::when(binary.display(), error))?;
        let folder = tempfile::Builder::new().prefix("tegata-bench.").tempdir()?;
        let Some(postgres) = postgres else {
            return Ok(Self {
                url: format!("sqlite://{}", folder.path().join("tegata.db").display()),
                folder,
                postgres: None,
                binary,
            });
        };
        let name = format!("tegata_bench_{}_{purpose}", std::process::id());
        Ok(Self {
            url: postgres.create(&name).await?.into(),
            folder,
            postgres: Some((postgres, name)),
            binary,
        })
    }

    pub(crate) async fn delete(self) -> Result<()> {
        match self.postgres {
            Some((postgres, name)) => postgres.delete(&name).await,
            None => Ok(()),
        }
    }

    /// The database's own processes, where it has any.
    pub(crate) fn processes(&self) -> Option<Tree> {
        self.postgres.as_ref()?.0.processes
    }

    /// Whether what the database spends cannot be read: it has processes, but elsewhere.
    pub(crate) fn is_remote(&self) -> bool {
        self.postgres.is_some() && self.processes().is_none()
    }

    /// `tegata` on this store, without any setting from outside.
    pub(crate) fn tegata(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .env_clear()
            .current_dir(self.folder.path())
            .args(["--database-url", &self.url])
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Runs a command of `tegata` and reads the JSON it prints.
    pub(crate) async fn command(&self, arguments: &[&str]) -> Result<serde_json::Value> {
        let output = self.tegata(arguments).arg("--json").output().await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(Failure::when(
                format_args!("tegata {} failed", arguments.join(" ")),
                said,
            ));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::when(format_args!("tegata {}", arguments.join(" ")), error))
    }

    /// Where the server's stderr goes: a file, to be shown if it fails, or nowhere.
    pub(crate) fn log(&self, kept: bool) -> Result<Stdio> {
        let path = if kept {
            self.log_path()
        } else {
            Path::new("/dev/null").to_owned()
        };
        Ok(File::options().create(true).append(true).open(path)?.into())
    }

    /// What the server said on stderr so far, if it was kept.
    pub(crate) fn logged(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }
}
