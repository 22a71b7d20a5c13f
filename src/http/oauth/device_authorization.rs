//! `POST /oauth/device_authorization` (RFC 8628 §3.1).

use axum::response::Response;

use crate::flow;
use crate::http::extract::client::ClientRequest;
use crate::model::failed_request::Endpoint;

pub(in crate::http) async fn create(ClientRequest { presented, call }: ClientRequest) -> Response {
    let outcome = flow::device::begin(&call.app, &call.params, presented, &call.caller).await;
    call.readable_answer(Endpoint::DeviceAuthorization, outcome).await
}
