//! Foreign clients against `tegata sandbox`: the thirty scenarios of `tests/python/sandbox` and `tests/javascript`, each
//! in a world of its own, all in one process; and what README.md and docs/testing-clients.md show, as it stands there.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const TEGATA: &str = env!("CARGO_BIN_EXE_tegata");
const README: &str = include_str!("../../README.md");
const TESTING_CLIENTS: &str = include_str!("../../docs/testing-clients.md");

/// A running `tegata sandbox`. Killed when it is dropped.
struct Sandbox {
    child: Child,
    issuer: String,
    folder: TempDir,
    _stdout: BufReader<ChildStdout>,
}

impl Sandbox {
    fn start() -> Self {
        let mut command = Command::new(TEGATA);
        command
            .args(["sandbox", "--listen", "127.0.0.1:0", "--log", "debug"])
            .env_clear();
        Self::of(&mut command)
    }

    fn of(command: &mut Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = command
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("stderr")).unwrap())
            .spawn()
            .expect("the binary starts");
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut ready = String::new();
        stdout.read_line(&mut ready).unwrap();
        let ready: Value = serde_json::from_str(&ready).expect("the ready line is JSON");
        Self {
            issuer: ready["issuer"].as_str().unwrap().to_owned(),
            child,
            folder,
            _stdout: stdout,
        }
    }

    /// All that it has logged so far.
    fn told(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A program with `tegata` on its path; nothing else of the test's own environment reaches it.
fn program(name: &str) -> Command {
    let paths = env::var_os("PATH").unwrap_or_default();
    let own = Path::new(TEGATA).parent().unwrap().to_owned();
    let path = env::join_paths([own].into_iter().chain(env::split_paths(&paths))).unwrap();
    let mut command = Command::new(name);
    command
        .env_clear()
        .env("PATH", path)
        .env("NO_COLOR", "1")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    command
}

fn pytest() -> Command {
    let python = env::var("TEGATA_TEST_PYTHON").unwrap_or_else(|_| {
        panic!("TEGATA_TEST_PYTHON is not set: run `scripts/test`, which prepares the Python clients")
    });
    let mut command = program(&python);
    command.args(["-m", "pytest", "-p", "no:cacheprovider", "-rA", "--color=no"]);
    command
}

fn node() -> Command {
    program(&env::var("TEGATA_TEST_NODE").unwrap_or_else(|_| "node".to_owned()))
}

/// Runs a program that must succeed; what it printed on stdout.
#[track_caller]
fn run(command: &mut Command, folder: &Path) -> String {
    let output = command.current_dir(folder).output().unwrap_or_else(|error| {
        panic!("{command:?} does not start ({error}): run `scripts/test`, which brings it")
    });
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    stdout
}

/// The tests that pytest lists as passed, by their bare names.
fn passed(printed: &str) -> BTreeSet<&str> {
    let lines = printed.lines().filter_map(|line| line.strip_prefix("PASSED "));
    lines.filter_map(|line| line.split("::").nth(1)).collect()
}

/// The numbers of the scenarios among `names`, which begin with them.
fn scenarios<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<u32> {
    names.filter_map(|name| name.get(..2)?.parse().ok()).collect()
}

fn all_thirty() -> BTreeSet<u32> {
    (1..=30).collect()
}

/// The code block of `document` whose fence names the file `name`.
#[track_caller]
fn shown<'a>(document: &'a str, name: &str) -> &'a str {
    let mut blocks = document.split("\n```").skip(1).step_by(2);
    blocks
        .find_map(|block| {
            let (fence, code) = block.split_once('\n')?;
            (fence.split(' ').nth(1) == Some(name)).then_some(code)
        })
        .unwrap_or_else(|| panic!("no code block is called {name}"))
}

/// A folder with the files that `documents` show.
fn copied(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (document, name) in files {
        fs::write(folder.path().join(name), shown(document, name)).unwrap();
    }
    folder
}

#[test]
fn requests_oauthlib_passes_the_thirty_scenarios_in_worlds_of_one_process() {
    let sandbox = Sandbox::start();
    let mut pytest = pytest();
    pytest.args(["-n", "4"]).env("SANDBOX_ISSUER", &sandbox.issuer);
    let printed = run(&mut pytest, &source("tests/python/sandbox"));
    let names = passed(&printed)
        .into_iter()
        .filter_map(|name| name.strip_prefix("test_"));
    assert_eq!(scenarios(names), all_thirty(), "{printed}");
    tells_no_secret(&sandbox);
}

#[test]
fn oauth4webapi_passes_the_thirty_scenarios_in_worlds_of_one_process() {
    let sandbox = Sandbox::start();
    let mut node = node();
    node.args(["--test", "--test-reporter=tap", "scenarios.test.js"])
        .env("SANDBOX_ISSUER", &sandbox.issuer);
    let printed = run(&mut node, &source("tests/javascript"));
    let lines = printed.lines().filter_map(|line| line.trim().strip_prefix("ok "));
    let names = lines
        .filter_map(|line| line.split_once(" - "))
        .map(|(_, name)| name);
    assert_eq!(scenarios(names), all_thirty(), "{printed}");
    tells_no_secret(&sandbox);
}

#[track_caller]
fn tells_no_secret(sandbox: &Sandbox) {
    let told = sandbox.told();
    assert!(told.contains("/oauth/token"), "it logs what it does: {told}");
    for secret in ["tga_", "tgr_", "tgc_", "tgd_"] {
        assert!(!told.contains(secret), "a {secret}… is in the log");
    }
}

#[test]
fn the_test_file_of_the_readme_passes_and_has_twenty_lines() {
    let folder = copied(&[
        (TESTING_CLIENTS, "conftest.py"),
        (README, "notes.py"),
        (README, "test_notes.py"),
    ]);
    let lines = shown(README, "test_notes.py")
        .lines()
        .filter(|line| !line.is_empty());
    assert!(lines.count() <= 20);
    let printed = run(pytest().arg("test_notes.py"), folder.path());
    let expected = [
        "test_denial",
        "test_expired_token",
        "test_happy_flow",
        "test_revoked_refresh_token",
        "test_two_503s_and_then_a_token",
    ];
    assert_eq!(passed(&printed), expected.into(), "{printed}");
}

#[test]
fn the_pytest_examples_pass() {
    let folder = copied(&[
        (TESTING_CLIENTS, "conftest.py"),
        (TESTING_CLIENTS, "test_more.py"),
    ]);
    let printed = run(pytest().arg("test_more.py"), folder.path());
    assert_eq!(passed(&printed).len(), 3, "{printed}");
}

#[test]
fn the_vitest_example_passes() {
    let folder = copied(&[
        (TESTING_CLIENTS, "sandbox.js"),
        (TESTING_CLIENTS, "client.test.js"),
    ]);
    fs::write(
        folder.path().join("package.json"),
        json!({"type": "module"}).to_string(),
    )
    .unwrap();
    let packages = source("tests/javascript/node_modules");
    std::os::unix::fs::symlink(&packages, folder.path().join("node_modules")).unwrap();
    let mut node = node();
    node.arg(packages.join("vitest/vitest.mjs"))
        .args(["run", "--reporter=json"]);
    let printed = run(&mut node, folder.path());
    let report: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(
        (&report["numTotalTests"], &report["numPassedTests"]),
        (&json!(3), &json!(3)),
        "{printed}"
    );
}

#[test]
fn the_rust_example_is_the_test_beside_this_one() {
    let example = shown(TESTING_CLIENTS, "sandbox_example.rs");
    assert!(
        include_str!("sandbox_example.rs").trim_end().ends_with(example),
        "{example}"
    );
}

/// The values of `name` in a Dockerfile's ENV, or of `-e` in a command line.
fn variables<'a>(words: impl Iterator<Item = &'a str>) -> Vec<(String, String)> {
    let pairs = words.filter(|word| word.starts_with("TEGATA_"));
    let pairs = pairs.filter_map(|word| word.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.replace(":3801", ":0")))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_docker_line_runs_starts_and_wants_its_token() {
    let image = include_str!("../../Dockerfile");
    let line = TESTING_CLIENTS
        .lines()
        .find(|line| line.trim().starts_with("docker run "))
        .unwrap();
    let (_, arguments) = line.split_once(" tegata ").expect("the image, and what it runs");
    let instructions = image.lines().filter(|line| !line.starts_with('#'));
    let environment = variables(instructions.flat_map(str::split_whitespace));
    assert_eq!(environment.len(), 2, "the image's own");
    let mut command = Command::new(TEGATA);
    command
        .args(arguments.split_whitespace())
        .env_clear()
        .envs(environment)
        .envs(variables(line.split_whitespace()));
    let sandbox = Sandbox::of(&mut command);

    let http = super::sandbox_example::client();
    let request = http.post(format!("{}/sandbox", sandbox.issuer)).json(&json!({}));
    let refused = request.try_clone().unwrap().send().await.unwrap();
    assert_eq!(refused.status(), 403);
    let made = request.bearer_auth("not-for-production").send().await.unwrap();
    assert_eq!(made.status(), 201);
}
