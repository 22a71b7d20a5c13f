//! `{issuer}/sandbox/debugger`: a flow by hand, every request and answer in sight.
//!
//! What an application would send is sent to this same world, past the network alone: scripts and record see it.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use tower::ServiceExt;
use url::form_urlencoded::Serializer;

use super::worlds::sandboxes;
use super::{World, json};
use crate::base::entropy::Entropy;
use crate::base::secret::{Secret, SecretHash};
use crate::flow::sandbox::seeds;
use crate::http::extract::form::CSRF_FIELD;
use crate::http::middleware::headers::secure;
use crate::http::pages::render::page;
use crate::http::view::Chrome;
use crate::http::view::debugger::{Action, Choice, Debugger, DebuggerWalk, Step, Visit};
use crate::protocol::params::Params;

const CALLBACK: &str = "/sandbox/debugger/callback";
/// Walks that are kept of a world.
const MOST: usize = 100;
/// Of an answer that is shown, in bytes.
const LONGEST: usize = 64 * 1024;

pub(super) fn routes(world: &Arc<World>) -> Router<Arc<World>> {
    Router::new()
        .route("/sandbox/debugger", get(start).post(begin))
        .route(CALLBACK, get(returned))
        .route("/sandbox/debugger/{walk}", get(show).post(act))
        .layer(from_fn_with_state(world.app.clone(), secure))
}

/// The newest walks of a world.
#[derive(Debug)]
pub(super) struct Walks {
    walks: Mutex<VecDeque<Walk>>,
    /// Goes into every form, beside the guard of the control plane: older browsers say nothing of where they come
    /// from.
    csrf: Secret,
}

#[derive(Clone, Debug)]
struct Walk {
    id: String,
    title: &'static str,
    client_id: String,
    /// Empty: it keeps none.
    client_secret: String,
    verifier: String,
    /// What the next step needs of the last.
    stage: Stage,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Stage {
    /// The browser is to go to the first, and comes back.
    Away(String),
    Code(String),
    Device {
        device_code: String,
        page: String,
    },
    Tokens {
        access: String,
        refresh: Option<String>,
    },
    Over,
}

impl Walks {
    pub(super) fn new(entropy: &Entropy) -> Self {
        Self {
            walks: Mutex::default(),
            csrf: Secret::generate(entropy, ""),
        }
    }

    /// The fields of a form of ours.
    ///
    /// # Errors
    /// 400 where it cannot be read, 403 where it is not ours.
    fn form(&self, body: &[u8]) -> Result<Params, Response> {
        let params = Params::parse(body).map_err(|_| json::invalid("the form cannot be read"))?;
        let sent = SecretHash::of(params.get(CSRF_FIELD).unwrap_or_default());
        if sent == self.csrf.hash() {
            return Ok(params);
        }
        let advice = "load the page of the debugger again, and send the form from there";
        Err(json::refused(StatusCode::FORBIDDEN, "forbidden", advice))
    }

    fn find(&self, id: &str) -> Option<Walk> {
        let walks = self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        walks.iter().find(|walk| walk.id == id).cloned()
    }

    fn put(&self, walk: Walk) {
        let mut walks = self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        walks.retain(|known| known.id != walk.id);
        walks.push_back(walk);
        if walks.len() > MOST {
            walks.pop_front();
        }
    }
}

async fn start(State(world): State<Arc<World>>) -> Response {
    let choice = |client_id: &str, client_secret: &str, about: &str| Choice {
        client_id: client_id.to_owned(),
        client_secret: client_secret.to_owned(),
        about: about.to_owned(),
    };
    let scopes: Vec<_> = world.app.config.scopes.iter().map(|scope| &*scope.name).collect();
    let view = Debugger {
        chrome: chrome(&world),
        issuer: world.app.issuer.as_str().to_owned(),
        redirect_uri: world.app.issuer.join(CALLBACK),
        applications: [
            choice(seeds::CONFIDENTIAL, seeds::SECRET, "with this secret"),
            choice(seeds::PUBLIC, "", "without a secret"),
        ]
        .into_iter()
        .filter(|choice| seeds::is_planted(&world.app, &choice.client_id))
        .collect(),
        scopes: scopes.join(" "),
        username: seeds::USER.to_owned(),
        password: seeds::PASSWORD.to_owned(),
    };
    page(StatusCode::OK, &view)
}

fn chrome(world: &World) -> Chrome {
    Chrome::new(world.walks.csrf.clone()).of(&world.app)
}

async fn begin(State(world): State<Arc<World>>, body: Bytes) -> Response {
    let params = match world.walks.form(&body) {
        Ok(params) => params,
        Err(refused) => return refused,
    };
    let text = |name| params.get(name).unwrap_or_default().to_owned();
    let random = || URL_SAFE_NO_PAD.encode(world.app.entropy.bytes::<32>());
    let mut walk = Walk {
        id: random(),
        title: "An authorization code flow",
        client_id: text("client_id"),
        client_secret: text("client_secret"),
        verifier: random(),
        stage: Stage::Over,
        steps: Vec::new(),
    };
    let scope = text("scope");
    if params.get("flow") == Some("device") {
        walk.title = "A device flow";
        walk.ask_for_device(&world, &scope).await;
    } else {
        walk.ask_for_code(&world, &scope);
    }
    go_on(&world, walk)
}

async fn returned(State(world): State<Arc<World>>, uri: Uri) -> Response {
    let query = uri.query().unwrap_or_default();
    let params = Params::parse(query.as_bytes()).unwrap_or_default();
    let Some(mut walk) = params.get("state").and_then(|state| world.walks.find(state)) else {
        return json::refused(
            StatusCode::NOT_FOUND,
            "not_found",
            "no walk of the debugger has this state: begin again",
        );
    };
    walk.steps.push(Step {
        title: "The browser comes back".to_owned(),
        about: "The state is the one that was sent, so the answer belongs to this walk; iss names the issuer that \
                gave it (RFC 6749 §4.1.2, RFC 9207)."
            .to_owned(),
        request: format!("GET {CALLBACK}?{} HTTP/1.1", query.replace('&', "\n  &")),
        answer: String::new(),
    });
    walk.stage = params
        .get("code")
        .map_or(Stage::Over, |code| Stage::Code(code.to_owned()));
    go_on(&world, walk)
}

async fn show(State(world): State<Arc<World>>, Path(id): Path<String>) -> Response {
    let Some(walk) = world.walks.find(&id) else {
        return gone();
    };
    let view = DebuggerWalk {
        chrome: chrome(&world),
        title: walk.title.to_owned(),
        visit: walk.visit(),
        actions: walk.actions(),
        id: walk.id,
        steps: walk.steps,
    };
    page(StatusCode::OK, &view)
}

async fn act(State(world): State<Arc<World>>, Path(id): Path<String>, body: Bytes) -> Response {
    let params = match world.walks.form(&body) {
        Ok(params) => params,
        Err(refused) => return refused,
    };
    let Some(mut walk) = world.walks.find(&id) else {
        return gone();
    };
    match (params.get("action"), walk.stage.clone()) {
        (Some("exchange"), Stage::Code(code)) => walk.exchange(&world, &code).await,
        (Some("poll"), Stage::Device { device_code, .. }) => walk.poll(&world, &device_code).await,
        (
            Some("refresh"),
            Stage::Tokens {
                refresh: Some(token), ..
            },
        ) => walk.refresh(&world, &token).await,
        (Some("memos"), Stage::Tokens { access, .. }) => walk.memos(&world, &access).await,
        (Some("introspect"), Stage::Tokens { access, .. }) => walk.introspect(&world, &access).await,
        (Some("revoke"), Stage::Tokens { access, .. }) => walk.revoke(&world, &access).await,
        _ => {}
    }
    go_on(&world, walk)
}

fn gone() -> Response {
    json::refused(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is no such walk: begin again",
    )
}

/// To the page of the walk, by a GET.
fn go_on(world: &World, walk: Walk) -> Response {
    let path = format!("{}/sandbox/debugger/{}", world.app.issuer.path(), walk.id);
    world.walks.put(walk);
    (StatusCode::SEE_OTHER, [(header::LOCATION, path)]).into_response()
}

impl Walk {
    fn visit(&self) -> Option<Visit> {
        let (href, label) = match &self.stage {
            Stage::Away(href) => (href, "Go to the authorization page"),
            Stage::Device { page, .. } => (page, "Go to the page where the code is entered"),
            _ => return None,
        };
        Some(Visit {
            href: href.clone(),
            label: label.to_owned(),
            about: format!(
                "Sign in as {} (password {}) and decide.",
                seeds::USER,
                seeds::PASSWORD
            ),
        })
    }

    fn actions(&self) -> Vec<Action> {
        let known: &[(&str, &str)] = match &self.stage {
            Stage::Away(_) | Stage::Over => &[],
            Stage::Code(_) => &[("exchange", "Exchange the code")],
            Stage::Device { .. } => &[("poll", "Ask for the tokens")],
            Stage::Tokens { refresh: None, .. } => &[MEMOS, INTROSPECT, REVOKE],
            Stage::Tokens { .. } => &[MEMOS, ("refresh", "Refresh"), INTROSPECT, REVOKE],
        };
        let action = |(name, label): &(&str, &str)| Action {
            name: (*name).to_owned(),
            label: (*label).to_owned(),
        };
        known.iter().map(action).collect()
    }

    fn ask_for_code(&mut self, world: &World, scope: &str) {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()));
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &world.app.issuer.join(CALLBACK)),
            ("scope", scope),
            ("state", &self.id),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        self.steps.push(Step {
            title: "The application sends the browser away".to_owned(),
            about: format!(
                "The state ties the answer to this browser (RFC 6749 §10.12). The challenge is the SHA-256 of the \
                 verifier {}, which stays here (RFC 7636 §4.2).",
                self.verifier
            ),
            request: format!("GET /oauth/authorize\n  ?{} HTTP/1.1", query.replace('&', "\n  &")),
            answer: String::new(),
        });
        self.stage = Stage::Away(format!("{}?{query}", world.app.issuer.join("/oauth/authorize")));
    }

    async fn ask_for_device(&mut self, world: &World, scope: &str) {
        let about = "The device shows the user code and where to enter it, and polls with the device code \
                     (RFC 8628 §3.1).";
        let fields = [("scope", scope)];
        let told = self
            .post(
                world,
                "The device asks for codes",
                about,
                "/oauth/device_authorization",
                &fields,
            )
            .await;
        let member = |name: &str| told[name].as_str().map(str::to_owned);
        self.stage = match (member("device_code"), member("verification_uri_complete")) {
            (Some(device_code), Some(page)) => Stage::Device { device_code, page },
            _ => Stage::Over,
        };
    }

    async fn exchange(&mut self, world: &World, code: &str) {
        let about = "The code works once, with the redirect URI that it was asked for and the verifier behind the \
                     challenge (RFC 6749 §4.1.3, RFC 7636 §4.5).";
        let (redirect_uri, verifier) = (world.app.issuer.join(CALLBACK), self.verifier.clone());
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &redirect_uri),
            ("code_verifier", &verifier),
        ];
        let told = self
            .post(world, "The code for tokens", about, "/oauth/token", &fields)
            .await;
        self.take_tokens(&told);
    }

    async fn poll(&mut self, world: &World, device_code: &str) {
        let about = "authorization_pending until the person has decided, slow_down when it comes too often \
                     (RFC 8628 §3.4, §3.5).";
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", device_code),
        ];
        let told = self
            .post(world, "The device polls", about, "/oauth/token", &fields)
            .await;
        if told["access_token"].is_string() {
            self.take_tokens(&told);
        }
    }

    async fn refresh(&mut self, world: &World, token: &str) {
        let about = "The refresh token is replaced by the new one (RFC 6749 §6, RFC 9700 §4.14).";
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let told = self
            .post(world, "Fresh tokens", about, "/oauth/token", &fields)
            .await;
        if told["access_token"].is_string() {
            self.take_tokens(&told);
        }
    }

    async fn introspect(&mut self, world: &World, token: &str) {
        let about = "What the server knows of the token, for whoever may ask (RFC 7662).";
        self.post(
            world,
            "Introspection",
            about,
            "/oauth/introspect",
            &[("token", token)],
        )
        .await;
    }

    async fn revoke(&mut self, world: &World, token: &str) {
        let about = "The grant and all that came of it is dead; the answer is the same for a token that nobody knows \
                     (RFC 7009).";
        self.post(world, "Revocation", about, "/oauth/revoke", &[("token", token)])
            .await;
    }

    async fn memos(&mut self, world: &World, token: &str) {
        let mut headers = HeaderMap::new();
        insert(&mut headers, header::AUTHORIZATION, &format!("Bearer {token}"));
        let sent = Sent {
            method: Method::GET,
            path: "/api/memos",
            headers,
            body: String::new(),
        };
        let about = "The bearer token opens the resource, as far as its scopes go (RFC 6750).";
        let (step, _) = sent.send(world, "The protected resource", about).await;
        self.steps.push(step);
    }

    fn take_tokens(&mut self, told: &serde_json::Value) {
        let member = |name: &str| told[name].as_str().map(str::to_owned);
        self.stage = match member("access_token") {
            Some(access) => Stage::Tokens {
                access,
                refresh: member("refresh_token"),
            },
            None => Stage::Over,
        };
    }

    /// As the application: by Basic, or with its bare `client_id`. The answer's JSON.
    async fn post(
        &mut self,
        world: &World,
        title: &str,
        about: &str,
        path: &'static str,
        fields: &[(&str, &str)],
    ) -> serde_json::Value {
        let mut headers = HeaderMap::new();
        insert(
            &mut headers,
            header::CONTENT_TYPE,
            "application/x-www-form-urlencoded",
        );
        let mut fields = fields.to_vec();
        if self.client_secret.is_empty() {
            fields.push(("client_id", &self.client_id));
        } else {
            let encoded =
                |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encoded(&self.client_id), encoded(&self.client_secret));
            let basic = format!("Basic {}", STANDARD.encode(pair));
            insert(&mut headers, header::AUTHORIZATION, &basic);
        }
        let sent = Sent {
            method: Method::POST,
            path,
            headers,
            body: form(&fields),
        };
        let (step, told) = sent.send(world, title, about).await;
        self.steps.push(step);
        told
    }
}

const MEMOS: (&str, &str) = ("memos", "Call /api/memos");
const INTROSPECT: (&str, &str) = ("introspect", "Introspect");
const REVOKE: (&str, &str) = ("revoke", "Revoke");

/// A request of the application.
struct Sent {
    method: Method,
    path: &'static str,
    headers: HeaderMap,
    body: String,
}

impl Sent {
    async fn send(self, world: &World, title: &str, about: &str) -> (Step, serde_json::Value) {
        let asked = self.text(world);
        let (answer, told) = match self.answer(world).await {
            Some(response) => shown(response).await,
            None => ("The connection was closed.".to_owned(), serde_json::Value::Null),
        };
        let step = Step {
            title: title.to_owned(),
            about: about.to_owned(),
            request: asked,
            answer,
        };
        (step, told)
    }

    async fn answer(self, world: &World) -> Option<Response> {
        let path = format!("{}{}", world.app.issuer.path(), self.path);
        let mut request = Request::new(Body::from(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = path.parse().ok()?;
        *request.headers_mut() = self.headers;
        insert(request.headers_mut(), header::HOST, host(world));
        let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        request.extensions_mut().insert(ConnectInfo(here));
        let place = sandboxes(world)?.at(&path)?;
        place.routes.oneshot(request).await.ok()
    }

    fn text(&self, world: &World) -> String {
        let mut text = format!(
            "{} {}{} HTTP/1.1\nhost: {}\n",
            self.method,
            world.app.issuer.path(),
            self.path,
            host(world)
        );
        text.push_str(&lines(&self.headers));
        if !self.body.is_empty() {
            text.push('\n');
            text.push_str(&self.body.replace('&', "\n&"));
        }
        text
    }
}

async fn shown(response: Response) -> (String, serde_json::Value) {
    let (parts, body) = response.into_parts();
    let head = format!("HTTP/1.1 {}\n{}", parts.status, lines(&parts.headers));
    let Ok(bytes) = to_bytes(body, LONGEST).await else {
        return (
            format!("{head}\nThe connection broke off, or the body is too long."),
            serde_json::Value::Null,
        );
    };
    let told: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let body = match serde_json::to_string_pretty(&told) {
        Ok(pretty) if !told.is_null() => pretty,
        _ => String::from_utf8_lossy(&bytes).into_owned(),
    };
    (format!("{head}\n{body}"), told)
}

fn lines(headers: &HeaderMap) -> String {
    let line = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
    };
    headers.iter().map(line).collect()
}

fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = value.parse() {
        headers.insert(name, value);
    }
}

fn host(world: &World) -> &str {
    let origin = world.app.issuer.origin();
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

fn form(fields: &[(&str, &str)]) -> String {
    let given = fields.iter().filter(|(_, value)| !value.is_empty());
    Serializer::new(String::new()).extend_pairs(given).finish()
}
