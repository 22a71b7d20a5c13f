//! `POST /oauth/revoke` (RFC 7009 §2).

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;

use crate::flow::failed_requests::{Attempt, named_client};
use crate::flow::{self, App};
use crate::http::error::{EndpointError, NO_STORE};
use crate::http::extract::address::ClientAddress;
use crate::http::extract::client::credentials;
use crate::http::extract::params::FormParams;
use crate::http::middleware::cors;
use crate::http::middleware::request::RequestId;
use crate::model::failed_request::Endpoint;

pub(in crate::http) async fn create(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    Extension(RequestId(request_id)): Extension<RequestId>,
    headers: HeaderMap,
    FormParams(params): FormParams,
) -> Response {
    let presented = credentials(&headers, &params);
    let client_id = named_client(&presented, &params);
    let attempt = Attempt {
        endpoint: Endpoint::Revoke,
        params: &params,
        request_id: &request_id,
    };
    let outcome = flow::revoke::revoke(&app, &params, presented, address).await;
    let answer = attempt
        .watch(&app, client_id.as_deref(), outcome)
        .await
        .map(|()| (NO_STORE, Json(json!({}))))
        .map_err(EndpointError::from)
        .into_response();
    cors::readable_by_client(&app, &headers, client_id, answer).await
}
