//! `{issuer}/sandbox`: what there is; another world, this one anew, none.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};

use super::clock::{self, Moment, Span, Steering};
use super::json::{Body, answer, invalid, refused};
use super::{Beginning, Sandboxes, World, settings};
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
    applications: Vec<SeededApplication>,
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
        ]
        .into_iter()
        .filter(|seeded| seeds::is_planted(&world.app, seeded.client_id))
        .collect(),
        scopes: world.app.config.scopes.iter().map(|scope| &*scope.name).collect(),
        clock: clock::Told::of(&world.clock),
    }
}

async fn show(State(world): State<Arc<World>>) -> Response {
    answer(StatusCode::OK, &described(&world))
}

/// The clock of a new world, and the settings by which it differs from the process.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    frozen: Option<bool>,
    now: Option<Moment>,
    advance: Option<Span>,
    #[serde(default)]
    settings: BTreeMap<String, Setting>,
}

/// As on a command line, or as JSON has it.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a setting is a text, a number, true, false, or an array of texts"
)]
enum Setting {
    Switch(bool),
    Number(i64),
    Text(String),
    List(Vec<String>),
}

impl Setting {
    /// # Errors
    /// What a command line could not say.
    fn into_text(self) -> Result<String, String> {
        match self {
            Self::Switch(on) => Ok(on.to_string()),
            Self::Number(number) => Ok(number.to_string()),
            Self::Text(text) => Ok(text),
            Self::List(texts) => match texts.iter().find(|text| text.contains(',')) {
                Some(text) => Err(format!("{text}: no comma can stand in a list")),
                None => Ok(texts.join(",")),
            },
        }
    }
}

impl New {
    fn read(self) -> Result<Beginning, String> {
        let steering = Steering {
            frozen: self.frozen,
            now: self.now,
            advance: self.advance,
        };
        if let Some(other) = self
            .settings
            .keys()
            .find(|name| !settings::NAMES.contains(&&***name))
        {
            return Err(format!(
                "settings: {other} is no setting of one sandbox; these are: {}",
                settings::NAMES.join(", ")
            ));
        }
        let text = |(name, setting): (String, Setting)| match setting.into_text() {
            Ok(text) => Ok((name, text)),
            Err(why) => Err(format!("settings: {name}: {why}")),
        };
        let settings = self.settings.into_iter().map(text);
        Ok(Beginning {
            steer: steering.read()?,
            settings: settings.collect::<Result<_, _>>()?,
        })
    }
}

async fn create(State(world): State<Arc<World>>, Body(new): Body<New>) -> Response {
    let Some(sandboxes) = sandboxes(&world) else {
        return stopping();
    };
    let begun = match new.read() {
        Ok(begun) => begun,
        Err(why) => return invalid(why),
    };
    let made = match Box::pin(sandboxes.begin(begun)).await {
        Ok(Some(made)) => made,
        Ok(None) => {
            return refused(
                StatusCode::CONFLICT,
                "conflict",
                "there are too many sandboxes: drop those that are done with, by DELETE",
            );
        }
        Err(OpenError::Setting(why)) => return invalid(why),
        Err(error) => return failed(&error),
    };
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
