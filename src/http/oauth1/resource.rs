//! The memos for signed requests: a layer that lets them in, and leaves all others to the bearer layer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tower::{Layer, Service};

use super::error;
use super::signed::{Claimed, claimed, parse, unread};
use crate::flow::oauth1::verify::{self, Refused};
use crate::flow::{App, oauth1};
use crate::http::bearer::{BearerService, Limited, RequireBearer, not_to_be_kept};
use crate::http::extract::params::is_form;
use crate::model::caller::Caller;
use crate::model::failed_request::Endpoint;
use crate::model::token::AccessToken;
use crate::protocol::oauth1::problem::{Kind, Problem};
use crate::protocol::oauth1::request::SignedRequest;
use crate::protocol::params::Params;

/// Bearer tokens, or where OAuth 1.0a is on signed requests too. Handlers find the
/// [`AccessToken`] among the request's extensions either way.
#[derive(Clone, Debug)]
pub(in crate::http) struct OrSigned {
    app: App,
    scope: &'static str,
    bearer: RequireBearer<App>,
}

impl OrSigned {
    /// `scope` is what `bearer` asks for.
    pub(in crate::http) fn new(app: App, scope: &'static str, bearer: RequireBearer<App>) -> Self {
        Self { app, scope, bearer }
    }

    /// The request as the handlers take it, if its signature opens them.
    async fn admitted(&self, mut parts: Parts, body: Vec<u8>) -> Result<Request, Response> {
        let Ok(caller) = Caller::from_request_parts(&mut parts, &self.app).await;
        let signed = match parse(&self.app, &parts, &body) {
            Ok(signed) => signed,
            Err(problem) => return Err(unread(&self.app, Endpoint::Memos, &caller, &problem).await),
        };
        let token = self.token(&signed, &caller).await;
        let token = token.map_err(|refused| error::refused(&self.app, refused))?;
        let mut request = Request::from_parts(parts, Body::empty());
        *request.body_mut() = as_json(&mut request, body);
        request.extensions_mut().insert(token);
        Ok(request)
    }

    async fn token(&self, signed: &SignedRequest, caller: &Caller) -> Result<AccessToken, Refused> {
        let token = verify::with_access_token(&self.app, Endpoint::Memos, signed, caller).await?;
        if !token.scopes().contains(self.scope) || !token.is_for(&self.app.memos) {
            let advice = format!("The token was not granted the scope {}", self.scope);
            return Err(Problem::new(Kind::PermissionDenied, advice).into());
        }
        Ok(token)
    }
}

/// A form with one `message`, which is what clients of OAuth 1.0a send, means the JSON that the handlers know.
fn as_json(request: &mut Request, body: Vec<u8>) -> Body {
    if !is_form(request.headers()) {
        return Body::from(body);
    }
    let form = Params::parse(&body).ok().filter(|form| !form.repeated("message"));
    let Some(message) = form.as_ref().and_then(|form| form.get("message")) else {
        return Body::from(body);
    };
    let json = json!({ "message": message }).to_string();
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.remove(header::CONTENT_LENGTH);
    Body::from(json)
}

impl<S: Clone> Layer<S> for OrSigned {
    type Service = OrSignedService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        OrSignedService {
            bearer: self.bearer.layer(inner.clone()),
            guard: self.clone(),
            inner,
        }
    }
}

/// The service that [`OrSigned`] makes.
#[derive(Clone, Debug)]
pub(in crate::http) struct OrSignedService<S> {
    guard: OrSigned,
    bearer: BearerService<App, S>,
    inner: S,
}

impl<S> Service<Request> for OrSignedService<S>
where
    S: Service<Request> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Error: Send,
    S::Future: Send,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        match self.inner.poll_ready(context) {
            Poll::Ready(Ok(())) => self.bearer.poll_ready(context),
            other => other,
        }
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if !oauth1::enabled(&self.guard.app) {
            return self.bearer.call(request);
        }
        let unready = self.clone();
        let mut ready = std::mem::replace(self, unready);
        Box::pin(async move {
            let (parts, body) = match claimed(request).await {
                Ok(Claimed::Other(request)) => return ready.bearer.call(request).await,
                Ok(Claimed::Signed(parts, body)) => (parts, body),
                Err(unread) => return Ok(unread),
            };
            let mut response = match ready.guard.admitted(parts, body).await {
                Ok(request) => ready.inner.call(request).await?.into_response(),
                Err(refused) => refused,
            };
            not_to_be_kept(response.headers_mut());
            Ok(response)
        })
    }
}
