//! A world for one test: a server of its own over real HTTP, a clock that stands still until told to
//! move, an empty database, and the `tegata` command on the same store.

mod answer;
mod application;
mod ask;
mod browser;
mod callback;
mod chromium;
mod command;
mod consumer;
mod database;
mod device;
mod request;
#[macro_use]
mod sandbox;
mod signing;
mod tls;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tegata::base::clock::{Clock, SteeredClock};
use tegata::base::config::{Config, FileSource, Sources};
use tegata::base::entropy::Entropy;
use tegata::flow::App;
use tegata::server::{self, Running};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, Mutex, mpsc};
use tokio::task::{JoinError, JoinSet};
use url::Url;

pub(crate) use self::answer::{Answer, Tokens};
pub(crate) use self::application::{Application, Wanted};
pub(crate) use self::ask::{Ask, CHALLENGE, VERIFIER};
pub(crate) use self::browser::{Authorized, Browser, filled_in};
pub(crate) use self::callback::Callback;
pub(crate) use self::chromium::{Chromium, Scripts};
pub(crate) use self::command::{Printed, User};
pub(crate) use self::consumer::{Consumer, decided, exchange, member};
pub(crate) use self::database::Database;
use self::database::Store;
pub(crate) use self::device::Codes;
pub(crate) use self::request::Request;
pub(crate) use self::sandbox::{Sandbox, run_in_sandbox};
pub(crate) use self::signing::{Call, Keys, encoded};
pub(crate) use self::tls::{Authority, Pair};

/// Runs one test on SQLite and on PostgreSQL, as `name::sqlite` and `name::postgres`. Settings other than
/// the usual come first: `with("refresh_token_ttl" = "1h")`. `with("tls" = "on")` is no setting: it is a
/// certificate for the server, from an authority that every client of a world trusts.
macro_rules! on_each_database {
    ($($(with($($setting:literal = $value:expr),+ $(,)?))? async fn $name:ident($($world:tt)*) $body:block)+) => {
        $(mod $name {
            use super::*;

            async fn body($($world)*) $body

            const SETTINGS: &[(&str, &str)] = &[$($(($setting, $value)),+)?];

            #[test]
            fn sqlite() {
                $crate::world::run($crate::world::Database::Sqlite, SETTINGS, body);
            }

            #[test]
            fn postgres() {
                $crate::world::run($crate::world::Database::Postgres, SETTINGS, body);
            }
        })+
    };
}

/// Everything a test may touch. Clones are the same world.
#[derive(Clone)]
pub(crate) struct World {
    /// Where the server answers, which is its issuer too; no trailing slash.
    pub(crate) base_url: String,
    /// The server's clock. Starts at the present, because the `tegata` command has its own.
    pub(crate) clock: SteeredClock,
    pub(crate) database_url: String,
    settings: Vec<(String, String)>,
    folder: Arc<TempDir>,
    /// What its clients present where they are asked.
    identity: Option<Arc<Pair>>,
    http: reqwest::Client,
    servers: Arc<Mutex<Vec<Running>>>,
    windows: Arc<Mutex<Vec<Chromium>>>,
}

/// Runs `test` in a world of its own and takes that world down again, whatever comes of it.
pub(crate) fn run<T, F>(database: Database, settings: &[(&str, &str)], test: T)
where
    T: FnOnce(World) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    finish(async {
        let store = Store::create(database).await;
        let world = World::start(&store, settings).await;
        let outcome = tokio::spawn(test(world.clone())).await;
        world.stop().await;
        store.delete().await;
        outcome
    });
}

/// Runs a test to its end on threads of its own, and passes on how it failed.
fn finish(test: impl Future<Output = Result<(), JoinError>>) {
    // of the HTTP client; the server names its own
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    if let Err(failure) = runtime.block_on(test) {
        std::panic::resume_unwind(failure.into_panic());
    }
}

impl World {
    async fn start(store: &Store, settings: &[(&str, &str)]) -> Self {
        let clock = SteeredClock::at(Clock::System.now().unix_timestamp());
        let mut given = vec![
            ("listen".to_owned(), "127.0.0.1:0".to_owned()),
            ("database_url".to_owned(), store.url.clone()),
            ("rate_limits".to_owned(), "false".to_owned()),
        ];
        for (name, value) in settings {
            if *name == "tls" {
                tls::settings(store.folder.path(), &mut given);
            } else {
                set(&mut given, name, value);
            }
        }
        if settings.iter().any(|(name, _)| *name == "oauth1") {
            let file = store.folder.path().join("sealing.key");
            set(&mut given, "sealing_key_file", &file.display().to_string());
        }
        let running = serve(&given, &clock).await;
        let base_url = running.issuer().to_owned();
        Self {
            http: request::client(&base_url, false, None),
            base_url,
            clock,
            database_url: store.url.clone(),
            settings: given,
            folder: store.folder.clone(),
            identity: None,
            servers: Arc::new(Mutex::new(vec![running])),
            windows: Arc::default(),
        }
    }

    /// Stops the server and starts it again on the same store and the same address.
    pub(crate) async fn restart(&self) {
        self.restart_with(&[]).await;
    }

    /// Restarts the server under an issuer with a path, and looks at it there.
    pub(crate) async fn under(&self, path: &str) -> Self {
        let issuer = self.url(path);
        self.restart_with(&[("public_url", &issuer)]).await;
        self.through(&issuer)
    }

    /// Restarts the server with settings of its own.
    pub(crate) async fn restart_with(&self, own: &[(&str, &str)]) {
        let mut servers = self.servers.lock().await;
        let address = servers[0].addresses()[0];
        for running in servers.drain(..) {
            running.stop().await;
        }
        let mut settings = self.settings.clone();
        set(&mut settings, "listen", &address.to_string());
        for (name, value) in own {
            set(&mut settings, name, value);
        }
        servers.push(serve(&settings, &self.clock).await);
    }

    /// A second server on the same store, under the same issuer, at an address of its own.
    pub(crate) async fn second_node(&self) -> Self {
        self.second_node_with(&[]).await
    }

    /// A second node, with settings of its own.
    pub(crate) async fn second_node_with(&self, own: &[(&str, &str)]) -> Self {
        self.second_node_by(Entropy::System, own).await
    }

    /// A second node, whose chance repeats itself.
    pub(crate) async fn second_node_seeded(&self, seed: u64) -> Self {
        self.second_node_by(Entropy::seeded(seed), &[]).await
    }

    async fn second_node_by(&self, entropy: Entropy, own: &[(&str, &str)]) -> Self {
        let mut settings = self.settings.clone();
        set(&mut settings, "public_url", &self.base_url);
        for (name, value) in own {
            set(&mut settings, name, value);
        }
        let running = serve_by(entropy, &settings, &self.clock).await;
        // an https issuer may be a proxy's
        let speaks_tls = settings.iter().any(|(name, _)| name == "tls_certificate");
        let scheme = if speaks_tls { "https" } else { "http" };
        let base_url = format!("{scheme}://{}", running.addresses()[0]);
        self.servers.lock().await.push(running);
        Self {
            settings,
            ..self.through(&base_url)
        }
    }

    /// A request to `path`, without cookies.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request {
        Request::new(&self.http, method, &self.url(path))
    }

    pub(crate) fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }

    /// A form to `path`, without cookies.
    pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Request {
        self.request("POST", path).fields(fields)
    }

    pub(crate) fn token(&self, fields: &[(&str, &str)]) -> Request {
        self.post("/oauth/token", fields)
    }

    /// Redeems a code as its application should: with its redirect URI, its credentials, its verifier.
    pub(crate) fn redeem(&self, application: &Application, code: &str) -> Request {
        let request = self.token(&[("grant_type", "authorization_code"), ("code", code)]);
        let request = request
            .field("redirect_uri", application.redirect_uri())
            .by(application);
        if application.client_secret.is_none() {
            request.field("code_verifier", VERIFIER)
        } else {
            request
        }
    }

    pub(crate) fn refresh(&self, application: &Application, refresh_token: &str) -> Request {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)])
            .by(application)
    }

    pub(crate) fn client_credentials(&self, application: &Application) -> Request {
        self.token(&[("grant_type", "client_credentials")])
            .by(application)
    }

    pub(crate) fn introspect(&self, token: &str) -> Request {
        self.post("/oauth/introspect", &[("token", token)])
    }

    pub(crate) fn revoke(&self, token: &str) -> Request {
        self.post("/oauth/revoke", &[("token", token)])
    }

    /// The memos of the token's user.
    pub(crate) fn memos(&self, access_token: &str) -> Request {
        self.get("/api/memos").bearer(access_token)
    }

    /// What introspection says of `token` to its own confidential application.
    pub(crate) async fn is_active(&self, application: &Application, token: &str) -> bool {
        let answer = self.introspect(token).by(application).await;
        assert_eq!(answer.status, 200, "{answer}");
        let json = answer.json();
        if json["active"] == false {
            assert_eq!(
                json,
                serde_json::json!({"active": false}),
                "an inactive token tells nothing else"
            );
        }
        json["active"].as_bool().expect("active is a boolean")
    }

    /// Sends `bytes` over a connection of their own, and reads all that comes until the server closes it.
    pub(crate) async fn send_bytes(&self, bytes: &[u8]) -> String {
        let port = Url::parse(&self.base_url).unwrap().port().unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        // The server may answer and close before all of it is sent.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Somebody who can sign in, made through the command.
    pub(crate) async fn user(&self, name: &str) -> User {
        command::create_user(self, name, &[]).await
    }

    pub(crate) async fn administrator(&self, name: &str) -> User {
        command::create_user(self, name, &["--admin"]).await
    }

    /// An application to be made through the command; confidential unless said otherwise.
    pub(crate) fn application(&self) -> application::Wanted {
        application::Wanted::new(self.clone())
    }

    /// A browser without cookies.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(&self.base_url, self.identity.as_deref())
    }

    /// A browser in which `user` has signed in.
    pub(crate) async fn signed_in(&self, user: &User) -> Browser {
        let browser = self.browser();
        browser.sign_in(user).await;
        browser
    }

    /// A window of Chromium without cookies.
    pub(crate) async fn chromium(&self, scripts: Scripts) -> Chromium {
        let window = Chromium::start(&self.base_url, scripts).await;
        self.windows.lock().await.push(window.clone());
        window
    }

    /// The link on which the first administrator is made, as the start of a server without users shows it.
    pub(crate) async fn setup_link(&self) -> String {
        let servers = self.servers.lock().await;
        let token = servers[0].setup_token.as_ref().expect("there is no user yet");
        format!("{}/setup?token={}", self.base_url, token.expose())
    }

    /// A fresh code that `user` allowed to `application`.
    pub(crate) async fn code(&self, user: &User, application: &Application) -> String {
        let browser = self.signed_in(user).await;
        browser.authorize(&Ask::of(application)).await.code()
    }

    /// The tokens of a whole code flow.
    pub(crate) async fn tokens(&self, user: &User, application: &Application) -> Tokens {
        let code = self.code(user, application).await;
        self.redeem(application, &code).await.tokens()
    }

    /// Repeats a request until it is answered with `status`: what another process changed is seen within a
    /// second.
    pub(crate) async fn soon(&self, status: u16, request: impl Fn() -> Request) -> Answer {
        let started = Instant::now();
        loop {
            let answer = request().await;
            if answer.status == status {
                return answer;
            }
            assert!(
                started.elapsed() < Duration::from_secs(1),
                "the change is not seen: {answer}"
            );
        }
    }

    /// Runs `tegata` on the world's store.
    pub(crate) async fn command(&self, arguments: &[&str], input: &str) -> Printed {
        command::run(self, arguments, input).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// The same world seen through another server on its store.
    pub(crate) fn through(&self, base_url: &str) -> Self {
        Self {
            http: request::client(base_url, false, self.identity.as_deref()),
            base_url: base_url.to_owned(),
            ..self.clone()
        }
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM {table}")).await
    }

    /// What the first server of this world does, without HTTP.
    pub(crate) async fn app(&self) -> App {
        self.servers.lock().await[0].app().clone()
    }

    /// The folder in which the `tegata` command runs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops every server inside this process; the store stays.
    pub(crate) async fn stop(&self) {
        for window in self.windows.lock().await.drain(..) {
            window.quit().await;
        }
        for running in self.servers.lock().await.drain(..) {
            running.stop().await;
        }
    }
}

/// Runs `count` tasks that all start together, and collects what they gave.
pub(crate) async fn at_once<T, F>(count: usize, task: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(count));
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let (barrier, run) = (barrier.clone(), task(number));
        tasks.spawn(async move {
            barrier.wait().await;
            run.await
        });
    }
    tasks.join_all().await
}

/// Does `deed` while `count` others do their `task` over and over, from before it begins until after it has
/// ended; gives what all of theirs gave.
pub(crate) async fn meanwhile<T, F>(
    count: usize,
    task: impl Fn(usize) -> F + Clone + Send + 'static,
    deed: impl Future<Output = ()>,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let done = Arc::new(AtomicBool::new(false));
    let (begun, mut all_begun) = mpsc::channel::<()>(count);
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let (task, done, begun) = (task.clone(), done.clone(), begun.clone());
        tasks.spawn(async move {
            let mut given = vec![task(number).await];
            drop(begun);
            loop {
                let last = done.load(Ordering::Relaxed);
                given.push(task(number).await);
                if last {
                    return given;
                }
            }
        });
    }
    drop(begun);
    assert!(
        all_begun.recv().await.is_none(),
        "nothing is sent, and every task has begun"
    );
    deed.await;
    done.store(true, Ordering::Relaxed);
    tasks.join_all().await.into_iter().flatten().collect()
}

/// A path of the server, or any address.
fn address(base_url: &str, address: &str) -> String {
    if address.starts_with('/') {
        return format!("{base_url}{address}");
    }
    address.to_owned()
}

async fn serve(settings: &[(String, String)], clock: &SteeredClock) -> Running {
    serve_by(Entropy::System, settings, clock).await
}

async fn serve_by(entropy: Entropy, settings: &[(String, String)], clock: &SteeredClock) -> Running {
    let sources = Sources {
        defaults: Vec::new(),
        flags: settings.to_vec(),
        environment: Vec::new(),
        file: FileSource::None,
    };
    let config = Config::load(sources).unwrap_or_else(|faults| panic!("{faults}"));
    let started = Box::pin(server::start(config, Clock::Steered(clock.clone()), entropy)).await;
    started.unwrap_or_else(|error| panic!("the server did not start: {error}"))
}

fn set(settings: &mut Vec<(String, String)>, name: &str, value: &str) {
    settings.retain(|(known, _)| known != name);
    settings.push((name.to_owned(), value.to_owned()));
}
