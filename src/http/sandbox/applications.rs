//! `/sandbox/applications`: registered as `/oauth/applications` takes them, with what a test leaves out filled in.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use serde_json::json;

use super::deed::{application, conflict, not_done, not_found};
use super::json::{Body, answer, invalid};
use super::{World, openapi};
use crate::base::secret::Secret;
use crate::flow::App;
use crate::flow::applications::described::{Described, Fresh, described, summary};
use crate::flow::applications::{self as flow, Manager, NotSaved, Saved, Wanted};
use crate::flow::sandbox::seeds;
use crate::http::pages::applications::Fields;
use crate::model::caller::Caller;

const NAME: &str = "Test application";
pub(super) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/sandbox/applications", get(index).post(create))
        .route("/sandbox/applications/{client_id}", patch(change).delete(remove))
}

async fn index(State(world): State<Arc<World>>) -> Response {
    let app = &world.app;
    match flow::all(app, Manager::Administrator).await {
        Ok(listed) => {
            let applications: Vec<_> = listed
                .iter()
                .map(|row| summary(app, &row.application, &row.allowed))
                .collect();
            answer(StatusCode::OK, &json!({ "applications": applications }))
        }
        Err(refusal) => not_done(&refusal),
    }
}

/// # Errors
/// 400 with what is wrong.
fn known(fields: Fields) -> Result<Fields, Response> {
    let version = fields.version().map(|_| "version");
    match fields.unknown().or(version) {
        Some(name) => Err(invalid(format!(
            "unknown field `{name}`, expected one of: {}",
            openapi::members("NewApplication").join(", ")
        ))),
        None => Ok(fields),
    }
}

async fn create(State(world): State<Arc<World>>, Body(sent): Body<Fields>) -> Response {
    let app = &world.app;
    let mut fields = match known(sent) {
        Ok(fields) => fields,
        Err(refused) => return refused,
    };
    let (client_id, chosen) = fields.take_credentials();
    let mut wanted = Wanted {
        name: client_id.clone().unwrap_or_else(|| NAME.to_owned()),
        redirect_uris: seeds::REDIRECT_URIS.map(str::to_owned).to_vec(),
        confidential: true,
        localhost_any_port: Some(true),
        client_id: client_id.unwrap_or_default(),
        client_secret: chosen.clone(),
        ..Wanted::default()
    };
    fields.put_into(&mut wanted);
    match flow::create(app, Manager::Administrator, &Caller::OPERATOR, &wanted).await {
        Ok(saved) => answer(StatusCode::CREATED, &shown(app, &saved, chosen)),
        Err(refused) => not_saved(app, &wanted.client_id, refused).await,
    }
}

/// `chosen`: told as well as one that was generated, so that a test need not know which it was.
fn shown(app: &App, saved: &Saved, chosen: Option<Secret>) -> Described {
    let mut shown = described(app, &saved.client, &saved.allowed, Fresh::of(saved));
    shown.client_secret = shown.client_secret.or(chosen);
    shown
}

async fn not_saved(app: &App, client_id: &str, refused: NotSaved) -> Response {
    match refused {
        NotSaved::Fields(faults) => {
            let told: Vec<_> = faults
                .iter()
                .map(|(field, fault)| format!("{field}: {fault}"))
                .collect();
            let told = told.join(" ");
            match application(app, client_id).await {
                Ok(_) => conflict(told),
                Err(_) => invalid(told),
            }
        }
        NotSaved::Conflict | NotSaved::Already(_) => {
            conflict("Other requests changed the application meanwhile: try again")
        }
        NotSaved::Gone => not_found("The application was deleted meanwhile"),
        NotSaved::Refused(refusal) => not_done(&refusal),
    }
}

async fn change(
    State(world): State<Arc<World>>,
    Path(client_id): Path<String>,
    Body(sent): Body<Fields>,
) -> Response {
    let app = &world.app;
    if sent.has_credentials() {
        return invalid(
            "client_id and client_secret are chosen when an application is made: make another one",
        );
    }
    let fields = match known(sent) {
        Ok(fields) => fields,
        Err(refused) => return refused,
    };
    let id = match application(app, &client_id).await {
        Ok(application) => application.id,
        Err(refused) => return refused,
    };
    let put = |wanted: &mut Wanted| fields.clone().put_into(wanted);
    let by = Manager::Administrator;
    match flow::edit(app, by, &Caller::OPERATOR, id, None, put).await {
        Ok(saved) => answer(StatusCode::OK, &shown(app, &saved, None)),
        Err(refused) => not_saved(app, "", refused).await,
    }
}

async fn remove(State(world): State<Arc<World>>, Path(client_id): Path<String>) -> Response {
    let app = &world.app;
    let id = match application(app, &client_id).await {
        Ok(application) => application.id,
        Err(refused) => return refused,
    };
    match flow::delete(app, Manager::Administrator, &Caller::OPERATOR, id).await {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => not_done(&refusal),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    #[test]
    fn what_is_described_is_known_and_nothing_else() {
        let sent = |name: &str| Map::from_iter([(name.to_owned(), json!({ "a": [{}] }))]);
        let read = |name: &str| serde_json::from_value::<Fields>(sent(name).into());
        let members = openapi::members("NewApplication");
        assert!(members.len() > 30);
        for name in members {
            // of no member's kind, save of a set of keys, which is any JSON
            let is_known = read(&name).is_ok_and(|fields| known(fields).is_ok());
            assert_eq!(is_known, name == "jwks", "{name}");
        }
        for name in ["id", "redirect_uri", "secret", ""] {
            assert!(known(read(name).unwrap()).is_err(), "{name} is taken");
        }
        let version = serde_json::from_value(json!({ "version": 1 })).unwrap();
        assert!(known(version).is_err(), "a test edits what it made itself");
        assert!(known(Fields::default()).is_ok());
    }
}
