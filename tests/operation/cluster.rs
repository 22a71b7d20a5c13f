//! A PostgreSQL of a test's own, to be stopped and started.

use std::env;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tegata::base::entropy::Entropy;
use tegata::base::secret::Secret;
use tempfile::TempDir;

/// Programs and data. Stopped and deleted when it is dropped.
pub(super) struct Cluster {
    pub(super) url: String,
    programs: PathBuf,
    port: u16,
    /// Who runs it: PostgreSQL refuses to run as root.
    user: Option<&'static str>,
    folder: TempDir,
}

impl Cluster {
    /// Makes one and starts it.
    pub(super) fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("tegata-postgres.")
            .tempdir()
            .unwrap();
        let password = Secret::generate(&Entropy::System, "");
        let file = folder.path().join("password");
        let mut options = std::fs::OpenOptions::new();
        let written = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&file)
            .unwrap();
        std::io::Write::write_all(&mut &written, password.expose().as_bytes()).unwrap();
        let mut cluster = Self {
            url: String::new(),
            programs: programs(),
            port: 0,
            user: is_root().then(|| if is_user("postgres") { "postgres" } else { "nobody" }),
            folder,
        };
        if let Some(user) = cluster.user {
            succeeds(
                Command::new("chown")
                    .args(["-R", user])
                    .arg(cluster.folder.path()),
            );
        }
        let password_file = format!("--pwfile={}", file.display());
        succeeds(cluster.run("initdb").args([
            "--username=tegata",
            &password_file,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ]));
        let started = (0..3).any(|_| {
            cluster.port = free_port();
            cluster.try_again()
        });
        assert!(started, "PostgreSQL did not start: {}", cluster.log());
        cluster.url = format!(
            "postgres://tegata:{}@127.0.0.1:{}/postgres",
            password.expose(),
            cluster.port
        );
        cluster
    }

    /// As after a crash (`immediate`), or in good order while clients are connected (`fast`).
    pub(super) fn stop(&self, mode: &str) {
        succeeds(
            self.run("pg_ctl")
                .args(["--wait", "--silent", "--mode", mode, "stop"]),
        );
    }

    /// At the same address.
    pub(super) fn start_again(&self) {
        assert!(self.try_again(), "PostgreSQL did not start again: {}", self.log());
    }

    fn try_again(&self) -> bool {
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories='' -c shared_buffers=16MB",
            self.port
        );
        let log = self.folder.path().join("server.log");
        let mut command = self.run("pg_ctl");
        command
            .args(["--wait", "--silent", "--options", &options, "start", "--log"])
            .arg(log);
        command.status().unwrap().success()
    }

    /// One of its programs, on its data.
    fn run(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = match self.user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(path);
                command
            }
            None => Command::new(path),
        };
        // The server that is started keeps these open.
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
            .current_dir("/")
            .env("PGDATA", self.folder.path().join("data"));
        command
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may be stopped already.
        let _ = self.run("pg_ctl").args(["--mode", "immediate", "stop"]).status();
    }
}

/// Where PostgreSQL's programs are: as `scripts/test` tells, in the `PATH`, or where Debian keeps them.
fn programs() -> PathBuf {
    let told = env::var_os("TEGATA_TEST_POSTGRES_BIN").map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<_> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin"))
        .collect();
    debian.sort();
    told.into_iter()
        .chain(env::split_paths(&path))
        .chain(debian.into_iter().rev())
        .find(|folder| folder.join("initdb").is_file())
        .expect("PostgreSQL's initdb: run `scripts/test`, or install PostgreSQL's server")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.trim_ascii() == b"0"
}

fn is_user(name: &str) -> bool {
    let known = Command::new("id")
        .arg(name)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    known.is_ok_and(|status| status.success())
}

#[track_caller]
fn succeeds(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
