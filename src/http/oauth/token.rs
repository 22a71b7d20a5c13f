//! `POST /oauth/token` (RFC 6749 §3.2).

use axum::response::Response;

use crate::flow;
use crate::http::extract::client::ClientRequest;
use crate::model::failed_request::Endpoint;

pub(in crate::http) async fn create(ClientRequest { presented, call }: ClientRequest) -> Response {
    let outcome = flow::token::exchange(&call.app, &call.params, presented, &call.caller).await;
    call.readable_answer(Endpoint::Token, outcome).await
}
