//! The bearer layer: guards any axum or tower service by access tokens (RFC 6750).
//!
//! ```no_run
//! # use axum::{Router, routing::get, Extension};
//! # use tegata::http::bearer::{RequireBearer, VerifyBearer};
//! # use tegata::model::resource::{InvalidResource, Resource};
//! # use tegata::model::token::AccessToken;
//! # fn example<V: VerifyBearer<Token = AccessToken>>(verifier: V) -> Result<Router, InvalidResource> {
//! async fn hello(Extension(token): Extension<AccessToken>) -> String {
//!     format!("hello, {}", token.username.unwrap_or_default())
//! }
//! let own = Resource::parse("https://api.example/hello")?;
//! let guard = RequireBearer::new(verifier, &["read"]).of_resource(own);
//! Ok(Router::new().route("/hello", get(hello)).layer(guard))
//! # }
//! ```
//!
//! A route asks for all of the scopes it names ([`RequireBearer::new`]), or for any one of them
//! ([`RequireBearer::any`]). Routes that differ, as reading and writing do, have a layer each.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower::{Layer, Service};

use super::error::EndpointError;
use super::middleware::error_uri::ErrorBody;
use super::middleware::request::Cause;
use crate::flow::error::Refusal;
use crate::flow::{self, App};
use crate::model::certificate::{PresentedCertificate, Thumbprint};
use crate::model::resource::Resource;
use crate::model::scope::{Scope, Scopes};
use crate::model::token::AccessToken;
use crate::protocol::bearer::{Challenge, credentials};

/// Whoever can tell what a bearer token is good for: this server's own store, or a client of its
/// introspection endpoint in another service.
pub trait VerifyBearer: Clone + Send + Sync + 'static {
    /// What is known of a good token; handlers find it among the request's extensions.
    type Token: Limited + Clone + Send + Sync + 'static;

    /// `None` for an unknown, expired or revoked token.
    ///
    /// # Errors
    /// That it cannot be told now: the answer is 503.
    fn verify(&self, token: &str) -> impl Future<Output = Result<Option<Self::Token>, Refusal>> + Send;
}

/// What opens some things and not others.
pub trait Limited {
    fn scopes(&self) -> &Scopes;

    /// Whether it may be used at the resource of that identifier (RFC 8707). A resource that takes the tokens
    /// of another lets that other one act in its users' names.
    fn is_for(&self, resource: &Resource) -> bool;

    /// The certificate without which it opens nothing (RFC 8705 §3), where it is bound to one. It is compared with
    /// the [`PresentedCertificate`] among the request's extensions: a server of your own puts it there.
    fn certificate(&self) -> Option<&Thumbprint>;
}

impl Limited for AccessToken {
    fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    fn is_for(&self, resource: &Resource) -> bool {
        self.resources.admit(resource)
    }

    fn certificate(&self) -> Option<&Thumbprint> {
        self.certificate.as_ref()
    }
}

impl VerifyBearer for App {
    type Token = AccessToken;

    async fn verify(&self, token: &str) -> Result<Option<AccessToken>, Refusal> {
        flow::bearer::verify(self, token).await
    }
}

/// The scopes that a request needs.
#[derive(Clone, Debug)]
enum Needed {
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

/// Lets through requests with a good token that has the scopes needed and is for the resource; others get
/// the challenge of RFC 6750 §3, which names those scopes.
#[derive(Clone, Debug)]
pub struct RequireBearer<V> {
    verifier: V,
    needed: Needed,
    resource: Option<Resource>,
    /// Where the resource's metadata are.
    metadata: Option<String>,
}

impl<V: VerifyBearer> RequireBearer<V> {
    /// The token must have all of the scopes. A name that is no scope-token (RFC 6749 §3.3) can be granted
    /// to nobody: then no token will do.
    pub fn new(verifier: V, needed: &[&str]) -> Self {
        let all: Result<Scopes, _> = needed.iter().map(|name| Scope::parse(name)).collect();
        Self::needing(verifier, all.map_or(Needed::Any(Scopes::default()), Needed::All))
    }

    /// The token must have one of the scopes, whichever. Where what is done depends on which one it is, look
    /// at the token among the request's extensions.
    pub fn any(verifier: V, needed: &[&str]) -> Self {
        let any = needed.iter().filter_map(|name| Scope::parse(name).ok()).collect();
        Self::needing(verifier, Needed::Any(any))
    }

    fn needing(verifier: V, needed: Needed) -> Self {
        Self {
            verifier,
            needed,
            resource: None,
            metadata: None,
        }
    }

    /// Refuses tokens that are for other resources alone. Without this it takes every token.
    #[must_use]
    pub fn of_resource(self, identifier: Resource) -> Self {
        Self {
            resource: Some(identifier),
            ..self
        }
    }

    /// Says in every challenge where the resource describes itself (RFC 9728 §5.1).
    #[must_use]
    pub fn described_at(self, url: impl Into<String>) -> Self {
        Self {
            metadata: Some(url.into()),
            ..self
        }
    }

    /// The token of a request that may pass; `certificate` is the request's.
    pub(super) async fn authenticate(
        &self,
        headers: &HeaderMap,
        certificate: Option<Thumbprint>,
    ) -> Result<V::Token, BearerError> {
        self.opened(headers, certificate)
            .await
            .map_err(|error| match error {
                BearerError::Challenge(challenge) => self.described(*challenge).into(),
                refused @ BearerError::Refused(_) => refused,
            })
    }

    async fn opened(
        &self,
        headers: &HeaderMap,
        certificate: Option<Thumbprint>,
    ) -> Result<V::Token, BearerError> {
        let authorization: Vec<&[u8]> = headers
            .get_all(header::AUTHORIZATION)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        let Some(sent) = credentials(&authorization).map_err(Challenge::from)? else {
            return Err(Challenge::unauthorized().into());
        };
        let Some(token) = self.verifier.verify(sent).await? else {
            let description = "The access token is unknown, expired or revoked";
            return Err(Challenge::invalid_token(description).into());
        };
        if token.certificate().is_some() && token.certificate() != certificate.as_ref() {
            let description =
                "The access token is bound to a client certificate that the request came without";
            return Err(Challenge::invalid_token(description).into());
        }
        if self.resource.as_ref().is_some_and(|own| !token.is_for(own)) {
            let description = "The access token is for another resource";
            return Err(Challenge::invalid_token(description).into());
        }
        if !self.needed.is_met_by(token.scopes()) {
            return Err(self.needed.challenge().into());
        }
        Ok(token)
    }

    fn described(&self, challenge: Challenge) -> Challenge {
        match &self.metadata {
            Some(url) => challenge.with_resource_metadata(url),
            None => challenge,
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
            let certificate = thumbprint(request.extensions());
            let mut response = match guard.authenticate(request.headers(), certificate).await {
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

/// Of the certificate that a request came with.
pub(super) fn thumbprint(extensions: &Extensions) -> Option<Thumbprint> {
    extensions
        .get::<PresentedCertificate>()
        .map(PresentedCertificate::thumbprint)
}

/// What a token opens is for its bearer alone.
pub(super) fn not_to_be_kept(headers: &mut HeaderMap) {
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

impl From<Challenge> for BearerError {
    fn from(challenge: Challenge) -> Self {
        Self::Challenge(Box::new(challenge))
    }
}

impl From<Refusal> for BearerError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl IntoResponse for BearerError {
    fn into_response(self) -> Response {
        let challenge = match self {
            Self::Challenge(challenge) => challenge,
            Self::Refused(refusal) => return EndpointError::from(refusal).into_response(),
        };
        let status = StatusCode::from_u16(challenge.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        let body = ErrorBody::new(challenge.error(), challenge.description());
        let mut response = (status, body.into_response()).into_response();
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
