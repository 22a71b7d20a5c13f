//! `/sandbox/applications`: registered as `/oauth/applications` takes them, with what a test leaves out filled in.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch};
use serde_json::{Map, Value, json};

use super::World;
use super::deed::{application, conflict, not_done, not_found};
use super::json::{Body, answer, invalid};
use crate::base::secret::Secret;
use crate::flow::applications::described::{Described, Fresh, described, summary};
use crate::flow::applications::{self as flow, Manager, NotSaved, Saved, Wanted};
use crate::flow::sandbox::seeds;
use crate::flow::{App, access};
use crate::http::pages::applications::Fields;
use crate::model::caller::Caller;

const NAME: &str = "Test application";
/// How often a change is put upon what another request saved just before.
const TRIES: usize = 5;
/// What may be sent.
const MEMBERS: [&str; 36] = [
    "client_id",
    "client_secret",
    "name",
    "redirect_uris",
    "confidential",
    "scopes",
    "grants",
    "trusted",
    "require_pkce",
    "introspect",
    "send_iss",
    "localhost_any_port",
    "access_token_ttl",
    "refresh_token_ttl",
    "refresh_token_max_ttl",
    "default_scopes",
    "optional_scopes",
    "access_token_ttls",
    "reuse_access_token",
    "revoke_previous_tokens",
    "allowed_origins",
    "oauth1",
    "oauth1_rsa_public_key",
    "token_endpoint_auth_method",
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
    "certificates",
    "jwks",
    "tls_client_certificate_bound_access_tokens",
    "owner",
    "restricted",
    "users",
    "groups",
];

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
fn fields(sent: Map<String, Value>) -> Result<Fields, Response> {
    if let Some(unknown) = sent.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(invalid(format!(
            "unknown field `{unknown}`, expected one of: {}",
            MEMBERS.join(", ")
        )));
    }
    serde_json::from_value(Value::Object(sent)).map_err(|fault| invalid(fault.to_string()))
}

async fn create(State(world): State<Arc<World>>, Body(sent): Body<Map<String, Value>>) -> Response {
    let app = &world.app;
    let mut fields = match fields(sent) {
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
    Body(sent): Body<Map<String, Value>>,
) -> Response {
    let app = &world.app;
    if let Some(fixed) = ["client_id", "client_secret"]
        .into_iter()
        .find(|name| sent.contains_key(*name))
    {
        return invalid(format!(
            "{fixed} is chosen when an application is made: make another one"
        ));
    }
    let fields = match fields(sent) {
        Ok(fields) => fields,
        Err(refused) => return refused,
    };
    for _ in 0..TRIES {
        match Box::pin(change_once(app, &client_id, fields.clone())).await {
            Ok(answered) => return answered,
            Err(Refused::Overtaken) => {}
            Err(Refused::Answered(refused)) => return refused,
        }
    }
    not_saved(app, "", NotSaved::Conflict).await
}

/// Why nothing was changed.
enum Refused {
    /// Another request changed it first.
    Overtaken,
    Answered(Response),
}

async fn change_once(app: &App, client_id: &str, fields: Fields) -> Result<Response, Refused> {
    let before = application(app, client_id).await.map_err(Refused::Answered)?;
    let allowed = access::allowed(app, before.id)
        .await
        .map_err(|refusal| Refused::Answered(not_done(&refusal)))?;
    let mut wanted = Wanted::of(&before.settings, &allowed);
    fields.put_into(&mut wanted);
    let by = Manager::Administrator;
    match flow::change(app, by, &Caller::OPERATOR, before.id, &wanted, before.version).await {
        Ok(saved) => Ok(answer(StatusCode::OK, &shown(app, &saved, None))),
        Err(NotSaved::Conflict) => Err(Refused::Overtaken),
        Err(refused) => Err(Refused::Answered(not_saved(app, "", refused).await)),
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
    use super::*;

    #[test]
    fn every_member_is_read_and_no_other_is_taken() {
        // Of no member's kind, save of a set of keys, which is any JSON.
        let strange = json!({ "a": [{}] });
        for name in MEMBERS.into_iter().filter(|name| *name != "jwks") {
            let sent = Map::from_iter([(name.to_owned(), strange.clone())]);
            assert!(fields(sent).is_err(), "{name} is not read");
        }
        for name in ["version", "id", "redirect_uri", "secret", ""] {
            let sent = Map::from_iter([(name.to_owned(), json!(1))]);
            assert!(fields(sent).is_err(), "{name} is taken");
        }
        assert!(fields(Map::new()).is_ok());
    }
}
