//! Somebody else's authorization server and resource, sound until a test makes it wrong in one thing.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tegata::base::entropy::Entropy;
use tegata::base::secret::Secret;
use tegata::flow::doctor::{Plan, examine};
use tegata::flow::outbound::Outbound;
use tegata::protocol::doctor::{Check, Outcome, Report};
use tokio::net::TcpListener;
use url::Url;

pub(super) const BACK: &str = "https://app.example/callback";
pub(super) const SECRET: &str = "tgs_secret_of_the_client";
const TOKEN: &str = "tga_token_that_nobody_may_see";

/// A request, as far as the stranger looks at it.
pub(super) struct Asked {
    pub(super) path: String,
    pub(super) base: String,
    /// Of the query and of the form.
    pub(super) parameters: HashMap<String, String>,
    pub(super) authorization: Option<String>,
}

impl Asked {
    pub(super) fn is(&self, path: &str) -> bool {
        self.path == path
    }

    pub(super) fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// Whether the client has proven itself.
    pub(super) fn has_secret(&self) -> bool {
        let right = format!("Basic {}", STANDARD.encode(format!("web:{SECRET}")));
        self.authorization == Some(right)
    }

    async fn of(request: Request, base: &str) -> Self {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, 10_000).await.unwrap();
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        let pairs = url::form_urlencoded::parse(query).chain(url::form_urlencoded::parse(&body));
        let header = parts.headers.get("authorization");
        Self {
            path: parts.uri.path().to_owned(),
            base: base.to_owned(),
            parameters: pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
            authorization: header.map(|value| value.to_str().unwrap().to_owned()),
        }
    }
}

/// An answer that a test may spoil.
#[derive(Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) json: Value,
    /// In place of the JSON.
    pub(super) text: Option<String>,
}

impl Reply {
    pub(super) fn json(status: u16, json: Value) -> Self {
        let headers = [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
        ];
        Self {
            status,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            json,
            text: None,
        }
    }

    pub(super) fn error(status: u16, code: &str) -> Self {
        Self::json(status, json!({"error": code}))
    }

    fn page(status: u16) -> Self {
        let mut page = Self::json(status, Value::Null);
        page.text = Some("<p>A page</p>".to_owned());
        page.header("content-type", "text/html");
        page
    }

    /// A redirect with parameters added.
    pub(super) fn to(url: &str, parameters: &[(&str, &str)]) -> Self {
        let url = if parameters.is_empty() {
            url.to_owned()
        } else {
            Url::parse_with_params(url, parameters).unwrap().into()
        };
        let mut page = Self::page(302);
        page.header("location", &url);
        page
    }

    /// Sets a header; an empty value takes it away.
    pub(super) fn header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(held, _)| held != name);
        if !value.is_empty() {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.header(name, value);
        self
    }

    fn into_response(self) -> Response {
        let text = self.text.unwrap_or_else(|| self.json.to_string());
        let mut response = Response::new(text.into());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap();
        for (name, value) in self.headers {
            let name: HeaderName = name.parse().unwrap();
            response
                .headers_mut()
                .append(name, HeaderValue::from_str(&value).unwrap());
        }
        response
    }
}

/// What is wrong with a stranger.
pub(super) type Fault = fn(&Asked, &mut Reply);

/// A stranger that listens. It is gone with the test's runtime.
pub(super) struct Stranger {
    pub(super) base: String,
}

impl Stranger {
    pub(super) async fn sound() -> Self {
        Self::wrong(|_, _| ()).await
    }

    pub(super) async fn wrong(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let issuer: Arc<str> = base.as_str().into();
        let answering = move |request: Request| {
            let issuer = issuer.clone();
            async move {
                let asked = Asked::of(request, &issuer).await;
                let mut reply = answer(&asked);
                fault(&asked, &mut reply);
                reply.into_response()
            }
        };
        let router: Router = Router::new().fallback(answering);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base }
    }

    /// Looked at with a client and its redirect URI, as far as `path`.
    pub(super) async fn examined(&self, path: &str) -> Found {
        self.examined_as(path, Some("web"), Some(BACK), None).await
    }

    pub(super) async fn examined_as(
        &self,
        path: &str,
        client_id: Option<&str>,
        redirect_uri: Option<&str>,
        secret: Option<&str>,
    ) -> Found {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let plan = Plan {
            target: format!("{}{path}", self.base),
            client_id: client_id.map(str::to_owned),
            client_secret: secret.map(Secret::new),
            redirect_uri: redirect_uri.map(str::to_owned),
            scope: None,
        };
        Found(examine(&plan, &Outbound::new().unwrap(), &Entropy::seeded(7)).await)
    }
}

/// A report, as tests read it.
#[derive(Debug)]
pub(super) struct Found(pub(super) Report);

impl Found {
    pub(super) fn checks(&self) -> impl Iterator<Item = &Check> {
        self.0.steps.iter().flat_map(|step| &step.checks)
    }

    /// The rules with this outcome, each once.
    pub(super) fn rules(&self, outcome: Outcome) -> Vec<&'static str> {
        let mut rules: Vec<_> = self
            .checks()
            .filter(|check| check.outcome == outcome)
            .map(|check| check.rule)
            .collect();
        rules.dedup();
        rules
    }

    pub(super) fn broken(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        (self.rules(Outcome::Fail), self.rules(Outcome::Warn))
    }
}

/// What a sound server and a sound resource answer.
fn answer(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/.well-known/oauth-authorization-server" => Reply::json(200, metadata(&asked.base)),
        "/.well-known/oauth-protected-resource/api" => Reply::json(200, resource(&asked.base)),
        "/authorize" => authorize(asked),
        "/token" => token(asked),
        "/revoke" => Reply::json(200, json!({})),
        "/introspect" => {
            Reply::error(401, "invalid_client").with("www-authenticate", "Basic realm=\"stranger\"")
        }
        "/device" => Reply::json(
            200,
            json!({"device_code": "d", "user_code": "u", "verification_uri": format!("{}/verify", asked.base),
                "expires_in": 600, "interval": 5}),
        ),
        "/api" => api(asked),
        _ => Reply::page(404),
    }
}

pub(super) fn metadata(base: &str) -> Value {
    let url = |path: &str| format!("{base}{path}");
    json!({
        "issuer": base,
        "authorization_endpoint": url("/authorize"),
        "token_endpoint": url("/token"),
        "revocation_endpoint": url("/revoke"),
        "introspection_endpoint": url("/introspect"),
        "device_authorization_endpoint": url("/device"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "protected_resources": [url("/api")],
    })
}

fn resource(base: &str) -> Value {
    json!({"resource": format!("{base}/api"), "authorization_servers": [base], "bearer_methods_supported": ["header"]})
}

fn authorize(asked: &Asked) -> Reply {
    if asked.parameter("client_id") != "web" || asked.parameter("redirect_uri") != BACK {
        return Reply::page(400);
    }
    let refused = |code| {
        let answer = [
            ("error", code),
            ("state", asked.parameter("state")),
            ("iss", &asked.base),
        ];
        Reply::to(BACK, &answer)
    };
    if asked.parameter("response_type") != "code" {
        return refused("unsupported_response_type");
    }
    if asked.parameter("code_challenge_method") != "S256" {
        return refused("invalid_request");
    }
    Reply::to(
        &format!("{}/sign-in", asked.base),
        &[("then", asked.parameter("state"))],
    )
}

fn token(asked: &Asked) -> Reply {
    let by_secret = asked.authorization.is_some();
    let client_id = asked.parameter("client_id");
    if by_secret && !asked.has_secret() {
        return Reply::error(401, "invalid_client").with("www-authenticate", "Basic realm=\"stranger\"");
    }
    if !by_secret && client_id != "web" {
        return Reply::error(401, "invalid_client");
    }
    match asked.parameter("grant_type") {
        "client_credentials" if by_secret => Reply::json(
            200,
            json!({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "scope": "read"}),
        ),
        "urn:ietf:params:oauth:grant-type:device_code" => Reply::error(400, "authorization_pending"),
        "authorization_code" | "refresh_token" => Reply::error(400, "invalid_grant"),
        _ => Reply::error(400, "unsupported_grant_type"),
    }
}

fn api(asked: &Asked) -> Reply {
    let metadata = format!(
        "resource_metadata=\"{}/.well-known/oauth-protected-resource/api\"",
        asked.base
    );
    let challenge = match asked.authorization {
        None => format!("Bearer {metadata}"),
        Some(_) => format!("Bearer error=\"invalid_token\", {metadata}"),
    };
    Reply::error(401, "invalid_token").with("www-authenticate", &challenge)
}
