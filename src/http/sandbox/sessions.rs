//! `/sandbox/sessions`: signs people out.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::delete;

use super::World;
use super::deed::{not_done, user};
use super::json::invalid;
use crate::flow::sessions;
use crate::http::extract::params::QueryParams;
use crate::model::caller::Caller;

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new().route("/sandbox/sessions", delete(remove))
}

async fn remove(State(world): State<Arc<World>>, QueryParams(query): QueryParams) -> Response {
    let query = match query {
        Ok(query) => query,
        Err(problem) => return invalid(problem.description()),
    };
    let Some(username) = query.get("username") else {
        return invalid("Say whose sessions end: DELETE /sandbox/sessions?username=NAME");
    };
    let user = match user(&world.app, Some(username)).await {
        Ok(user) => user,
        Err(refused) => return refused,
    };
    match sessions::end_all(&world.app, &Caller::OPERATOR, user.id, None).await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => not_done(&refusal),
    }
}
