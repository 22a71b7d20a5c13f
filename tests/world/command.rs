//! The `tegata` command, run as a person runs it.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::World;

/// Somebody who can sign in.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) password: String,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Printed {
    /// The one JSON document of a command that succeeded.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.exit, 0, "the command failed: {}", self.stderr);
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not one JSON document ({error}): {}", self.stdout))
    }
}

pub(super) async fn create_user(world: &World, name: &str, options: &[&str]) -> User {
    let password = format!("correct horse of {name}");
    let mut arguments = vec!["user", "create", name, "--password-stdin", "--json"];
    arguments.extend(options);
    let made = run(world, &arguments, &format!("{password}\n")).await.json();
    assert_eq!(made["username"], name);
    User {
        id: text(&made["id"]),
        username: name.to_owned(),
        password,
    }
}

pub(super) async fn run(world: &World, arguments: &[&str], input: &str) -> Printed {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tegata"));
    // An environment of its own: a variable of the test run is no setting of the command.
    command
        .args(arguments)
        .env_clear()
        .current_dir(world.folder.path());
    for (name, value) in &world.settings {
        if !matches!(name.as_str(), "listen" | "public_url") {
            command.env(format!("TEGATA_{}", name.to_uppercase()), value);
        }
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let input = input.to_owned();
    let run = tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("the command starts");
        // A command that reads nothing may be gone before the input is written.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    });
    let output = run.await.unwrap();
    Printed {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The text of a JSON string or number.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
