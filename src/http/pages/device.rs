//! `/oauth/device`: where a person types the code that a device shows (RFC 8628 §3.3).
//!
//! Nothing is approved by a GET, and what decides is not in the address: the question is the answer to the
//! form with the code, and only that page can be answered.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::authorize::redirect;
use super::error::{self, blank};
use super::login::sign_in_href;
use super::render::{chrome, page};
use crate::base::secret::Secret;
use crate::flow::App;
use crate::flow::authorize::Decision;
use crate::flow::device::{self, Asked, Decided, Found};
use crate::http::extract::address::ClientAddress;
use crate::http::extract::form::Form;
use crate::http::extract::params::QueryParams;
use crate::http::extract::viewer::Viewer;
use crate::http::middleware::request::RequestId;
use crate::http::view::device::{Device, DeviceConfirm, DeviceDone};
use crate::http::view::error::ErrorPage;
use crate::http::view::{ScopeLine, When};
use crate::model::device::UserCode;
use crate::model::grant_type::GrantType;
use crate::model::user::User;

const PATH: &str = "/oauth/device";
/// Names the page that asks, in its forms.
pub(super) const CONFIRMATION: &str = "confirmation";
/// More of what was typed is not shown again.
const MOST_SHOWN: usize = 64;

/// The form, with the code in it that came with the address (RFC 8628 §3.3.1).
pub(in crate::http) async fn show(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    QueryParams(query): QueryParams,
    viewer: Viewer,
) -> Response {
    if !app.offers(GrantType::DeviceCode) {
        return error::gone(Some(&request_id));
    }
    let code = query
        .ok()
        .and_then(|params| params.get("user_code").and_then(UserCode::parse));
    let Some(user) = viewer.user() else {
        return redirect(StatusCode::SEE_OTHER, &sign_in_href(&app, &here(code.as_ref())));
    };
    let shown = code.map(|code| code.shown().expose().to_owned());
    form(
        &app,
        &viewer,
        user,
        shown.unwrap_or_default(),
        None,
        StatusCode::OK,
    )
    .await
}

/// This page, with the code in the field.
fn here(code: Option<&UserCode>) -> String {
    code.map_or_else(
        || PATH.to_owned(),
        |code| format!("{PATH}?user_code={}", code.shown().expose()),
    )
}

async fn form(
    app: &App,
    viewer: &Viewer,
    user: &User,
    user_code: String,
    error: Option<String>,
    status: StatusCode,
) -> Response {
    let chrome = match chrome(app, viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let view = Device {
        chrome,
        username: user.username.clone(),
        here: here(UserCode::parse(&user_code).as_ref()),
        user_code,
        error,
    };
    page(status, &view)
}

/// The form with a code, or the decision on the page that came of it.
pub(in crate::http) async fn create(
    State(app): State<App>,
    Extension(request_id): Extension<RequestId>,
    ClientAddress(address): ClientAddress,
    form_sent: Form,
) -> Response {
    if !app.offers(GrantType::DeviceCode) {
        return error::gone(Some(&request_id));
    }
    let viewer = &form_sent.viewer;
    let Some(user) = viewer.user() else {
        return redirect(StatusCode::SEE_OTHER, &sign_in_href(&app, PATH));
    };
    if let Some(confirmation) = form_sent.params.get(CONFIRMATION) {
        let decision = match form_sent.params.get("decision") {
            Some("authorize") => Decision::Authorize,
            _ => Decision::Deny,
        };
        let confirmation = Secret::new(confirmation);
        return match device::decide(&app, &form_sent.caller, &confirmation, user, decision).await {
            Ok(Decided::Done { application }) => done(&app, viewer, application, decision).await,
            Ok(Decided::Over) => over(&request_id),
            Ok(Decided::Denied { application }) => {
                let (none, error) = (String::new(), not_allowed(&application));
                form(&app, viewer, user, none, Some(error), StatusCode::FORBIDDEN).await
            }
            Err(refusal) => error::refused(&refusal),
        };
    }
    let typed = form_sent.text("user_code");
    let Some(code) = UserCode::parse(&typed) else {
        let typed = typed.chars().take(MOST_SHOWN).collect();
        let error = "A code has eight letters, and no vowels or digits among them. Compare it with what the device shows.";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return form(&app, viewer, user, typed, Some(error.to_owned()), status).await;
    };
    let shown = code.shown().expose().to_owned();
    match device::look_up(&app, &code, user, address).await {
        Ok(Found::Asked(asked)) => confirm(&app, viewer, user, shown, asked).await,
        Ok(Found::Unknown) => {
            let error = "There is no such code, or it has expired. Compare it with what the device shows.";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            form(&app, viewer, user, shown, Some(error.to_owned()), status).await
        }
        Ok(Found::Denied { application }) => {
            let error = not_allowed(&application);
            form(&app, viewer, user, shown, Some(error), StatusCode::FORBIDDEN).await
        }
        Ok(Found::Wait { seconds }) => wait(&app, viewer, user, shown, seconds).await,
        Err(refusal) => error::refused(&refusal),
    }
}

async fn confirm(app: &App, viewer: &Viewer, user: &User, user_code: String, asked: Asked) -> Response {
    let chrome = match chrome(app, viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let view = DeviceConfirm {
        chrome,
        application: asked.application,
        owner: asked.owner,
        username: user.username.clone(),
        user_code,
        scopes: asked
            .scopes
            .iter()
            .map(|(name, text)| ScopeLine::new(name, text))
            .collect(),
        resources: asked.resources,
        requested_from: asked.requested_from,
        requested: When::new(asked.requested_at, app.now()),
        confirmation: asked.confirmation.expose().to_owned(),
    };
    page(StatusCode::OK, &view)
}

async fn wait(app: &App, viewer: &Viewer, user: &User, user_code: String, seconds: i64) -> Response {
    let error = format!("Too many wrong codes. Wait {seconds} seconds, then try again.");
    let status = StatusCode::TOO_MANY_REQUESTS;
    let mut response = form(app, viewer, user, user_code, Some(error), status).await;
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

async fn done(app: &App, viewer: &Viewer, application: String, decision: Decision) -> Response {
    match chrome(app, viewer).await {
        Ok(chrome) => page(
            StatusCode::OK,
            &DeviceDone {
                chrome,
                application,
                authorized: decision == Decision::Authorize,
            },
        ),
        Err(refused) => refused,
    }
}

fn not_allowed(application: &str) -> String {
    format!(
        "Your account may not use {application}. An administrator decides who may. Nothing was authorized."
    )
}

fn over(request_id: &RequestId) -> Response {
    let view = blank(
        StatusCode::BAD_REQUEST,
        "This request is over",
        "It was answered already, took too long, or belongs to another account. Nothing more was authorized.",
        "If the device still waits, let it show a new code and type that one.",
    );
    error::show(ErrorPage {
        request_id: error::id(Some(request_id)),
        ..view
    })
}
