//! The real binary, running as a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::World;

/// A running `tegata`. Killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    /// The whole first line of stdout.
    pub(crate) ready: String,
    /// The world as seen through this process.
    pub(crate) world: World,
    stderr: Arc<Mutex<String>>,
    reading: Option<JoinHandle<()>>,
}

/// A `tegata` on the store of `world`, without rate limits, at a free port; nothing of the test's own
/// environment reaches it.
pub(super) fn command(world: &World, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tegata"));
    command
        .args(arguments)
        .env_clear()
        .env("TEGATA_DATABASE_URL", &world.database_url)
        .env("TEGATA_LISTEN", "127.0.0.1:0")
        .env("TEGATA_RATE_LIMITS", "false")
        .current_dir(world.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Process {
    /// Starts it and waits for its ready line.
    pub(crate) async fn start(world: &World, arguments: &[&str]) -> Self {
        let mut child = command(world, arguments).spawn().expect("the binary starts");
        let stderr = Arc::new(Mutex::new(String::new()));
        let reading = collect(child.stderr.take().unwrap(), stderr.clone());
        let stdout = child.stdout.take().unwrap();
        let ready = tokio::task::spawn_blocking(move || first_line(stdout))
            .await
            .unwrap();
        assert!(!ready.is_empty(), "it did not start: {}", stderr.lock().unwrap());
        let json: Value = serde_json::from_str(&ready).unwrap();
        Self {
            world: world.through(json["issuer"].as_str().unwrap()),
            child,
            ready,
            stderr,
            reading: Some(reading),
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it ever held, in bytes; `None` where the system does not tell.
    pub(super) fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
        Some(kibibytes * 1024)
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends `signal`, named as `kill` names it.
    pub(super) fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", signal, &pid]).status().unwrap();
        assert!(sent.success(), "the process lives");
    }

    /// Waits for its end.
    pub(super) async fn ended(mut self) -> (ExitStatus, String) {
        let reading = self.reading.take();
        let (mut this, status) = tokio::task::spawn_blocking(move || {
            let status = self.child.wait().unwrap();
            (self, status)
        })
        .await
        .unwrap();
        if let Some(reading) = reading.or(this.reading.take()) {
            reading.join().unwrap();
        }
        let told = this.told();
        (status, told)
    }

    /// Waits until it has said `words` on stderr; returns all it has said by then.
    pub(super) async fn says(&self, words: &str) -> String {
        self.says_in_a_line(&[words]).await
    }

    /// Waits until a line on stderr holds all of `words`; returns all it has said by then.
    pub(super) async fn says_in_a_line(&self, words: &[&str]) -> String {
        let started = Instant::now();
        loop {
            let told = self.told();
            if told
                .lines()
                .any(|line| words.iter().all(|word| line.contains(word)))
            {
                return told;
            }
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "it does not say {words:?}: {told}"
            );
            tokio::task::yield_now().await;
        }
    }

    /// What it has said on stderr so far.
    pub(crate) fn told(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn first_line(stdout: impl Read) -> String {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    line
}

fn collect(stderr: ChildStderr, into: Arc<Mutex<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut text = into.lock().unwrap();
            text.push_str(&line);
            text.push('\n');
        }
    })
}
