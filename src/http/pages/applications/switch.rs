//! Disables and enables an application: for administrators alone, whosever it is.

use axum::Extension;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::super::error;
use super::super::render::{chrome, page};
use super::{PATH, found, json, to};
use crate::flow::App;
use crate::flow::applications::{self as flow, Manager};
use crate::http::extract::administrator::{
    Administrator, AdministratorForm, AdministratorProgram, is_program,
};
use crate::http::middleware::request::RequestId;
use crate::http::view::applications::ApplicationDisable;

/// `GET /oauth/applications/:id/disable`: asks before it is done.
pub(in crate::http) async fn confirm(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    Administrator(viewer): Administrator,
) -> Response {
    let client = match found(&app, Manager::Administrator, &id, &request_id).await {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    let (users, live_tokens) = match flow::count_live(&app, client.application.id).await {
        Ok(counts) => counts,
        Err(refusal) => return error::refused(&refusal),
    };
    match chrome(&app, &viewer).await {
        Ok(chrome) => {
            let view = ApplicationDisable {
                chrome,
                id,
                name: client.application.settings.name,
                users: users.unsigned_abs(),
                live_tokens: live_tokens.unsigned_abs(),
            };
            page(StatusCode::OK, &view)
        }
        Err(refused) => refused,
    }
}

/// `POST /oauth/applications/:id/disable`.
pub(in crate::http) async fn disable(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    switch(&app, &id, &request_id, request, false).await
}

/// `POST /oauth/applications/:id/enable`.
pub(in crate::http) async fn enable(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    switch(&app, &id, &request_id, request, true).await
}

async fn switch(app: &App, id: &str, request_id: &RequestId, request: Request, enabled: bool) -> Response {
    if is_program(request.headers()) {
        let (mut parts, _) = request.into_parts();
        return match AdministratorProgram::from_request_parts(&mut parts, app).await {
            Ok(AdministratorProgram(caller)) => json::switch(app, &caller, id, enabled).await,
            Err(refused) => refused,
        };
    }
    let AdministratorForm(sent) = match AdministratorForm::from_request(request, app).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    let application = match found(app, Manager::Administrator, id, request_id).await {
        Ok(client) => client.application,
        Err(refused) => return refused,
    };
    let name = &application.settings.name;
    let switched = if enabled {
        flow::enable(app, &sent.caller, application.id).await
    } else {
        flow::disable(app, &sent.caller, application.id).await
    };
    let notice = match switched {
        Ok(_) if enabled => format!("{name} is enabled. What has not expired works again."),
        Ok(_) => format!("{name} is disabled, and nothing of it works."),
        Err(refusal) => return error::refused(&refusal),
    };
    sent.viewer.leave_notice(&notice).await;
    to(app, &format!("{PATH}/{}", application.id))
}
