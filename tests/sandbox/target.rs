//! A sandbox as the target of a client, with whatever its control plane is asked for.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tegata::sandbox::{RunningSandbox, seeds};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::Url;

/// Whatever takes so long never comes.
const PATIENCE: Duration = Duration::from_secs(20);

macro_rules! with_a_target {
    ($(async fn $name:ident($target:ident: &Target) $body:block)+) => {
        $(#[test]
        fn $name() {
            async fn body($target: &Target) $body
            $crate::sandbox::target::run(body);
        })+
    };
}

pub(super) use with_a_target;

pub(super) fn run(test: impl AsyncFnOnce(&Target)) {
    // of the HTTP client
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let sandbox = tegata::sandbox::start().await.unwrap();
        let target = Target {
            issuer: sandbox.issuer().as_str().to_owned(),
            http: Client::builder()
                .redirect(Policy::none())
                .no_proxy()
                .build()
                .unwrap(),
        };
        timeout(PATIENCE, test(&target)).await.expect("the test hangs");
        stop(&target, sandbox).await;
    });
}

/// What is stalled still is let go first.
async fn stop(target: &Target, sandbox: RunningSandbox) {
    target.control(Method::DELETE, "scripts", None).await.is(204);
    sandbox.stop().await;
}

/// One world, and a client that follows no redirect.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) issuer: String,
    pub(super) http: Client,
}

/// What came of a request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) text: String,
}

impl Answer {
    #[track_caller]
    pub(super) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A parameter of the redirect to the client.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let url = Url::parse(self.header("location")).unwrap();
        let found = url.query_pairs().find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned())
    }
}

impl Target {
    pub(super) async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self
            .http
            .request(method, format!("{}/sandbox/{path}", self.issuer));
        sent(match &body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// Makes a script, and tells its id.
    pub(super) async fn script(&self, script: Value) -> u64 {
        let made = self.control(Method::POST, "scripts", Some(script)).await.is(201);
        made.json()["id"].as_u64().unwrap()
    }

    /// The script of that id, as it is told now.
    pub(super) async fn told(&self, id: u64) -> Value {
        let listed = self.control(Method::GET, "scripts", None).await.is(200).json();
        let scripts = listed["scripts"].as_array().unwrap();
        scripts.iter().find(|script| script["id"] == id).unwrap().clone()
    }

    /// What the record says, the query being `query`.
    pub(super) async fn record(&self, query: &str) -> Value {
        let answer = self
            .control(Method::GET, &format!("requests?{query}"), None)
            .await;
        answer.is(200).json()
    }

    /// The last that was recorded.
    pub(super) async fn last(&self) -> Value {
        let record = self.record("").await;
        record["requests"].as_array().unwrap().last().unwrap().clone()
    }

    pub(super) async fn advance(&self, seconds: i64) {
        let steering = json!({ "frozen": true, "advance": seconds });
        self.control(Method::PATCH, "clock", Some(steering)).await.is(200);
    }

    /// Another world of the same process.
    pub(super) async fn another(&self) -> Self {
        let made = self.http.post(format!("{}/sandbox", self.issuer));
        let made = sent(made.json(&json!({}))).await.is(201).json();
        Self {
            issuer: made["issuer"].as_str().unwrap().to_owned(),
            http: self.http.clone(),
        }
    }

    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.issuer))
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.issuer))
    }

    /// A token for the seeded confidential application itself.
    pub(super) fn asking(&self, scope: &str) -> RequestBuilder {
        let fields = [("grant_type", "client_credentials"), ("scope", scope)];
        let request = self.post("/oauth/token").form(&fields);
        request.basic_auth(seeds::CONFIDENTIAL, Some(seeds::SECRET))
    }

    pub(super) async fn token(&self) -> Answer {
        sent(self.asking("read write")).await
    }

    pub(super) async fn access_token(&self) -> String {
        let answer = self.token().await.is(200);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(super) async fn memos(&self, token: &str) -> Answer {
        sent(self.get("/api/memos").bearer_auth(token)).await
    }

    /// An authorization request of the public application, answered for `alice`.
    pub(super) async fn authorize(&self, more: &[(&str, &str)]) -> Answer {
        let hint = ("login_hint", seeds::USER);
        self.ask(&[&[hint], more].concat()).await
    }

    /// The same, answered by nobody.
    pub(super) async fn ask(&self, more: &[(&str, &str)]) -> Answer {
        let ask = [
            ("response_type", "code"),
            ("client_id", seeds::PUBLIC),
            ("redirect_uri", "http://127.0.0.1:5000/cb"),
            ("scope", "read"),
            ("state", "kept"),
            ("code_challenge", crate::world::CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        sent(self.get("/oauth/authorize").query(&ask).query(more)).await
    }

    pub(super) async fn redeem(&self, code: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", seeds::PUBLIC),
            ("redirect_uri", "http://127.0.0.1:5000/cb"),
            ("code", code),
            ("code_verifier", crate::world::VERIFIER),
        ];
        sent(self.post("/oauth/token").form(&fields)).await
    }

    /// Sends a GET over a connection of its own.
    pub(super) async fn connect(&self, path: &str) -> TcpStream {
        let issuer = Url::parse(&self.issuer).unwrap();
        let address = (issuer.host_str().unwrap(), issuer.port().unwrap());
        let mut stream = TcpStream::connect(address).await.unwrap();
        let path = format!("{}{path}", issuer.path().trim_end_matches('/'));
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// All that comes back to a GET until the server closes the connection.
    pub(super) async fn until_closed(&self, path: &str) -> String {
        all_of(self.connect(path).await).await
    }
}

/// Whatever comes until the connection is closed.
pub(super) async fn all_of(mut stream: TcpStream) -> String {
    let mut came = Vec::new();
    // a connection that is reset is closed, too
    let _ = stream.read_to_end(&mut came).await;
    String::from_utf8(came).unwrap()
}

pub(super) async fn sent(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}
