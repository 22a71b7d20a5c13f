//! Applications as JSON, for programs: the same fields as the command's.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::base::secret::Secret;
use crate::flow::applications::described::{Fresh, described, summary};
use crate::flow::applications::{self as flow, Manager, NotSaved, Wanted, WantedAuthentication};
use crate::flow::{App, access, oauth1};
use crate::http::error::{EndpointError, NO_STORE};
use crate::http::extract::administrator::ManagingProgram;
use crate::http::extract::params::{drain, is_media_type, read};
use crate::model::application::{Application, Client};
use crate::model::caller::Caller;
use crate::model::ids::ApplicationId;
use crate::protocol::error::OAuthError;

/// Several texts, as an array or, where a text cannot hold a space, in one.
#[derive(Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "a list is an array of texts, or one text with spaces between them"
)]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(text) => text.split_whitespace().map(str::to_owned).collect(),
            Self::Many(texts) => texts,
        }
    }
}

/// Scopes; null for whatever is configured.
#[derive(Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "scopes are an array of texts, one text with spaces between them, or null"
)]
enum Asked {
    Named(Texts),
    Default(()),
}

impl Asked {
    fn into_vec(self) -> Option<Vec<String>> {
        match self {
            Self::Named(texts) => Some(texts.into_vec()),
            Self::Default(()) => None,
        }
    }
}

/// Seconds, or a text like `15m`; null for the server's own.
#[derive(Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "a duration is a number of seconds, a text like 15m, or null"
)]
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

/// A text; null for none.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "it is a text, or null")]
enum Text {
    Some(String),
    None(()),
}

impl Text {
    fn into_text(self) -> String {
        match self {
            Self::Some(text) => text,
            Self::None(()) => String::new(),
        }
    }
}

/// A switch; null for what is usual.
#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "it is true, false or null")]
enum Switch {
    Set(bool),
    Default(()),
}

impl Switch {
    fn into_bool(self) -> Option<bool> {
        match self {
            Self::Set(on) => Some(on),
            Self::Default(()) => None,
        }
    }
}

/// Certificates as PEM; null for none.
#[derive(Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "certificates are an array of PEM texts, one text with all of them, or null"
)]
enum Pems {
    One(String),
    Many(Vec<String>),
    None(()),
}

impl Pems {
    fn into_text(self) -> String {
        match self {
            Self::One(text) => text,
            Self::Many(texts) => texts.join("\n"),
            Self::None(()) => String::new(),
        }
    }
}

/// How the application authenticates (RFC 8705).
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Authentication {
    #[serde(deserialize_with = "sent")]
    token_endpoint_auth_method: Option<Text>,
    #[serde(deserialize_with = "sent")]
    tls_client_auth_subject_dn: Option<Text>,
    #[serde(deserialize_with = "sent")]
    tls_client_auth_san_dns: Option<Text>,
    #[serde(deserialize_with = "sent")]
    tls_client_auth_san_uri: Option<Text>,
    #[serde(deserialize_with = "sent")]
    tls_client_auth_san_ip: Option<Text>,
    #[serde(deserialize_with = "sent")]
    tls_client_auth_san_email: Option<Text>,
    #[serde(deserialize_with = "sent")]
    certificates: Option<Pems>,
    #[serde(deserialize_with = "sent")]
    jwks: Option<Value>,
    /// Null: where a certificate is what proves it.
    #[serde(deserialize_with = "sent")]
    tls_client_certificate_bound_access_tokens: Option<Switch>,
}

impl Authentication {
    fn put_into(self, wanted: &mut WantedAuthentication) {
        fn set<T>(field: &mut T, sent: Option<T>) {
            if let Some(sent) = sent {
                *field = sent;
            }
        }
        for (field, sent) in [
            (
                &mut wanted.token_endpoint_auth_method,
                self.token_endpoint_auth_method,
            ),
            (
                &mut wanted.tls_client_auth_subject_dn,
                self.tls_client_auth_subject_dn,
            ),
            (&mut wanted.tls_client_auth_san_dns, self.tls_client_auth_san_dns),
            (&mut wanted.tls_client_auth_san_uri, self.tls_client_auth_san_uri),
            (&mut wanted.tls_client_auth_san_ip, self.tls_client_auth_san_ip),
            (
                &mut wanted.tls_client_auth_san_email,
                self.tls_client_auth_san_email,
            ),
        ] {
            set(field, sent.map(Text::into_text));
        }
        set(&mut wanted.certificates, self.certificates.map(Pems::into_text));
        let jwks = self.jwks.map(|set| match set {
            Value::Null => String::new(),
            set => set.to_string(),
        });
        set(&mut wanted.jwks, jwks);
        set(
            &mut wanted.tls_client_certificate_bound_access_tokens,
            self.tls_client_certificate_bound_access_tokens
                .map(Switch::into_bool),
        );
    }
}

/// A user name; null for the administrators.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "owner is a user name, or null")]
enum Owner {
    User(String),
    Administrators(()),
}

impl Owner {
    fn into_text(self) -> String {
        match self {
            Self::User(name) => name,
            Self::Administrators(()) => String::new(),
        }
    }
}

/// A PEM text; null for none.
#[derive(Clone, Deserialize)]
#[serde(untagged, expecting = "oauth1_rsa_public_key is a PEM text, or null")]
enum Key {
    Pem(String),
    None(()),
}

impl Key {
    fn into_text(self) -> String {
        match self {
            Self::Pem(text) => text,
            Self::None(()) => String::new(),
        }
    }
}

/// What may be set.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(in crate::http) struct Fields {
    name: Option<String>,
    redirect_uris: Option<Texts>,
    confidential: Option<bool>,
    #[serde(deserialize_with = "sent")]
    scopes: Option<Asked>,
    grants: Option<Texts>,
    trusted: Option<bool>,
    require_pkce: Option<bool>,
    introspect: Option<bool>,
    send_iss: Option<bool>,
    localhost_any_port: Option<bool>,
    #[serde(deserialize_with = "sent")]
    access_token_ttl: Option<Ttl>,
    #[serde(deserialize_with = "sent")]
    refresh_token_ttl: Option<Ttl>,
    #[serde(deserialize_with = "sent")]
    refresh_token_max_ttl: Option<Ttl>,
    default_scopes: Option<Texts>,
    optional_scopes: Option<Texts>,
    access_token_ttls: Option<BTreeMap<String, Ttl>>,
    reuse_access_token: Option<bool>,
    reuse_refresh_token: Option<bool>,
    revoke_previous_tokens: Option<bool>,
    allowed_origins: Option<Texts>,
    oauth1: Option<bool>,
    #[serde(deserialize_with = "sent")]
    oauth1_rsa_public_key: Option<Key>,
    #[serde(flatten)]
    authentication: Box<Authentication>,
    #[serde(deserialize_with = "sent")]
    owner: Option<Owner>,
    restricted: Option<bool>,
    users: Option<Texts>,
    groups: Option<Texts>,
    /// Of a new application alone.
    client_id: Option<String>,
    client_secret: Option<String>,
    /// Of a change: refuse it where somebody saved another since.
    version: Option<i64>,
    /// Whatever else was sent (`id`, `created_at`).
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Tells a null from a member that was left out.
fn sent<'de, T: Deserialize<'de>, D: Deserializer<'de>>(member: D) -> Result<Option<T>, D::Error> {
    T::deserialize(member).map(Some)
}

impl Fields {
    /// # Errors
    /// What is wrong with it, in words for whoever wrote the program.
    fn parse(body: &[u8]) -> Result<Self, String> {
        // Serde would also fill the fields from an array, one after the other.
        if !body.trim_ascii_start().starts_with(b"{") {
            return Err("it is not a JSON object".to_owned());
        }
        serde_json::from_slice(body).map_err(|fault| fault.to_string())
    }

    /// A member that is none.
    pub(in crate::http) fn unknown(&self) -> Option<&str> {
        self.others.keys().next().map(String::as_str)
    }

    pub(in crate::http) fn version(&self) -> Option<i64> {
        self.version
    }

    /// Whether it says what only a new application is told.
    pub(in crate::http) fn has_credentials(&self) -> bool {
        self.client_id.is_some() || self.client_secret.is_some()
    }

    /// What a new application is to be called, and its secret.
    pub(in crate::http) fn take_credentials(&mut self) -> (Option<String>, Option<Secret>) {
        (self.client_id.take(), self.client_secret.take().map(Secret::new))
    }

    /// What is sent replaces what `wanted` says.
    pub(in crate::http) fn put_into(self, wanted: &mut Wanted) {
        fn set<T>(field: &mut T, sent: Option<T>) {
            if let Some(sent) = sent {
                *field = sent;
            }
        }
        set(&mut wanted.name, self.name);
        set(&mut wanted.redirect_uris, self.redirect_uris.map(Texts::into_vec));
        set(&mut wanted.confidential, self.confidential);
        set(&mut wanted.scopes, self.scopes.map(Asked::into_vec));
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
        set(&mut wanted.reuse_refresh_token, self.reuse_refresh_token);
        set(&mut wanted.revoke_previous_tokens, self.revoke_previous_tokens);
        set(
            &mut wanted.allowed_origins,
            self.allowed_origins.map(Texts::into_vec),
        );
        set(&mut wanted.oauth1, self.oauth1.map(Some));
        set(
            &mut wanted.oauth1_rsa_public_key,
            self.oauth1_rsa_public_key.map(Key::into_text).map(Some),
        );
        self.authentication
            .put_into(wanted.authentication.get_or_insert_default());
        set(&mut wanted.owner, self.owner.map(Owner::into_text).map(Some));
        if self.restricted == Some(false) {
            wanted.users.clear();
            wanted.groups.clear();
        }
        set(&mut wanted.restricted, self.restricted);
        set(&mut wanted.users, self.users.map(Texts::into_vec));
        set(&mut wanted.groups, self.groups.map(Texts::into_vec));
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
    Fields::parse(&body).map_err(|fault| {
        let wrong = OAuthError::invalid_request(format!("The body is no application: {fault}"));
        EndpointError::from(wrong).into_response()
    })
}

/// A program that may, and what it sends.
async fn admitted(app: &App, request: Request) -> Result<(ManagingProgram, Fields), Response> {
    let (mut parts, body) = request.into_parts();
    let program = ManagingProgram::from_request_parts(&mut parts, app).await?;
    Ok((program, fields(Request::from_parts(parts, body)).await?))
}

pub(super) async fn index(app: &App, by: Manager) -> Response {
    match flow::all(app, by).await {
        Ok(listed) => {
            let rows: Vec<_> = listed
                .iter()
                .map(|row| summary(app, &row.application, &row.allowed))
                .collect();
            (NO_STORE, Json(rows)).into_response()
        }
        Err(refusal) => EndpointError::from(refusal).into_response(),
    }
}

pub(super) async fn show(app: &App, by: Manager, id: &str) -> Response {
    match find(app, by, id).await {
        Ok(client) => summarised(app, &client.application).await,
        Err(refused) => refused,
    }
}

async fn summarised(app: &App, application: &Application) -> Response {
    match access::allowed(app, application.id).await {
        Ok(allowed) => (NO_STORE, Json(summary(app, application, &allowed))).into_response(),
        Err(refusal) => EndpointError::from(refusal).into_response(),
    }
}

/// See [`super::found`].
pub(super) async fn find(app: &App, by: Manager, id: &str) -> Result<Client, Response> {
    let Ok(id) = id.parse::<ApplicationId>() else {
        return Err(no_such_application());
    };
    match flow::find(app, by, id).await {
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
    let (ManagingProgram(by, caller), mut sent) = match admitted(app, request).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    let (client_id, client_secret) = sent.take_credentials();
    let mut wanted = Wanted {
        confidential: true,
        client_id: client_id.unwrap_or_default(),
        client_secret,
        ..Wanted::default()
    };
    sent.put_into(&mut wanted);
    match flow::create(app, by, &caller, &wanted).await {
        Ok(saved) => {
            let body = Json(described(app, &saved.client, &saved.allowed, Fresh::of(&saved)));
            (StatusCode::CREATED, NO_STORE, body).into_response()
        }
        Err(refused) => not_saved(refused),
    }
}

pub(super) async fn patch(app: &App, id: &str, request: Request) -> Response {
    let (ManagingProgram(by, caller), sent) = match admitted(app, request).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    let id = match find(app, by, id).await {
        Ok(client) => client.application.id,
        Err(refused) => return refused,
    };
    let put = |wanted: &mut Wanted| sent.clone().put_into(wanted);
    match flow::edit(app, by, &caller, id, sent.version, put).await {
        Ok(saved) if Fresh::of(&saved).is_any() => {
            let body = described(app, &saved.client, &saved.allowed, Fresh::of(&saved));
            (NO_STORE, Json(body)).into_response()
        }
        Ok(saved) => {
            let body = summary(app, &saved.client.application, &saved.allowed);
            (NO_STORE, Json(body)).into_response()
        }
        Err(refused) => not_saved(refused),
    }
}

pub(super) async fn remove(app: &App, by: Manager, caller: &Caller, id: &str) -> Response {
    let id = match find(app, by, id).await {
        Ok(client) => client.application.id,
        Err(refused) => return refused,
    };
    match flow::delete(app, by, caller, id).await {
        Ok(true) => (StatusCode::NO_CONTENT, NO_STORE).into_response(),
        Ok(false) => no_such_application(),
        Err(refusal) => EndpointError::from(refusal).into_response(),
    }
}

/// A new consumer secret of OAuth 1.0a, shown this once.
pub(super) async fn rotate_consumer_secret(app: &App, by: Manager, caller: &Caller, id: &str) -> Response {
    let client = match find(app, by, id).await {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    match oauth1::rotate_consumer_secret(app, by, caller, client.application.id).await {
        Ok(Some(secret)) => {
            let body = json!({
                "client_id": client.application.client_id.as_str(),
                "consumer_secret": secret.expose(),
            });
            (StatusCode::CREATED, NO_STORE, Json(body)).into_response()
        }
        Ok(None) => {
            let errors = json!({ "errors": { "oauth1": ["The application does not speak OAuth 1.0a."] } });
            (StatusCode::UNPROCESSABLE_ENTITY, NO_STORE, Json(errors)).into_response()
        }
        Err(refused) => not_saved(refused),
    }
}

/// `enabled`: what it is to be. Asked twice, it is done once, and answered alike.
pub(super) async fn switch(app: &App, caller: &Caller, id: &str, enabled: bool) -> Response {
    let by = Manager::Administrator;
    let id = match find(app, by, id).await {
        Ok(client) => client.application.id,
        Err(refused) => return refused,
    };
    let switched = if enabled {
        flow::enable(app, caller, id).await
    } else {
        flow::disable(app, caller, id).await
    };
    if let Err(refusal) = switched {
        return EndpointError::from(refusal).into_response();
    }
    match find(app, by, &id.to_string()).await {
        Ok(client) => summarised(app, &client.application).await,
        Err(refused) => refused,
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
        NotSaved::Already(_) => {
            errors.insert("id".into(), json!(["There is such an application already."]));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn registered() -> Wanted {
        Wanted {
            name: "Notes".into(),
            scopes: Some(vec!["read".into()]),
            access_token_ttl: "300".into(),
            trusted: true,
            ..Wanted::default()
        }
    }

    fn after(body: &str) -> Wanted {
        let mut wanted = registered();
        Fields::parse(body.as_bytes()).unwrap().put_into(&mut wanted);
        wanted
    }

    #[test]
    fn what_is_left_out_stays() {
        let wanted = after(r#"{"name": "Memos", "id": "x", "created_at": 1, "owner_id": 7}"#);
        assert_eq!(wanted.name, "Memos");
        assert_eq!(wanted.scopes, registered().scopes);
        assert_eq!((&*wanted.access_token_ttl, wanted.trusted), ("300", true));
    }

    #[test]
    fn null_is_the_servers_own() {
        let wanted = after(r#"{"scopes": null, "access_token_ttl": null}"#);
        assert_eq!((wanted.scopes, &*wanted.access_token_ttl), (None, ""));
    }

    #[test]
    fn an_empty_list_of_scopes_is_not_every_scope() {
        for body in [r#"{"scopes": []}"#, r#"{"scopes": ""}"#, r#"{"scopes": " "}"#] {
            assert_eq!(after(body).scopes, Some(Vec::new()), "{body}");
        }
    }

    #[test]
    fn lists_and_durations_are_read_in_each_spelling() {
        let wanted =
            after(r#"{"scopes": "read write", "grants": ["refresh_token"], "access_token_ttl": 60}"#);
        assert_eq!(wanted.scopes, Some(vec!["read".into(), "write".into()]));
        assert_eq!(wanted.grants, Some(vec!["refresh_token".into()]));
        assert_eq!(wanted.access_token_ttl, "60");
        assert_eq!(after(r#"{"access_token_ttl": "15m"}"#).access_token_ttl, "15m");
    }

    #[test]
    fn anything_but_an_object_with_the_right_kinds_is_refused_in_words() {
        for body in [
            "",
            "[]",
            r#"["Notes"]"#,
            "null",
            "\"Notes\"",
            "{",
            r#"{"name": 5}"#,
            r#"{"name": "a", "name": "b"}"#,
        ] {
            assert!(Fields::parse(body.as_bytes()).is_err(), "{body}");
        }
        let told = Fields::parse(br#"{"access_token_ttl": 1.5}"#).err().unwrap();
        assert!(told.starts_with("a duration is"), "{told}");
    }
}
