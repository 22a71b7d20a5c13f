//! `/oauth/applications/:id/grants`: what people granted an application, and what came of each grant.
//!
//! For people and for programs, as the applications themselves.

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;
use time::OffsetDateTime;

use super::super::error;
use super::super::render::{chrome, page};
use super::{PATH, found, json, to};
use crate::flow::App;
use crate::flow::applications::Manager;
use crate::flow::error::Refusal;
use crate::flow::families::{self as flow, Entry, Family, MOST_COUNTED, Told};
use crate::flow::{applications, revoke as tokens};
use crate::http::error::{EndpointError, NO_STORE};
use crate::http::extract::administrator::{
    Administrator, AdministratorForm, AdministratorProgram, is_program,
};
use crate::http::extract::params::QueryParams;
use crate::http::extract::viewer::Viewer;
use crate::http::middleware::request::RequestId;
use crate::http::view::When;
use crate::http::view::families::{GrantRow, GrantShow, GrantsList, GrantsRevoke, OwnTokenRow, Step};
use crate::model::application::Application;
use crate::model::certificate::Thumbprint;
use crate::model::family::{Fingerprint, ListedGrant, ListedToken};
use crate::model::ids::{ApplicationId, GrantId};
use crate::model::redirect_uri::append;
use crate::protocol::params::Params;

/// Most pages of a timeline that are counted to.
const LAST_PAGE: i64 = 1_000_000;

/// `GET`: live grants and own tokens.
pub(in crate::http) async fn index(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    QueryParams(query): QueryParams,
    request: Request,
) -> Response {
    let asked = Asked::read(&query.unwrap_or_default());
    let (mut parts, _) = request.into_parts();
    if is_program(&parts.headers) {
        return match AdministratorProgram::from_request_parts(&mut parts, &app).await {
            Ok(_) => list_as_json(&app, &id, &asked).await,
            Err(refused) => refused,
        };
    }
    let Administrator(viewer) = match Administrator::from_request_parts(&mut parts, &app).await {
        Ok(administrator) => administrator,
        Err(refused) => return refused,
    };
    match found(&app, Manager::Administrator, &id, &request_id).await {
        Ok(client) => list(&app, &viewer, client.application, asked).await,
        Err(refused) => refused,
    }
}

/// Which of the grants are asked for.
struct Asked {
    search: String,
    /// What is no id of a grant is the first page.
    after: Option<GrantId>,
}

impl Asked {
    fn read(query: &Params) -> Self {
        let search = query.get("q").unwrap_or_default().trim();
        Self {
            search: search.chars().take(200).collect(),
            after: query.get("after").and_then(|text| text.parse().ok()),
        }
    }
}

async fn list(app: &App, viewer: &Viewer, application: Application, asked: Asked) -> Response {
    let id = application.id;
    let live = match flow::live(app, id, &asked.search, asked.after).await {
        Ok(live) => live,
        Err(refusal) => return error::refused(&refusal),
    };
    let chrome = match chrome(app, viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let now = app.now();
    let href = |after: Option<GrantId>| page_href(id, &asked.search, after);
    let view = GrantsList {
        chrome,
        disabled: !application.is_enabled(),
        id: id.to_string(),
        name: application.settings.name,
        rows: live.grants.iter().map(|grant| grant_row(grant, now)).collect(),
        total: live.grants_total.unsigned_abs(),
        most_counted: MOST_COUNTED.unsigned_abs(),
        first_href: asked.after.map(|_| href(None)),
        next_href: live.next.map(|last| href(Some(last))),
        own_tokens: live
            .own_tokens
            .iter()
            .map(|token| own_token_row(token, now))
            .collect(),
        own_tokens_total: live.own_tokens_total.unsigned_abs(),
        query: asked.search,
    };
    page(StatusCode::OK, &view)
}

async fn list_as_json(app: &App, id: &str, asked: &Asked) -> Response {
    let id = match json::find(app, Manager::Administrator, id).await {
        Ok(client) => client.application.id,
        Err(refused) => return refused,
    };
    match flow::live(app, id, &asked.search, asked.after).await {
        Ok(live) => (NO_STORE, Json(live)).into_response(),
        Err(refusal) => EndpointError::from(refusal).into_response(),
    }
}

fn page_href(application: ApplicationId, search: &str, after: Option<GrantId>) -> String {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let asked = [("q", search), ("after", &after)];
    let asked: Vec<_> = asked.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let path = grants_path(application);
    if asked.is_empty() {
        return path;
    }
    append(&path, &asked)
}

fn grants_path(application: ApplicationId) -> String {
    format!("{PATH}/{application}/grants")
}

fn grant_row(grant: &ListedGrant, now: OffsetDateTime) -> GrantRow {
    GrantRow {
        id: grant.id.to_string(),
        username: grant.username.clone(),
        grant_type: grant.grant_type.name(),
        scopes: grant.scopes.to_string(),
        since: When::new(grant.created_at, now),
        last_used: grant.last_used_at.map(|at| When::new(at, now)),
        ends: When::new(grant.expires_at, now),
        live_tokens: grant.live_tokens.unsigned_abs(),
    }
}

fn own_token_row(token: &ListedToken, now: OffsetDateTime) -> OwnTokenRow {
    OwnTokenRow {
        fingerprint: Fingerprint::text(&token.hash),
        scopes: token.scopes.to_string(),
        created: When::new(token.created_at, now),
        ends: When::new(token.expires_at, now),
        certificate: token.certificate.as_ref().map(Thumbprint::short),
    }
}

/// `GET …/:grant`: the family as a timeline.
pub(in crate::http) async fn show(
    State(app): State<App>,
    Path((id, grant)): Path<(String, String)>,
    Extension(request_id): Extension<RequestId>,
    QueryParams(query): QueryParams,
    request: Request,
) -> Response {
    let number = query.ok().and_then(|query| page_number(&query));
    let (mut parts, _) = request.into_parts();
    if is_program(&parts.headers) {
        return match AdministratorProgram::from_request_parts(&mut parts, &app).await {
            Ok(_) => family_as_json(&app, &id, &grant, number).await,
            Err(refused) => refused,
        };
    }
    let Administrator(viewer) = match Administrator::from_request_parts(&mut parts, &app).await {
        Ok(administrator) => administrator,
        Err(refused) => return refused,
    };
    let application = match found(&app, Manager::Administrator, &id, &request_id).await {
        Ok(client) => client.application,
        Err(refused) => return refused,
    };
    match family_of(&app, application.id, &grant, number).await {
        Ok(Some(family)) => timeline(&app, &viewer, application, family).await,
        Ok(None) => error::gone(Some(&request_id)),
        Err(refusal) => error::refused(&refusal),
    }
}

/// From 0; `None`: whichever is the last.
fn page_number(query: &Params) -> Option<i64> {
    let asked = query.get("page")?.parse().unwrap_or(1);
    Some(i64::clamp(asked, 1, LAST_PAGE) - 1)
}

async fn family_of(
    app: &App,
    application: ApplicationId,
    grant: &str,
    number: Option<i64>,
) -> Result<Option<Family>, Refusal> {
    match grant.parse() {
        Ok(grant) => flow::family_of(app, application, grant, number).await,
        Err(_) => Ok(None),
    }
}

async fn family_as_json(app: &App, id: &str, grant: &str, number: Option<i64>) -> Response {
    let id = match json::find(app, Manager::Administrator, id).await {
        Ok(client) => client.application.id,
        Err(refused) => return refused,
    };
    match family_of(app, id, grant, number).await {
        Ok(Some(family)) => (NO_STORE, Json(Told::from(family))).into_response(),
        Ok(None) => no_such("There is no such grant of this application"),
        Err(refusal) => EndpointError::from(refusal).into_response(),
    }
}

fn no_such(what: &'static str) -> Response {
    let body = json!({ "error": "not_found", "error_description": what });
    (StatusCode::NOT_FOUND, NO_STORE, Json(body)).into_response()
}

async fn timeline(app: &App, viewer: &Viewer, application: Application, family: Family) -> Response {
    let chrome = match chrome(app, viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let now = app.now();
    let grant = family.grant;
    let path = format!("{}/{}", grants_path(application.id), grant.id);
    let href = |number: i64| append(&path, &[("page", &(number + 1).to_string())]);
    let view = GrantShow {
        chrome,
        application_id: application.id.to_string(),
        application: application.settings.name,
        id: grant.id.to_string(),
        grant_type: grant.grant_type.name(),
        scopes: grant.scopes.to_string(),
        resources: grant.resources.to_strings().join(" "),
        why_not: family.why_not,
        revocable: grant.is_revocable(now),
        since: When::new(grant.created_at, now),
        last_used: grant.last_used_at.map(|at| When::new(at, now)),
        ends: When::new(grant.expires_at, now),
        live_access_tokens: grant.live_access_tokens.unsigned_abs(),
        live_refresh_tokens: grant.live_refresh_tokens.unsigned_abs(),
        certificate: grant.certificate.as_ref().map(Thumbprint::short),
        username: grant.username,
        steps: family
            .timeline
            .into_iter()
            .map(|event| step(event, now))
            .collect(),
        earlier_href: (family.page > 0).then(|| href(family.page - 1)),
        later_href: (family.page + 1 < family.pages).then(|| href(family.page + 1)),
        pages: format!("Page {} of {}", family.page + 1, family.pages),
    };
    page(StatusCode::OK, &view)
}

fn step(event: Entry, now: OffsetDateTime) -> Step {
    Step {
        at: When::new(event.at, now),
        what: event.what,
        detail: event.detail,
    }
}

/// `GET …/revoke`.
pub(in crate::http) async fn confirm_revoke_all(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    Administrator(viewer): Administrator,
) -> Response {
    let application = match found(&app, Manager::Administrator, &id, &request_id).await {
        Ok(client) => client.application,
        Err(refused) => return refused,
    };
    let (users, live_tokens) = match applications::count_live(&app, application.id).await {
        Ok(counts) => counts,
        Err(refusal) => return error::refused(&refusal),
    };
    let chrome = match chrome(&app, &viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let view = GrantsRevoke {
        chrome,
        id: application.id.to_string(),
        name: application.settings.name,
        users: users.unsigned_abs(),
        live_tokens: live_tokens.unsigned_abs(),
    };
    page(StatusCode::OK, &view)
}

/// `POST …/revoke`.
pub(in crate::http) async fn revoke_all(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    AdministratorForm(sent): AdministratorForm,
) -> Response {
    let application = match found(&app, Manager::Administrator, &id, &request_id).await {
        Ok(client) => client.application,
        Err(refused) => return refused,
    };
    if let Err(refusal) = tokens::all(&app, &sent.caller, None, Some(application.id)).await {
        return error::refused(&refusal);
    }
    let notice = format!(
        "All grants and tokens of {} are revoked.",
        application.settings.name
    );
    sent.viewer.leave_notice(&notice).await;
    to(&app, &grants_path(application.id))
}

/// `POST …/:grant/revoke`.
pub(in crate::http) async fn revoke(
    State(app): State<App>,
    Path((id, grant)): Path<(String, String)>,
    Extension(request_id): Extension<RequestId>,
    AdministratorForm(sent): AdministratorForm,
) -> Response {
    let (Ok(id), Ok(grant)) = (id.parse::<ApplicationId>(), grant.parse()) else {
        return error::gone(Some(&request_id));
    };
    let notice = match flow::revoke(&app, &sent.caller, id, grant).await {
        Ok(true) => "The grant is revoked: all its tokens are dead.",
        Ok(false) => "Nothing was revoked: the grant is dead already.",
        Err(refusal) => return error::refused(&refusal),
    };
    sent.viewer.leave_notice(notice).await;
    to(&app, &grants_path(id))
}

/// `POST /oauth/applications/:id/tokens/:fingerprint/revoke`.
pub(in crate::http) async fn revoke_own_token(
    State(app): State<App>,
    Path((id, fingerprint)): Path<(String, String)>,
    Extension(request_id): Extension<RequestId>,
    AdministratorForm(sent): AdministratorForm,
) -> Response {
    let (Ok(id), Some(fingerprint)) = (id.parse::<ApplicationId>(), Fingerprint::parse(&fingerprint)) else {
        return error::gone(Some(&request_id));
    };
    let notice = match flow::revoke_own_token(&app, &sent.caller, id, fingerprint).await {
        Ok(true) => "The token is revoked.",
        Ok(false) => "Nothing was revoked: the token is dead already.",
        Err(refusal) => return error::refused(&refusal),
    };
    sent.viewer.leave_notice(notice).await;
    to(&app, &grants_path(id))
}

/// `DELETE …/:grant`.
pub(in crate::http) async fn remove(
    State(app): State<App>,
    Path((id, grant)): Path<(String, String)>,
    AdministratorProgram(caller): AdministratorProgram,
) -> Response {
    let id = match json::find(&app, Manager::Administrator, &id).await {
        Ok(client) => client.application.id,
        Err(refused) => return refused,
    };
    let Ok(grant) = grant.parse() else {
        return no_such("There is no such grant of this application");
    };
    removed(
        flow::revoke(&app, &caller, id, grant).await,
        "There is no such live grant of this application",
    )
}

/// `DELETE /oauth/applications/:id/tokens/:fingerprint`.
pub(in crate::http) async fn remove_own_token(
    State(app): State<App>,
    Path((id, fingerprint)): Path<(String, String)>,
    AdministratorProgram(caller): AdministratorProgram,
) -> Response {
    let id = match json::find(&app, Manager::Administrator, &id).await {
        Ok(client) => client.application.id,
        Err(refused) => return refused,
    };
    let Some(fingerprint) = Fingerprint::parse(&fingerprint) else {
        return no_such("A fingerprint is eight hexadecimal digits");
    };
    removed(
        flow::revoke_own_token(&app, &caller, id, fingerprint).await,
        "The application has no such live token on its own behalf",
    )
}

/// `DELETE`: all of them, and what the application has on its own behalf.
pub(in crate::http) async fn remove_all(
    State(app): State<App>,
    Path(id): Path<String>,
    AdministratorProgram(caller): AdministratorProgram,
) -> Response {
    let id = match json::find(&app, Manager::Administrator, &id).await {
        Ok(client) => client.application.id,
        Err(refused) => return refused,
    };
    let revoked = tokens::all(&app, &caller, None, Some(id)).await;
    removed(revoked.map(|_| true), "")
}

fn removed(done: Result<bool, Refusal>, none: &'static str) -> Response {
    match done {
        Ok(true) => (StatusCode::NO_CONTENT, NO_STORE).into_response(),
        Ok(false) => no_such(none),
        Err(refusal) => EndpointError::from(refusal).into_response(),
    }
}
