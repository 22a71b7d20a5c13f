//! `POST /oauth/revoke` (RFC 7009 §2).

use axum::response::Response;
use serde_json::json;

use crate::flow;
use crate::http::extract::client::ClientRequest;
use crate::model::failed_request::Endpoint;

pub(in crate::http) async fn create(ClientRequest { presented, call }: ClientRequest) -> Response {
    let outcome = flow::revoke::revoke(&call.app, &call.params, presented, &call.caller).await;
    call.readable_answer(Endpoint::Revoke, outcome.map(|()| json!({})))
        .await
}
