//! A request at which a client authenticates (RFC 6749 §2.3), and its answer.

use axum::Json;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::params::FormParams;
use crate::flow::App;
use crate::flow::error::Refusal;
use crate::flow::failed_requests::{Attempt, named_client};
use crate::http::error::{EndpointError, NO_STORE};
use crate::http::middleware::cors::{self, Unread};
use crate::model::caller::Caller;
use crate::model::failed_request::Endpoint;
use crate::protocol::client_auth::{ClientCertificate, Presented, presented};
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;

/// A form that a client posts.
#[derive(Debug)]
pub(in crate::http) struct ClientRequest {
    pub(in crate::http) presented: Result<Presented, OAuthError>,
    pub(in crate::http) call: Call,
}

/// All that the answer depends on besides the credentials.
#[derive(Debug)]
pub(in crate::http) struct Call {
    pub(in crate::http) app: App,
    pub(in crate::http) params: Params,
    pub(in crate::http) caller: Caller,
    client_id: Option<String>,
    headers: HeaderMap,
}

impl<S: Send + Sync> FromRequest<S> for ClientRequest
where
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(caller) = Caller::from_request_parts(&mut parts, state).await;
        let Ok(certificate) = ClientCertificate::from_request_parts(&mut parts, state).await;
        let headers = parts.headers.clone();
        let FormParams(params) = FormParams::from_request(Request::from_parts(parts, body), state)
            .await
            .map_err(unread)?;
        let presented = credentials(&headers, &params).map(|sent| sent.with_certificate(certificate));
        Ok(Self {
            call: Call {
                app: App::from_ref(state),
                client_id: named_client(&presented, &params),
                params,
                caller,
                headers,
            },
            presented,
        })
    }
}

fn unread(error: EndpointError) -> Response {
    let mut response = error.into_response();
    response.extensions_mut().insert(Unread);
    response
}

impl Call {
    /// The answer as JSON. A refusal is kept for whoever runs the application.
    pub(in crate::http) async fn answer<T: Serialize>(
        &self,
        endpoint: Endpoint,
        outcome: Result<T, Refusal>,
    ) -> Response {
        let attempt = Attempt {
            endpoint,
            params: &self.params,
            request_id: self.caller.request_id.as_deref().unwrap_or_default(),
        };
        attempt
            .watch(&self.app, self.client_id.as_deref(), outcome)
            .await
            .map(|body| (NO_STORE, Json(body)))
            .map_err(EndpointError::from)
            .into_response()
    }

    /// The same, and pages of the application's own origins may read it.
    pub(in crate::http) async fn readable_answer<T: Serialize>(
        self,
        endpoint: Endpoint,
        outcome: Result<T, Refusal>,
    ) -> Response {
        let answer = self.answer(endpoint, outcome).await;
        cors::readable_by_client(&self.app, &self.headers, self.client_id, answer).await
    }
}

/// Reads them from the `Authorization` header and the form body.
///
/// # Errors
/// `invalid_client`, or `invalid_request` for more than one way at once.
fn credentials(headers: &HeaderMap, params: &Params) -> Result<Presented, OAuthError> {
    let authorization: Vec<&[u8]> = headers
        .get_all(header::AUTHORIZATION)
        .iter()
        .map(axum::http::HeaderValue::as_bytes)
        .collect();
    presented(&authorization, params)
}
