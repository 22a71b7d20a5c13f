//! The bearer layer: guards any axum or tower service by access tokens (RFC 6750).
//!
//! ```no_run
//! # use axum::{Router, routing::get, Extension};
//! # use tegata::http::bearer::{RequireBearer, VerifyBearer};
//! # use tegata::model::token::AccessToken;
//! # fn example<V: VerifyBearer<Token = AccessToken>>(verifier: V) -> Router {
//! async fn hello(Extension(token): Extension<AccessToken>) -> String {
//!     format!("hello, {}", token.username.unwrap_or_default())
//! }
//! Router::new().route("/hello", get(hello)).layer(RequireBearer::new(verifier, &["read"]))
//! # }
//! ```
//!
//! A route asks for all of the scopes it names ([`RequireBearer::new`]), or for any one of them
//! ([`RequireBearer::any`]). Routes that differ, as reading and writing do, have a layer each.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tower::{Layer, Service};

use super::error::EndpointError;
use super::middleware::request::Cause;
use crate::flow::error::Refusal;
use crate::flow::{self, App};
use crate::model::scope::{Scope, Scopes};
use crate::model::token::AccessToken;
use crate::protocol::bearer::{Challenge, credentials};

/// Whoever can tell what a bearer token is good for: this server's own store, or a client of its
/// introspection endpoint in another service.
pub trait VerifyBearer: Clone + Send + Sync + 'static {
    /// What is known of a good token; handlers find it among the request's extensions.
    type Token: Scoped + Clone + Send + Sync + 'static;

    /// `None` for an unknown, expired or revoked token.
    ///
    /// # Errors
    /// That it cannot be told now: the answer is 503.
    fn verify(&self, token: &str) -> impl Future<Output = Result<Option<Self::Token>, Refusal>> + Send;
}

/// What has scopes.
pub trait Scoped {
    fn scopes(&self) -> &Scopes;
}

impl Scoped for AccessToken {
    fn scopes(&self) -> &Scopes {
        &self.scopes
    }
}

impl VerifyBearer for App {
    type Token = AccessToken;

    async fn verify(&self, token: &str) -> Result<Option<AccessToken>, Refusal> {
        flow::bearer::verify(self, token).await
    }
}

/// The scopes that a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needed {
    /// Every one; where none is named, any good token will do.
    All(Scopes),
    /// One of them is enough; where none is named, no token will do.
    Any(Scopes),
}

impl Needed {
    fn is_met_by(&self, carried: &Scopes) -> bool {
        match self {
            Self::All(needed) => needed.is_subset(carried),
            Self::Any(needed) => needed.iter().any(|scope| carried.contains(scope.as_str())),
        }
    }

    fn challenge(&self) -> Challenge {
        match self {
            Self::All(needed) => Challenge::insufficient_scope(needed),
            Self::Any(needed) => Challenge::insufficient_scope_of(needed),
        }
    }
}

/// Lets through requests with a good token that has the scopes needed; others get the challenge of
/// RFC 6750 §3, which names those scopes.
#[derive(Clone, Debug)]
pub struct RequireBearer<V> {
    verifier: V,
    needed: Needed,
}

impl<V: VerifyBearer> RequireBearer<V> {
    /// The token must have all of the scopes. A name that is no scope-token (RFC 6749 §3.3) can be granted
    /// to nobody: then no token will do.
    pub fn new(verifier: V, needed: &[&str]) -> Self {
        let all: Result<Scopes, _> = needed.iter().map(|name| Scope::parse(name)).collect();
        let needed = all.map_or(Needed::Any(Scopes::default()), Needed::All);
        Self { verifier, needed }
    }

    /// The token must have one of the scopes, whichever. Where what is done depends on which one it is, look
    /// at the token among the request's extensions.
    pub fn any(verifier: V, needed: &[&str]) -> Self {
        let any = needed.iter().filter_map(|name| Scope::parse(name).ok()).collect();
        Self {
            verifier,
            needed: Needed::Any(any),
        }
    }
}

impl<V: Clone, S> Layer<S> for RequireBearer<V> {
    type Service = BearerService<V, S>;

    fn layer(&self, inner: S) -> Self::Service {
        BearerService {
            guard: self.clone(),
            inner,
        }
    }
}

/// The service that [`RequireBearer`] makes.
#[derive(Clone, Debug)]
pub struct BearerService<V, S> {
    guard: RequireBearer<V>,
    inner: S,
}

impl<V, S> Service<Request> for BearerService<V, S>
where
    V: VerifyBearer,
    S: Service<Request> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let unready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, unready);
        let guard = self.guard.clone();
        Box::pin(async move {
            let mut response = match authenticate(&guard.verifier, &guard.needed, request.headers()).await {
                Ok(token) => {
                    request.extensions_mut().insert(token);
                    inner.call(request).await?.into_response()
                }
                Err(refused) => refused.into_response(),
            };
            not_to_be_kept(response.headers_mut());
            Ok(response)
        })
    }
}

/// What a token opens is for its bearer alone.
fn not_to_be_kept(headers: &mut HeaderMap) {
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.append(header::VARY, HeaderValue::from_static("Authorization"));
}

/// Why a request to a protected resource is refused.
#[derive(Debug)]
pub(super) enum BearerError {
    Challenge(Box<Challenge>),
    Refused(Refusal),
}

impl IntoResponse for BearerError {
    fn into_response(self) -> Response {
        let challenge = match self {
            Self::Challenge(challenge) => challenge,
            Self::Refused(refusal) => return EndpointError::from(refusal).into_response(),
        };
        let status = StatusCode::from_u16(challenge.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        let body = Json(json!({ "error": challenge.error(), "error_description": challenge.description() }));
        let mut response = (status, body).into_response();
        if let Ok(value) = HeaderValue::from_str(&challenge.to_string()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response.extensions_mut().insert(Cause(format!(
            "{}: {}",
            challenge.error(),
            challenge.description()
        )));
        response
    }
}

/// The token of a request that may pass.
pub(super) async fn authenticate<V: VerifyBearer>(
    verifier: &V,
    needed: &Needed,
    headers: &HeaderMap,
) -> Result<V::Token, BearerError> {
    let challenge = |challenge: Challenge| BearerError::Challenge(Box::new(challenge));
    let authorization: Vec<&[u8]> = headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    let sent = credentials(&authorization).map_err(|problem| challenge(problem.into()))?;
    let Some(sent) = sent else {
        return Err(challenge(Challenge::unauthorized()));
    };
    let found = verifier.verify(sent).await.map_err(BearerError::Refused)?;
    let Some(token) = found else {
        return Err(challenge(Challenge::invalid_token(
            "The access token is unknown, expired or revoked",
        )));
    };
    if !needed.is_met_by(token.scopes()) {
        return Err(challenge(needed.challenge()));
    }
    Ok(token)
}
