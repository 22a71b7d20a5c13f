//! `POST /oauth/introspect` (RFC 7662 §2).

use axum::response::Response;

use crate::flow;
use crate::http::extract::client::ClientRequest;
use crate::model::failed_request::Endpoint;

pub(in crate::http) async fn create(ClientRequest { presented, call }: ClientRequest) -> Response {
    let outcome = flow::introspect::introspect(&call.app, &call.params, presented, &call.caller).await;
    call.answer(Endpoint::Introspect, outcome).await
}
