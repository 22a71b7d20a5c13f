//! requests-oauthlib against the server: the scripts of `tests/python/`, with a person at the browser.
//!
//! `seed_NNN` are the documents that the project grew from: 002 a script against Doorkeeper, 003 two sites with
//! django-oauth-toolkit, 004 the workflows of requests-oauthlib, 000 a consumer and 001 a provider of OAuth 1.0a.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;
use url::Url;

use crate::form::Form;
use crate::world::{Application, Authorized, Browser, User, World};

/// A folder in which scripts run, with the settings they read.
pub(super) struct Desk {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
}

/// A script that has printed the address to open and waits for what comes of it.
pub(super) struct Waiting {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(super) url: String,
}

impl Desk {
    pub(super) fn new(world: &World, application: &Application) -> Self {
        let environment = vec![
            ("TEGATA_URL", world.base_url.clone()),
            ("CLIENT_ID", application.client_id.clone()),
            (
                "CLIENT_SECRET",
                application.client_secret.clone().unwrap_or_default(),
            ),
            ("REDIRECT_URI", application.redirect_uri().to_owned()),
        ];
        Self {
            folder: tempfile::tempdir().unwrap(),
            environment,
        }
    }

    /// With a setting more, or another.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value.to_owned()));
        self
    }

    /// A file in the folder.
    pub(super) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The same settings in a `.env` file instead of the environment.
    fn with_settings_in_a_file(mut self) -> Self {
        let lines: Vec<_> = self
            .environment
            .drain(..)
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        std::fs::write(self.folder.path().join(".env"), lines.concat()).unwrap();
        self
    }

    fn python(&self, arguments: &[&str]) -> Child {
        let python = env::var("TEGATA_TEST_PYTHON").unwrap_or_else(|_| {
            panic!("TEGATA_TEST_PYTHON is not set: run `scripts/test`, which prepares the Python clients")
        });
        Command::new(python)
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Python starts")
    }

    /// Runs a script to its end; gives what it printed.
    pub(super) fn run(&self, script: &str, arguments: &[&str]) -> String {
        let path = path_of(script);
        let mut all = vec![path.as_str()];
        all.extend(arguments);
        tokio::task::block_in_place(|| finish(self.python(&all), String::new()))
    }

    /// Runs a script up to where it wants an address opened.
    pub(super) fn open(&self, script: &str) -> Waiting {
        self.open_with(script, &[])
    }

    pub(super) fn open_with(&self, script: &str, arguments: &[&str]) -> Waiting {
        let path = path_of(script);
        let mut all = vec![path.as_str()];
        all.extend(arguments);
        self.wait(&all, "open ")
    }

    /// Starts a program that prints the address alone.
    pub(super) fn open_program(&self, program: &str) -> Waiting {
        self.wait(&["-c", program], "")
    }

    /// Up to its first line, the address to open behind `prompt`.
    fn wait(&self, arguments: &[&str], prompt: &str) -> Waiting {
        tokio::task::block_in_place(|| {
            let mut child = self.python(arguments);
            let mut stdout = BufReader::new(child.stdout.take().unwrap());
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            let Some(url) = line.trim().strip_prefix(prompt) else {
                panic!("{}", finish(child, line))
            };
            Waiting {
                url: url.to_owned(),
                child,
                stdout,
            }
        })
    }

    /// Makes the kept token look expired to the script, which goes by its own clock.
    fn let_the_token_expire(&self) {
        let edit = "import pickle, pathlib; file = pathlib.Path('token.pickle'); \
            token = pickle.loads(file.read_bytes()); token['expires_at'] = 1; \
            file.write_bytes(pickle.dumps(token))";
        tokio::task::block_in_place(|| finish(self.python(&["-c", edit]), String::new()));
    }
}

impl Waiting {
    /// Where the browser of `user` comes out that opens the address.
    pub(super) async fn opened(&self, world: &World, user: &User) -> String {
        opened(world, user, &self.url).await.redirect().to_string()
    }

    /// Answers the script and runs it to its end.
    pub(super) fn answer(mut self, text: &str) -> String {
        tokio::task::block_in_place(|| {
            writeln!(self.child.stdin.take().unwrap(), "{text}").unwrap();
            let mut printed = String::new();
            self.stdout.read_to_string(&mut printed).unwrap();
            finish(self.child, printed)
        })
    }
}

fn finish(child: Child, mut printed: String) -> String {
    let output = child.wait_with_output().unwrap();
    printed.push_str(&String::from_utf8_lossy(&output.stdout));
    assert!(
        output.status.success(),
        "{printed}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}

fn path_of(script: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/python")
        .join(script)
        .display()
        .to_string()
}

/// Path and query of an address of the server.
fn address_of(url: &str) -> String {
    let url = Url::parse(url).unwrap();
    format!("{}?{}", url.path(), url.query().unwrap())
}

/// What a person does with the address that a script printed.
pub(super) async fn opened(world: &World, user: &User, url: &str) -> Authorized {
    let path = address_of(url);
    let browser: Browser = world.browser();
    browser
        .walk(browser.get(&path).await, Some(user), Some("authorize"))
        .await
}

async fn remember(world: &World, user: &User, application: &Application, message: &str) {
    let ask = crate::world::Ask::of(application).with("scope", "read write");
    let code = world.browser().authorize_as(user, &ask).await.code();
    let token = world.redeem(application, &code).await.tokens().access;
    let memo = serde_json::json!({"message": message});
    assert_eq!(
        world
            .request("POST", "/api/memos")
            .bearer(&token)
            .json(&memo)
            .await
            .status,
        201
    );
}

on_each_database! {

async fn seed_002_a_script_with_a_pasted_code_runs_today_and_tomorrow(world: World) {
    let alice = world.user("alice").await;
    let writer = world.application().create().await;
    remember(&world, &alice, &writer, "fuji").await;
    let app = world
        .application()
        .redirect_uri("urn:ietf:wg:oauth:2.0:oob")
        .scope("read")
        .access_token_ttl("60s")
        .create()
        .await;
    let desk = Desk::new(&world, &app).with_settings_in_a_file();

    let waiting = desk.open("native_application.py");
    let code = opened(&world, &alice, &waiting.url).await.code();
    assert_eq!(waiting.answer(&code), "token kept\nmemos ['fuji']\n", "the first run");
    assert_eq!(desk.run("native_application.py", &[]), "memos ['fuji']\n", "while the token lives");

    world.clock.advance(61);
    desk.let_the_token_expire();
    let printed = desk.run("native_application.py", &[]);
    assert_eq!(printed, "token kept\nmemos ['fuji']\n", "after it has expired");
}

async fn seed_003_one_site_asks_another_step_by_step_and_then_for_itself(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().redirect_uri("https://site.example/callback").create().await;
    remember(&world, &alice, &app, "fuji").await;
    let desk = Desk::new(&world, &app);
    let waiting = desk.open("two_sites.py");
    let callback = opened(&world, &alice, &waiting.url).await.redirect().to_string();
    assert_eq!(waiting.answer(&callback), "hers ['fuji']\nits own []\n");
}

async fn seed_004_a_web_application_refreshes_in_three_ways(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().redirect_uri("https://app.example/callback").create().await;
    let desk = Desk::new(&world, &app);
    let waiting = desk.open("web_application.py");
    let callback = opened(&world, &alice, &waiting.url).await.redirect().to_string();
    let printed = waiting.answer(&callback);
    assert_eq!(printed, "authorized 0\nby hand 0\ntold 0\nby itself 0\ndone\n");
}

async fn a_device_polls_while_its_person_decides(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("device_code").grant("refresh_token").create().await;
    let desk = Desk::new(&world, &app);
    let waiting = desk.open("device_application.py");
    let browser = world.browser();
    let path = address_of(&waiting.url);
    let entry = browser.walk(browser.get(&path).await, Some(&alice), None).await.answer;
    let asked = browser.submit(&entry, &Form::with_id(&entry.body, "continue").unwrap()).await;
    let mut form = Form::with_id(&asked.body, "authorize").unwrap();
    form.press("authorize");
    browser.submit(&asked, &form).await;
    assert_eq!(waiting.answer("go on"), "pending\nslower\ntoken kept\nmemos []\nused\nrefreshed\n");
}

with("grants" = "implicit")
async fn seed_004_an_application_in_a_browser_reads_the_token_off_the_fragment(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().public().grant("implicit").create().await;
    let desk = Desk::new(&world, &app);
    let waiting = desk.open("mobile_application.py");
    let arrived = opened(&world, &alice, &waiting.url).await.redirect().to_string();
    assert_eq!(waiting.answer(&arrived), "memos []\n");
}

with("grants" = "password,refresh_token")
async fn seed_004_a_legacy_application_sends_the_password_and_refreshes(world: World) {
    let alice = world.user("alice").await;
    let app = world.application().grant("password").grant("refresh_token").create().await;
    let desk = Desk::new(&world, &app);
    let waiting = desk.open_with("legacy_application.py", &["alice"]);
    assert_eq!(waiting.answer(&alice.password), "memos []\n");
}

async fn seed_004_a_backend_shows_its_secret_in_either_place(world: World) {
    let app = world.application().create().await;
    let desk = Desk::new(&world, &app);
    for way in ["body", "basic", "plain"] {
        assert_eq!(desk.run("backend_application.py", &[way]), "memos []\n", "{way}");
    }
}

}
