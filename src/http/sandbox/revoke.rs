//! `/sandbox/revoke`: the provider takes back what it gave.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::World;
use super::deed::{application, not_done, not_found, user};
use super::json::{Body, answer, invalid};
use crate::base::secret::Secret;
use crate::flow::{App, revoke};
use crate::model::caller::Caller;

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/revoke", post(create))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    token: Option<String>,
    username: Option<String>,
    client_id: Option<String>,
}

async fn create(State(world): State<Arc<World>>, Body(sent): Body<Sent>) -> Response {
    let app = &world.app;
    let revoked = match (&sent.token, sent.username, sent.client_id) {
        (Some(token), None, None) => one(app, token).await,
        (None, None, None) | (Some(_), ..) => Err(invalid(
            "Name a token, or else whose tokens: a username, a client_id or both",
        )),
        (None, username, client_id) => all(app, username.as_deref(), client_id.as_deref()).await,
    };
    match revoked {
        Ok(revoked) => answer(StatusCode::OK, &json!({ "revoked": revoked })),
        Err(refused) => refused,
    }
}

async fn one(app: &App, token: &str) -> Result<u64, Response> {
    match revoke::by_operator(app, &Caller::OPERATOR, &Secret::new(token)).await {
        Ok(true) => Ok(1),
        Ok(false) => Err(not_found(
            "This server never gave that token, or has forgotten it",
        )),
        Err(refusal) => Err(not_done(&refusal)),
    }
}

async fn all(app: &App, username: Option<&str>, client_id: Option<&str>) -> Result<u64, Response> {
    let user_id = match username {
        Some(_) => Some(user(app, username).await?.id),
        None => None,
    };
    let application_id = match client_id {
        Some(client_id) => Some(application(app, client_id).await?.id),
        None => None,
    };
    revoke::all(app, &Caller::OPERATOR, user_id, application_id)
        .await
        .map_err(|refusal| not_done(&refusal))
}
