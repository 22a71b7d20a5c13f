//! What the rooms of the control plane that do something for a test have in common.

use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::json::{invalid, refused};
use crate::flow::error::Refusal;
use crate::flow::sandbox::{Answer, seeds};
use crate::flow::{App, applications, authorize, users};
use crate::model::application::Application;
use crate::model::scope::Scopes;
use crate::model::user::User;

pub(super) fn not_found(description: impl Into<String>) -> Response {
    refused(StatusCode::NOT_FOUND, "not_found", description)
}

pub(super) fn conflict(description: impl Into<String>) -> Response {
    refused(StatusCode::CONFLICT, "conflict", description)
}

/// A deed that was not done.
pub(super) fn not_done(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::OAuth(error) => invalid(error.description()),
        Refusal::Stale => conflict("It was changed by another request meanwhile: try again"),
        other => refused(StatusCode::SERVICE_UNAVAILABLE, "unavailable", other.to_string()),
    }
}

/// What a test wants somebody to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Decision {
    #[default]
    Approve,
    Deny,
}

impl From<Decision> for authorize::Decision {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Approve => Self::Authorize,
            Decision::Deny => Self::Deny,
        }
    }
}

/// What a user says to a request.
pub(super) async fn answer_of(
    app: &App,
    username: Option<&str>,
    decision: Decision,
    scope: Option<&str>,
) -> Result<Answer, Response> {
    Ok(Answer {
        user: user(app, username).await?,
        decision: decision.into(),
        scope: scope.map(scopes).transpose()?,
    })
}

/// # Errors
/// 400 for what is no list of scopes, and for an empty one.
pub(super) fn scopes(text: &str) -> Result<Scopes, Response> {
    match Scopes::parse(text) {
        Ok(scopes) if !scopes.is_empty() => Ok(scopes),
        _ => Err(invalid(
            "scope is a list of names with single spaces between them: name at least one, or leave it out",
        )),
    }
}

/// The user of that name, in any spelling; without a name the one with whom a sandbox begins.
pub(super) async fn user(app: &App, username: Option<&str>) -> Result<User, Response> {
    let name = username.unwrap_or(seeds::USER);
    match users::find_by_name(app, name).await {
        Ok(Some(user)) => Ok(user),
        Ok(None) => Err(not_found(format!(
            "There is no user {name}: POST /sandbox/users makes one"
        ))),
        Err(refusal) => Err(not_done(&refusal)),
    }
}

pub(super) async fn application(app: &App, client_id: &str) -> Result<Application, Response> {
    match applications::find_by_client_id(app, client_id).await {
        Ok(Some(client)) => Ok(client.application),
        Ok(None) => Err(not_found(format!(
            "There is no application {client_id}: POST /sandbox/applications makes one"
        ))),
        Err(refusal) => Err(not_done(&refusal)),
    }
}
