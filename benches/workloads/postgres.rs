//! A Postgres of the benchmark's own, set up as an installation would be: everything durable.
//!
//! `TEGATA_BENCH_POSTGRES` names another one to use instead.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tegata::base::entropy::Entropy;
use tegata::base::secret::Secret;
use tempfile::TempDir;
use url::Url;

use super::error::{Failure, Result};
use super::process::{self, Tree};

/// A Postgres server to create databases on.
#[derive(Debug)]
pub(crate) struct Postgres {
    url: Url,
    pub(crate) version: String,
    /// Absent where it runs on another machine: its CPU cannot be read then.
    pub(crate) processes: Option<Tree>,
    _cluster: Option<Cluster>,
}

/// Files and processes that go when this is dropped.
#[derive(Debug)]
struct Cluster {
    programs: PathBuf,
    folder: TempDir,
    /// Postgres refuses to run as root.
    user: Option<&'static str>,
    url: Url,
}

impl Postgres {
    pub(crate) async fn start() -> Result<Self> {
        let (url, cluster) = if let Ok(given) = env::var("TEGATA_BENCH_POSTGRES") {
            let url = Url::parse(&given).map_err(|error| Failure::when("TEGATA_BENCH_POSTGRES", error))?;
            (url, None)
        } else {
            let cluster = Cluster::start()?;
            (cluster.url.clone(), Some(cluster))
        };
        let mut connection = PgConnection::connect(url.as_str()).await?;
        let (pid, version): (i32, String) =
            sqlx::query_as("SELECT pg_backend_pid(), current_setting('server_version')")
                .fetch_one(&mut connection)
                .await?;
        let processes = u32::try_from(pid)
            .ok()
            .and_then(|pid| process::parent_named(pid, "postgres"));
        connection.close().await?;
        Ok(Self {
            url,
            version,
            processes,
            _cluster: cluster,
        })
    }

    /// The URL of a new, empty database.
    pub(crate) async fn create(&self, name: &str) -> Result<Url> {
        self.execute(format!("CREATE DATABASE {name}")).await?;
        let mut url = self.url.clone();
        url.set_path(name);
        Ok(url)
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<()> {
        self.execute(format!("DROP DATABASE {name} WITH (FORCE)")).await
    }

    async fn execute(&self, statement: String) -> Result<()> {
        let mut connection = PgConnection::connect(self.url.as_str()).await?;
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut connection)
            .await?;
        Ok(connection.close().await?)
    }
}

impl Cluster {
    fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tegata-bench.").tempdir()?;
        let password = Secret::generate(&Entropy::System, "");
        let port = free_port()?;
        let url = format!(
            "postgres://tegata:{}@127.0.0.1:{port}/postgres",
            password.expose()
        );
        let cluster = Self {
            programs: programs()?,
            user: other_user()?,
            url: Url::parse(&url).map_err(|error| Failure::when("the cluster's URL", error))?,
            folder,
        };
        let password_file = cluster.path("password");
        fs::write(&password_file, password.expose())?;
        if let Some(user) = cluster.user {
            let mut chown = Command::new("chown");
            succeed(chown.args(["-R", user]).arg(cluster.folder.path()))?;
        }
        succeed(
            cluster
                .program("initdb")
                .arg(format!("--pgdata={}", cluster.path("data").display()))
                .arg(format!("--pwfile={}", password_file.display()))
                .args(["--username=tegata", "--auth=scram-sha-256", "--encoding=UTF8"])
                .args(["--locale=C", "--no-sync"]),
        )?;
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='' -c fsync=on -c synchronous_commit=on"
        );
        succeed(
            cluster
                .control()
                .arg(format!("--log={}", cluster.path("server.log").display()))
                .args(["--wait", "--silent", "--options", &options, "start"]),
        )?;
        Ok(cluster)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn control(&self) -> Command {
        let mut command = self.program("pg_ctl");
        command.arg(format!("--pgdata={}", self.path("data").display()));
        command
    }

    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = match self.user {
            None => Command::new(path),
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(path);
                command
            }
        };
        command.current_dir("/");
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // one that never started has nothing to stop
        let _ = self
            .control()
            .args(["--mode=immediate", "--silent", "stop"])
            .output();
    }
}

/// A port of the loopback that nobody listens on.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Where initdb and `pg_ctl` are: Debian keeps them out of the PATH, a folder a version.
fn programs() -> Result<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut versions: Vec<(u32, PathBuf)> = debian
        .filter_map(|folder| {
            let folder = folder.ok()?;
            let version = folder.file_name().to_str()?.parse().ok()?;
            Some((version, folder.path().join("bin")))
        })
        .collect();
    versions.sort();
    let path = env::var_os("PATH").unwrap_or_default();
    let newest = versions.into_iter().rev().map(|(_, folder)| folder);
    let found = newest
        .chain(env::split_paths(&path))
        .find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file());
    found.ok_or_else(|| {
        "PostgreSQL's initdb was not found: install it, set TEGATA_BENCH_POSTGRES, or give --store sqlite"
            .into()
    })
}

/// The user that runs Postgres when root runs the benchmark.
fn other_user() -> Result<Option<&'static str>> {
    let output = succeed(Command::new("id").arg("-u"))?;
    if output.stdout.trim_ascii() != b"0" {
        return Ok(None);
    }
    let is_known = succeed(Command::new("id").args(["-u", "postgres"])).is_ok();
    Ok(Some(if is_known { "postgres" } else { "nobody" }))
}

fn succeed(command: &mut Command) -> Result<Output> {
    let name = Path::new(command.get_program()).display().to_string();
    let output = command
        .output()
        .map_err(|error| Failure::when(format_args!("{name} cannot be run"), error))?;
    if output.status.success() {
        return Ok(output);
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Failure::when(format_args!("{name} failed"), said))
}
