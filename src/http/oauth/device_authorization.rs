//! `POST /oauth/device_authorization` (RFC 8628 §3.1).

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;

use crate::flow::{self, App};
use crate::http::error::{EndpointError, NO_STORE};
use crate::http::extract::address::ClientAddress;
use crate::http::extract::client::credentials;
use crate::http::extract::params::FormParams;

pub(in crate::http) async fn create(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    FormParams(params): FormParams,
) -> Result<impl IntoResponse, EndpointError> {
    let presented = credentials(&headers, &params);
    let response = flow::device::begin(&app, &params, presented, address).await?;
    Ok((NO_STORE, Json(response)))
}
