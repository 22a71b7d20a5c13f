//! `POST /oauth/revoke` (RFC 7009 §2).

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::flow::{self, App};
use crate::http::error::{EndpointError, NO_STORE};
use crate::http::extract::address::ClientAddress;
use crate::http::extract::client::{credentials, named};
use crate::http::extract::params::FormParams;
use crate::http::middleware::cors;

pub(in crate::http) async fn create(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    FormParams(params): FormParams,
) -> Response {
    let presented = credentials(&headers, &params);
    let client_id = named(&presented, &params);
    let answer = flow::revoke::revoke(&app, &params, presented, address)
        .await
        .map(|()| (NO_STORE, Json(json!({}))))
        .map_err(EndpointError::from)
        .into_response();
    cors::readable_by_client(&app, &headers, client_id, answer).await
}
