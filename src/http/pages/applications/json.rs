//! Applications as JSON, for programs: the same fields as the command's.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::base::secret::Secret;
use crate::flow::App;
use crate::flow::applications::described::{described, summary};
use crate::flow::applications::{self as flow, NotSaved, Wanted};
use crate::http::error::{EndpointError, NO_STORE};
use crate::http::extract::administrator::AdministratorProgram;
use crate::http::extract::params::{drain, is_media_type, read};
use crate::model::application::Client;
use crate::model::ids::ApplicationId;
use crate::protocol::error::OAuthError;

/// Several texts, as an array or, where a text cannot hold a space, in one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    fn is_empty(&self) -> bool {
        match self {
            Self::One(text) => text.trim().is_empty(),
            Self::Many(texts) => texts.iter().all(|text| text.trim().is_empty()),
        }
    }

    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => text.split_whitespace().map(str::to_owned).collect(),
            Self::Many(texts) => texts,
        }
    }
}

/// Seconds, or a text like `15m`; null for the server's own.
#[derive(Deserialize)]
#[serde(untagged)]
enum Ttl {
    Seconds(i64),
    Text(String),
    Default(()),
}

impl Ttl {
    fn into_text(self) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Text(text) => text,
            Self::Default(()) => String::new(),
        }
    }
}

/// What may be set. Members that are not here (`id`, `created_at`) are passed over.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    name: Option<String>,
    redirect_uris: Option<Texts>,
    confidential: Option<bool>,
    scopes: Option<Texts>,
    grants: Option<Texts>,
    trusted: Option<bool>,
    require_pkce: Option<bool>,
    introspect: Option<bool>,
    send_iss: Option<bool>,
    localhost_any_port: Option<bool>,
    access_token_ttl: Option<Ttl>,
    refresh_token_ttl: Option<Ttl>,
    refresh_token_max_ttl: Option<Ttl>,
    default_scopes: Option<Texts>,
    optional_scopes: Option<Texts>,
    access_token_ttls: Option<BTreeMap<String, Ttl>>,
    reuse_access_token: Option<bool>,
    revoke_previous_tokens: Option<bool>,
    allowed_origins: Option<Texts>,
    /// Of a new application alone.
    client_id: Option<String>,
    client_secret: Option<String>,
    /// Of a change: refuse it where somebody saved another since.
    version: Option<i64>,
}

impl Fields {
    /// What is sent replaces what `wanted` says.
    fn put_into(self, wanted: &mut Wanted) {
        fn set<T>(field: &mut T, sent: Option<T>) {
            if let Some(sent) = sent {
                *field = sent;
            }
        }
        set(&mut wanted.name, self.name);
        set(&mut wanted.redirect_uris, self.redirect_uris.map(Texts::into_vec));
        set(&mut wanted.confidential, self.confidential);
        set(&mut wanted.scopes, self.scopes.map(Texts::into_vec));
        set(&mut wanted.grants, self.grants.map(Texts::into_vec).map(Some));
        set(&mut wanted.trusted, self.trusted);
        set(&mut wanted.require_pkce, self.require_pkce);
        set(&mut wanted.introspect, self.introspect);
        set(&mut wanted.send_iss, self.send_iss.map(Some));
        set(&mut wanted.localhost_any_port, self.localhost_any_port.map(Some));
        set(
            &mut wanted.access_token_ttl,
            self.access_token_ttl.map(Ttl::into_text),
        );
        set(
            &mut wanted.refresh_token_ttl,
            self.refresh_token_ttl.map(Ttl::into_text),
        );
        set(
            &mut wanted.refresh_token_max_ttl,
            self.refresh_token_max_ttl.map(Ttl::into_text),
        );
        set(
            &mut wanted.default_scopes,
            self.default_scopes.map(Texts::into_vec),
        );
        set(
            &mut wanted.optional_scopes,
            self.optional_scopes.map(Texts::into_vec),
        );
        set(
            &mut wanted.access_token_ttls,
            self.access_token_ttls.map(texts_by_grant),
        );
        set(&mut wanted.reuse_access_token, self.reuse_access_token);
        set(&mut wanted.revoke_previous_tokens, self.revoke_previous_tokens);
        set(
            &mut wanted.allowed_origins,
            self.allowed_origins.map(Texts::into_vec),
        );
    }
}

fn texts_by_grant(sent: BTreeMap<String, Ttl>) -> BTreeMap<String, String> {
    sent.into_iter()
        .map(|(grant, ttl)| (grant, ttl.into_text()))
        .collect()
}

async fn fields(request: Request) -> Result<Fields, Response> {
    if !is_media_type(request.headers(), "application/json") {
        drain(request.into_body(), 0).await;
        let wrong = OAuthError::invalid_request("Send the application as application/json");
        return Err(EndpointError::from(wrong).into_response());
    }
    let body = read(request.into_body())
        .await
        .map_err(IntoResponse::into_response)?;
    let wrong = || {
        let wrong =
            OAuthError::invalid_request("The body is no JSON object with the fields of an application");
        EndpointError::from(wrong).into_response()
    };
    let object: Map<String, Value> = serde_json::from_slice(&body).map_err(|_| wrong())?;
    let fields: Fields = serde_json::from_value(Value::Object(object)).map_err(|_| wrong())?;
    if fields.scopes.as_ref().is_some_and(Texts::is_empty) {
        return Err(without_scopes());
    }
    Ok(fields)
}

/// An empty list would say the opposite of what it seems to: none named is all that is configured.
fn without_scopes() -> Response {
    let message = "Name at least one scope; leave the field out to leave the scopes as they are.";
    let body = Json(json!({ "errors": { "scopes": [message] } }));
    (StatusCode::UNPROCESSABLE_ENTITY, NO_STORE, body).into_response()
}

/// A program that may, and what it sends.
async fn admitted(app: &App, request: Request) -> Result<Fields, Response> {
    let (mut parts, body) = request.into_parts();
    AdministratorProgram::from_request_parts(&mut parts, app).await?;
    fields(Request::from_parts(parts, body)).await
}

pub(super) async fn index(app: &App) -> Response {
    match flow::all(app).await {
        Ok(listed) => {
            let rows: Vec<_> = listed.iter().map(|row| summary(app, &row.application)).collect();
            (NO_STORE, Json(rows)).into_response()
        }
        Err(refusal) => EndpointError::from(refusal).into_response(),
    }
}

pub(super) async fn show(app: &App, id: &str) -> Response {
    match find(app, id).await {
        Ok(client) => (NO_STORE, Json(summary(app, &client.application))).into_response(),
        Err(refused) => refused,
    }
}

async fn find(app: &App, id: &str) -> Result<Client, Response> {
    let Ok(id) = id.parse::<ApplicationId>() else {
        return Err(no_such_application());
    };
    match flow::find(app, id).await {
        Ok(Some(client)) => Ok(client),
        Ok(None) => Err(no_such_application()),
        Err(refusal) => Err(EndpointError::from(refusal).into_response()),
    }
}

fn no_such_application() -> Response {
    let body = json!({ "error": "not_found", "error_description": "There is no such application" });
    (StatusCode::NOT_FOUND, NO_STORE, Json(body)).into_response()
}

pub(super) async fn create(app: &App, request: Request) -> Response {
    let mut sent = match admitted(app, request).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    let mut wanted = Wanted {
        confidential: true,
        client_id: sent.client_id.take().unwrap_or_default(),
        client_secret: sent.client_secret.take().map(Secret::new),
        ..Wanted::default()
    };
    sent.put_into(&mut wanted);
    match flow::create(app, &wanted).await {
        Ok(saved) => {
            let body = Json(described(app, &saved.client, saved.secret.as_ref()));
            (StatusCode::CREATED, NO_STORE, body).into_response()
        }
        Err(refused) => not_saved(refused),
    }
}

pub(super) async fn patch(app: &App, id: &str, request: Request) -> Response {
    let sent = match admitted(app, request).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    let application = match find(app, id).await {
        Ok(client) => client.application,
        Err(refused) => return refused,
    };
    let version = sent.version.unwrap_or(application.version);
    let mut wanted = Wanted::of(&application.settings);
    sent.put_into(&mut wanted);
    match flow::change(app, application.id, &wanted, version).await {
        Ok(saved) if saved.secret.is_some() => (
            NO_STORE,
            Json(described(app, &saved.client, saved.secret.as_ref())),
        )
            .into_response(),
        Ok(saved) => (NO_STORE, Json(summary(app, &saved.client.application))).into_response(),
        Err(refused) => not_saved(refused),
    }
}

pub(super) async fn remove(app: &App, id: &str) -> Response {
    let id = match find(app, id).await {
        Ok(client) => client.application.id,
        Err(refused) => return refused,
    };
    match flow::delete(app, id).await {
        Ok(true) => (StatusCode::NO_CONTENT, NO_STORE).into_response(),
        Ok(false) => no_such_application(),
        Err(refusal) => EndpointError::from(refusal).into_response(),
    }
}

fn not_saved(refused: NotSaved) -> Response {
    let mut errors = Map::new();
    match refused {
        NotSaved::Fields(faults) => {
            for (field, message) in faults.iter() {
                let messages = errors.entry(field).or_insert_with(|| json!([]));
                if let Value::Array(messages) = messages {
                    messages.push(message.into());
                }
            }
        }
        NotSaved::Conflict => {
            errors.insert(
                "version".into(),
                json!(["Somebody else saved the application since you read it."]),
            );
        }
        NotSaved::Gone => return no_such_application(),
        NotSaved::Refused(refusal) => return EndpointError::from(refusal).into_response(),
    }
    (
        StatusCode::UNPROCESSABLE_ENTITY,
        NO_STORE,
        Json(json!({ "errors": errors })),
    )
        .into_response()
}
