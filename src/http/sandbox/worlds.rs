//! `{issuer}/sandbox`: what there is; another world, this one anew, none.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Serialize;

use super::clock::{self, Steering};
use super::json::{Body, answer, invalid, refused};
use super::{Sandboxes, World};
use crate::flow::OpenError;
use crate::flow::sandbox::seeds;

pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/sandbox", get(show).post(create).delete(remove))
        .route("/sandbox/reset", post(reset))
}

/// What a test needs to begin.
#[derive(Debug, Serialize)]
struct Described<'w> {
    issuer: &'w str,
    /// Everything that steers it is under this.
    control: String,
    users: [SeededUser; 1],
    applications: [SeededApplication; 2],
    scopes: Vec<&'w str>,
    clock: clock::Told,
}

#[derive(Debug, Serialize)]
struct SeededUser {
    username: &'static str,
    password: &'static str,
}

#[derive(Debug, Serialize)]
struct SeededApplication {
    client_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'static str>,
    confidential: bool,
    redirect_uris: [&'static str; 2],
}

fn described(world: &World) -> Described<'_> {
    let application = |client_id, client_secret: Option<&'static str>| SeededApplication {
        client_id,
        client_secret,
        confidential: client_secret.is_some(),
        redirect_uris: seeds::REDIRECT_URIS,
    };
    Described {
        issuer: world.app.issuer.as_str(),
        control: world.app.issuer.join("/sandbox"),
        users: [SeededUser {
            username: seeds::USER,
            password: seeds::PASSWORD,
        }],
        applications: [
            application(seeds::CONFIDENTIAL, Some(seeds::SECRET)),
            application(seeds::PUBLIC, None),
        ],
        scopes: world.app.config.scopes.iter().map(|scope| &*scope.name).collect(),
        clock: clock::Told::of(&world.clock),
    }
}

async fn show(State(world): State<Arc<World>>) -> Response {
    answer(StatusCode::OK, &described(&world))
}

async fn create(State(world): State<Arc<World>>, Body(steering): Body<Steering>) -> Response {
    let Some(sandboxes) = sandboxes(&world) else {
        return stopping();
    };
    let steer = match steering.read() {
        Ok(steer) => steer,
        Err(why) => return invalid(why),
    };
    let made = match Box::pin(sandboxes.make()).await {
        Ok(Some(made)) => made,
        Ok(None) => {
            return refused(
                StatusCode::CONFLICT,
                "conflict",
                "there are too many sandboxes: drop those that are done with, by DELETE",
            );
        }
        Err(error) => return failed(&error),
    };
    steer.apply(&made.clock);
    answer(StatusCode::CREATED, &described(&made))
}

async fn reset(State(world): State<Arc<World>>) -> Response {
    let Some(sandboxes) = sandboxes(&world) else {
        return stopping();
    };
    match Box::pin(sandboxes.reset(&world.id)).await {
        Ok(world) => answer(StatusCode::OK, &described(&world)),
        Err(error) => failed(&error),
    }
}

async fn remove(State(world): State<Arc<World>>) -> Response {
    let Some(sandboxes) = sandboxes(&world) else {
        return stopping();
    };
    if sandboxes.drop_world(&world.id).await {
        return StatusCode::NO_CONTENT.into_response();
    }
    refused(
        StatusCode::CONFLICT,
        "conflict",
        "the first sandbox lives as long as the process: POST /sandbox/reset makes it anew",
    )
}

pub(super) fn sandboxes(world: &World) -> Option<Sandboxes> {
    world.sandboxes.upgrade().map(Sandboxes)
}

fn stopping() -> Response {
    refused(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "the sandbox is stopping",
    )
}

fn failed(error: &OpenError) -> Response {
    refused(StatusCode::SERVICE_UNAVAILABLE, "unavailable", error.to_string())
}
