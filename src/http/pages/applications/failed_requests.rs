//! `/oauth/applications/:id/failed_requests`: what its requests were refused for.

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::super::error;
use super::super::render::{chrome, page};
use super::{PATH, found, json, to};
use crate::flow::App;
use crate::flow::applications::{Manager, NotSaved};
use crate::flow::failed_requests::{self as flow, Failure};
use crate::http::error::{EndpointError, NO_STORE};
use crate::http::extract::administrator::{Managing, ManagingForm, ManagingProgram, is_program};
use crate::http::extract::viewer::Viewer;
use crate::http::middleware::request::RequestId;
use crate::http::view::When;
use crate::http::view::failed_requests::{FailedRequests, FailureRow, Piece, Pieces};
use crate::model::application::Application;
use crate::model::redirect_uri::Difference;

/// `GET`.
pub(in crate::http) async fn index(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    if is_program(&parts.headers) {
        return match ManagingProgram::from_request_parts(&mut parts, &app).await {
            Ok(ManagingProgram(by, _)) => as_json(&app, by, &id).await,
            Err(refused) => refused,
        };
    }
    let Managing { viewer, by } = match Managing::from_request_parts(&mut parts, &app).await {
        Ok(managing) => managing,
        Err(refused) => return refused,
    };
    match found(&app, by, &id, &request_id).await {
        Ok(client) => show(&app, &viewer, &client.application).await,
        Err(refused) => refused,
    }
}

async fn as_json(app: &App, by: Manager, id: &str) -> Response {
    let client = match json::find(app, by, id).await {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    match flow::list(app, &client.application).await {
        Ok(failures) => (NO_STORE, Json(failures)).into_response(),
        Err(refusal) => EndpointError::from(refusal).into_response(),
    }
}

async fn show(app: &App, viewer: &Viewer, application: &Application) -> Response {
    let failures = match flow::list(app, application).await {
        Ok(failures) => failures,
        Err(refusal) => return error::refused(&refusal),
    };
    let chrome = match chrome(app, viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let view = FailedRequests {
        chrome,
        id: application.id.to_string(),
        name: application.settings.name.clone(),
        rows: failures.into_iter().map(|failure| row(app, failure)).collect(),
    };
    page(StatusCode::OK, &view)
}

fn row(app: &App, failure: Failure) -> FailureRow {
    let now = app.now();
    let (sent, registered) = compared(&failure);
    let (wrong, right) = failure
        .description
        .split_once(". ")
        .unwrap_or((failure.description.trim_end_matches('.'), ""));
    FailureRow {
        id: failure.id.to_string(),
        wrong: wrong.to_owned(),
        right: right.to_owned(),
        section: failure.section.to_owned(),
        endpoint: failure.endpoint,
        error: failure.error,
        parameter: failure.parameter.unwrap_or_default(),
        sent,
        registered,
        difference: failure.difference.join(", "),
        mended: failure.mended,
        can_be_added: failure.can_be_added,
        first_seen: When::new(failure.first_seen_at, now),
        last_seen: When::new(failure.last_seen_at, now),
        count: failure.count.unsigned_abs(),
        request_id: failure.request_id,
    }
}

/// What was sent and what is registered, with what differs marked.
fn compared(failure: &Failure) -> (Option<Pieces>, Vec<Pieces>) {
    let registered = &failure.registered;
    let plain = || registered.iter().map(|text| Pieces::plain(text)).collect();
    let Some(value) = failure.value.as_deref() else {
        return (None, plain());
    };
    match failure.parameter.as_deref() {
        Some("redirect_uri") if !failure.mended => {
            let mut lines: Vec<Pieces> = plain();
            let Some(nearest) = Difference::nearest(value, registered) else {
                return (Some(Pieces::plain(value)), lines);
            };
            let difference = Difference::between(value, &registered[nearest]);
            lines[nearest] = Pieces::marked(&registered[nearest], difference.registered);
            (Some(Pieces::marked(value, difference.sent)), lines)
        }
        Some("scope") => {
            let is_ours = |name: &str| registered.iter().any(|known| known == name);
            let piece = |name: &str| Piece {
                text: name.to_owned(),
                marked: !name.trim().is_empty() && !is_ours(name.trim()),
            };
            (
                Some(Pieces(value.split_inclusive(' ').map(piece).collect())),
                plain(),
            )
        }
        _ => (Some(Pieces::plain(value)), plain()),
    }
}

/// `POST …/:failure/redirect_uri`: registers the redirect URI that was sent.
pub(in crate::http) async fn add_redirect_uri(
    State(app): State<App>,
    Path((id, failure)): Path<(String, String)>,
    Extension(request_id): Extension<RequestId>,
    ManagingForm { sent, by }: ManagingForm,
) -> Response {
    let application = match found(&app, by, &id, &request_id).await {
        Ok(client) => client.application,
        Err(refused) => return refused,
    };
    let Ok(failure) = failure.parse() else {
        return error::gone(Some(&request_id));
    };
    let notice = match flow::add_redirect_uri(&app, by, &sent.caller, &application, failure).await {
        Ok(Some(_)) => "The redirect URI is registered. People are asked for their consent once more.",
        Ok(None) => {
            "Nothing was registered: only an address at a host that is registered already can be added here."
        }
        Err(NotSaved::Conflict) => {
            "Nothing was registered: somebody else saved the application meanwhile. Look again."
        }
        Err(NotSaved::Fields(_)) => {
            "Nothing was registered: the application as it is cannot be saved. Edit it to see why."
        }
        Err(NotSaved::Gone | NotSaved::Already(_)) => return error::gone(Some(&request_id)),
        Err(NotSaved::Refused(refusal)) => return error::refused(&refusal),
    };
    sent.viewer.leave_notice(notice).await;
    to(&app, &format!("{PATH}/{}/failed_requests", application.id))
}
