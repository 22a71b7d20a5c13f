//! A signed request, read from all of its places before anything of it is believed.

use axum::body::Body;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::error;
use crate::flow::App;
use crate::flow::oauth1::verify;
use crate::http::extract::params::{is_form, read};
use crate::http::middleware::path::AsSent;
use crate::model::caller::Caller;
use crate::model::failed_request::Endpoint;
use crate::protocol::oauth1::problem::Problem;
use crate::protocol::oauth1::request::{self, Sent, SignedRequest};

/// One to an endpoint that takes no other.
#[derive(Debug)]
pub(in crate::http) struct Signed {
    pub(in crate::http) request: SignedRequest,
    pub(in crate::http) caller: Caller,
}

impl<S: Send + Sync> FromRequest<S> for Signed
where
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let app = App::from_ref(state);
        let (mut parts, body) = request.into_parts();
        let Ok(caller) = Caller::from_request_parts(&mut parts, state).await;
        let body = read(body).await.map_err(IntoResponse::into_response)?;
        match parse(&app, &parts, &body) {
            Ok(request) => Ok(Self { request, caller }),
            Err(problem) => Err(unread(&app, endpoint(&parts), &caller, &problem).await),
        }
    }
}

/// The endpoints that take signed requests alone.
fn endpoint(parts: &Parts) -> Endpoint {
    [Endpoint::RequestToken, Endpoint::AccessToken]
        .into_iter()
        .find(|endpoint| parts.uri.path().ends_with(endpoint.path()))
        .unwrap_or(Endpoint::VerifyCredentials)
}

/// Answers one that cannot be read.
pub(super) async fn unread(app: &App, endpoint: Endpoint, caller: &Caller, problem: &Problem) -> Response {
    verify::unread(app, endpoint, caller, problem).await;
    error::problem(app, problem)
}

/// Reads a request of which `body` is the whole body.
///
/// # Errors
/// See [`SignedRequest::parse`].
pub(super) fn parse(app: &App, parts: &Parts, body: &[u8]) -> Result<SignedRequest, Problem> {
    let sent = Sent {
        method: parts.method.as_str(),
        target: target(parts),
        authorization: &authorization(&parts.headers),
        body: if is_form(&parts.headers) {
            request::Body::Form(body)
        } else {
            request::Body::Other(body)
        },
    };
    SignedRequest::parse(app.issuer.origin(), &sent)
}

/// What a request turned out to be that may be signed.
pub(super) enum Claimed {
    /// With its whole body.
    Signed(Parts, Vec<u8>),
    /// As it came.
    Other(Request),
}

/// Whether the request says that it is signed. A form is looked into only where nothing else says who asks.
///
/// # Errors
/// A body that is too large or breaks off.
pub(super) async fn claimed(request: Request) -> Result<Claimed, Response> {
    let (parts, body) = request.into_parts();
    let says_so = request::is_claimed(&authorization(&parts.headers), target(&parts));
    let says_nothing = !parts.headers.contains_key(header::AUTHORIZATION) && is_form(&parts.headers);
    if !says_so && !says_nothing {
        return Ok(Claimed::Other(Request::from_parts(parts, body)));
    }
    let body = read(body).await.map_err(IntoResponse::into_response)?;
    if says_so || request::is_claimed_by_form(&body) {
        return Ok(Claimed::Signed(parts, body));
    }
    Ok(Claimed::Other(Request::from_parts(parts, Body::from(body))))
}

/// Path and query before anything of ours changed them.
fn target(parts: &Parts) -> &str {
    let sent = parts.extensions.get::<AsSent>();
    sent.map_or_else(|| parts.uri.path(), |AsSent(target)| target.as_str())
}

fn authorization(headers: &HeaderMap) -> Vec<&[u8]> {
    headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect()
}
