//! An answer that a script says instead of the server, in the shape that the endpoint gives its own.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::change::with_parameters;
use crate::flow::authorize;
use crate::http::error::NO_STORE;
use crate::http::sandbox::World;
use crate::http::sandbox::redirects::learn_from;
use crate::http::sandbox::script::{Answer, Template};
use crate::http::sandbox::seen::{Endpoint, Seen};
use crate::protocol::authorize::Delivery;
use crate::protocol::bearer::Challenge;
use crate::protocol::{explanation, resource};

const DESCRIPTION: &str = "A script of this sandbox says so";

pub(super) enum Said {
    This(Response),
    /// The real answer is wanted.
    Nothing,
    /// Here it cannot be said.
    Impossible,
}

pub(super) async fn instead(world: &World, seen: &Seen, wanted: &Answer) -> Said {
    if !wanted.says_something() {
        return Said::Nothing;
    }
    let status = wanted.status.and_then(|status| StatusCode::from_u16(status).ok());
    if let Some(body) = &wanted.body {
        return Said::This(given(status.unwrap_or_default(), body));
    }
    if let Some(template) = wanted.template {
        return Said::This(careless(status.unwrap_or_default(), template));
    }
    let error = wanted.error.as_deref();
    if let (Some(Endpoint::Authorize), Some(error), None) = (seen.endpoint, error, status) {
        return Box::pin(to_client(world, seen, error, wanted.error_description.as_deref())).await;
    }
    Said::This(refusal(world, seen, wanted, status))
}

fn given(status: StatusCode, body: &Value) -> Response {
    match body {
        Value::String(text) => (status, NO_STORE, text.clone()).into_response(),
        document => (status, NO_STORE, Json(document)).into_response(),
    }
}

fn careless(status: StatusCode, template: Template) -> Response {
    let (kind, body) = match template {
        Template::MalformedJson => (
            "application/json",
            r#"{"access_token": "scripted", "token_type": "#,
        ),
        Template::WrongContentType => (
            "text/html; charset=utf-8",
            r#"{"access_token":"scripted","token_type":"Bearer","expires_in":3600}"#,
        ),
        Template::Empty => ("application/json", ""),
    };
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(kind))];
    (status, NO_STORE, kind, Body::from(body)).into_response()
}

/// RFC 6749 §5.2, and RFC 6750 §3 at a resource. A status without an error gets the error that goes with it.
fn refusal(world: &World, seen: &Seen, wanted: &Answer, status: Option<StatusCode>) -> Response {
    let is_resource = seen.endpoint.is_some_and(Endpoint::is_resource);
    let error = match (&wanted.error, status) {
        (Some(error), _) => &**error,
        (None, Some(status)) if status.is_success() || status.is_redirection() => {
            return (status, NO_STORE).into_response();
        }
        (None, Some(status)) => error_of(status, is_resource),
        (None, None) => "server_error",
    };
    let description = wanted.error_description.as_deref().unwrap_or(DESCRIPTION);
    let status = status.unwrap_or_else(|| status_of(error));
    let mut body = json!({ "error": error, "error_description": description });
    if let (Some(page), Some(members)) = (explanation::find(error), body.as_object_mut()) {
        let uri = explanation::uri(world.app.issuer.as_str(), page.code);
        members.insert("error_uri".into(), uri.into());
    }
    let mut response = (status, NO_STORE, Json(body)).into_response();
    if let Some(challenge) = challenge(world, is_resource, error, description) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn status_of(error: &str) -> StatusCode {
    match error {
        "invalid_client" | "invalid_token" => StatusCode::UNAUTHORIZED,
        "insufficient_scope" => StatusCode::FORBIDDEN,
        "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
        "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    }
}

fn error_of(status: StatusCode, is_resource: bool) -> &'static str {
    match status.as_u16() {
        401 if is_resource => "invalid_token",
        403 if is_resource => "insufficient_scope",
        401 => "invalid_client",
        429 | 503 => "temporarily_unavailable",
        500..=599 => "server_error",
        _ => "invalid_request",
    }
}

fn challenge(world: &World, is_resource: bool, error: &str, description: &str) -> Option<HeaderValue> {
    let described = description.to_owned();
    let challenge = match error {
        "invalid_client" if !is_resource => return Some(HeaderValue::from_static("Basic realm=\"tegata\"")),
        "invalid_token" if is_resource => Challenge::invalid_token(described),
        "insufficient_scope" if is_resource => Challenge::insufficient_privileges(described),
        "invalid_request" if is_resource => Challenge::invalid_request(described),
        _ => return None,
    };
    let metadata = format!(
        "{}{}",
        world.app.issuer.origin(),
        resource::well_known_path(&world.app.memos)
    );
    let text = challenge.with_resource_metadata(metadata).to_string();
    HeaderValue::from_str(&text).ok()
}

/// RFC 6749 §4.1.2.1: by a redirect, where the request proves whose it is.
async fn to_client(world: &World, seen: &Seen, error: &str, description: Option<&str>) -> Said {
    learn_from(world, &seen.query).await;
    let description = description.unwrap_or(DESCRIPTION);
    match authorize::failed(&world.app, &seen.query, description).await {
        Ok(Some(Delivery::Redirect(url))) => {
            let page = explanation::find(error);
            let page = page.map(|page| explanation::uri(world.app.issuer.as_str(), page.code));
            let mut set = vec![("error", error)];
            set.extend(page.as_deref().map(|uri| ("error_uri", uri)));
            let url = with_parameters(&url, &["error_uri"], &set);
            match HeaderValue::from_str(&url) {
                Ok(url) => Said::This((StatusCode::FOUND, [(header::LOCATION, url)]).into_response()),
                Err(_) => Said::Impossible,
            }
        }
        _ => Said::Impossible,
    }
}
