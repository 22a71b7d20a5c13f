//! `/setup`: the one-time link on which the first administrator is made.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use super::authorize::redirect;
use super::error;
use super::render::{chrome, page};
use crate::base::secret::Secret;
use crate::flow::users::{NewUserRefused, Profile};
use crate::flow::{App, setup};
use crate::http::extract::form::Form;
use crate::http::extract::params::QueryParams;
use crate::http::extract::viewer::Viewer;
use crate::http::view::FieldErrors;
use crate::http::view::setup::{Setup, SetupGone};

pub(in crate::http) async fn show(
    State(app): State<App>,
    QueryParams(query): QueryParams,
    viewer: Viewer,
) -> Response {
    let token = query
        .ok()
        .and_then(|params| params.get("token").map(Secret::new))
        .unwrap_or_else(|| Secret::new(""));
    match setup::is_live(&app, &token).await {
        Ok(true) => form(&app, &viewer, token, "", "", FieldErrors::new()).await,
        Ok(false) => gone(&app, &viewer).await,
        Err(refusal) => error::refused(&refusal),
    }
}

async fn gone(app: &App, viewer: &Viewer) -> Response {
    match chrome(app, viewer).await {
        Ok(chrome) => page(StatusCode::GONE, &SetupGone { chrome }),
        Err(refused) => refused,
    }
}

async fn form(
    app: &App,
    viewer: &Viewer,
    token: Secret,
    username: &str,
    email: &str,
    errors: FieldErrors,
) -> Response {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    match chrome(app, viewer).await {
        Ok(chrome) => {
            let view = Setup {
                chrome,
                token,
                username: username.to_owned(),
                email: email.to_owned(),
                errors,
            };
            page(status, &view)
        }
        Err(refused) => refused,
    }
}

pub(in crate::http) async fn create(State(app): State<App>, headers: HeaderMap, sent: Form) -> Response {
    let token = Secret::new(sent.text("token"));
    let (username, email) = (sent.text("username"), sent.text("email"));
    let password = sent.text("password");
    if password != sent.text("password_confirmation") {
        let errors = FieldErrors::new().with(
            "password_confirmation",
            "The two passwords differ: enter the same twice.",
        );
        return form(&app, &sent.viewer, token, &username, &email, errors).await;
    }
    let profile = Profile {
        username,
        email: Some(email),
        password: Secret::new(password),
        groups: Vec::new(),
    };
    match setup::create_administrator(&app, &sent.caller, &token, &profile).await {
        Ok(user) => {
            let agent = headers
                .get(header::USER_AGENT)
                .and_then(|agent| agent.to_str().ok())
                .unwrap_or_default();
            if let Err(fault) = sent.viewer.sign_in(&app, &user, agent).await {
                return error::unavailable(&fault.to_string());
            }
            sent.viewer
                .leave_notice("Welcome. You are the first administrator: register your first application.")
                .await;
            redirect(
                StatusCode::SEE_OTHER,
                &format!("{}/oauth/applications", app.issuer.path()),
            )
        }
        Err(NewUserRefused::Gone) => gone(&app, &sent.viewer).await,
        Err(NewUserRefused::Fields(faults)) => {
            let email = profile.email.unwrap_or_default();
            form(
                &app,
                &sent.viewer,
                token,
                &profile.username,
                &email,
                faults.into_iter().collect(),
            )
            .await
        }
        Err(NewUserRefused::Refused(refusal)) => error::refused(&refusal),
    }
}
