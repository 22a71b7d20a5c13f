//! `/oauth/applications`: registered, watched, changed, deleted.
//!
//! One set of URLs for people and for programs: whoever wants or sends JSON, or brings a bearer token,
//! is answered in JSON.

pub(in crate::http) mod failed_requests;
pub(in crate::http) mod families;
pub(super) mod form;
mod json;
mod show;
pub(in crate::http) mod switch;

use axum::Extension;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::authorize::redirect;
use super::error;
use super::render::{chrome, page};
use crate::flow::applications::{self as flow, Manager, NotSaved, Older, PAGE, Wanted};
use crate::flow::{App, access, oauth1};
use crate::http::extract::administrator::{Managing, ManagingForm, ManagingProgram, is_program};
use crate::http::extract::params::QueryParams;
use crate::http::extract::viewer::Viewer;
use crate::http::middleware::request::RequestId;
use crate::http::view::applications::{ApplicationDelete, ApplicationRow, ApplicationsList, Owner};
use crate::http::view::{When, counted};
use crate::model::application::{Application, Client};
use crate::protocol::params::Params;
pub(in crate::http) use json::Fields;

const PATH: &str = "/oauth/applications";
/// Most pages of the list that are counted to.
const LAST_PAGE: i64 = 1_000_000;

/// `GET /oauth/applications`.
pub(in crate::http) async fn index(
    State(app): State<App>,
    QueryParams(query): QueryParams,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    if is_program(&parts.headers) {
        return match ManagingProgram::from_request_parts(&mut parts, &app).await {
            Ok(ManagingProgram(by, _)) => json::index(&app, by).await,
            Err(refused) => refused,
        };
    }
    match Managing::from_request_parts(&mut parts, &app).await {
        Ok(Managing { viewer, by }) => list(&app, &viewer, by, &query.unwrap_or_default()).await,
        Err(refused) => refused,
    }
}

async fn list(app: &App, viewer: &Viewer, by: Manager, query: &Params) -> Response {
    let search = search_text(query);
    let number = page_number(query);
    let (listed, total) = match flow::page(app, by, &search, number).await {
        Ok(found) => found,
        Err(refusal) => return error::refused(&refusal),
    };
    if listed.is_empty() && number > 0 {
        return to(app, &page_href(&search, 0));
    }
    let chrome = match chrome(app, viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let now = app.now();
    let rows = listed.iter().map(|row| ApplicationRow {
        id: row.application.id.to_string(),
        name: row.application.settings.name.clone(),
        client_id: row.application.client_id.to_string(),
        kind: if row.application.settings.confidential {
            "Confidential"
        } else {
            "Public"
        },
        last_used: row.application.last_used_at.map(|at| When::new(at, now)),
        live_grants: row.live_grants.unsigned_abs(),
        disabled: row.application.disabled_at.is_some(),
        owner: owner(&row.application),
        restricted: row.application.settings.restricted,
    });
    let view = ApplicationsList {
        rows: rows.collect(),
        total: total.unsigned_abs(),
        previous_href: (number > 0).then(|| page_href(&search, number - 1)),
        next_href: ((number + 1) * PAGE < total).then(|| page_href(&search, number + 1)),
        query: search,
        chrome,
    };
    page(StatusCode::OK, &view)
}

fn owner(application: &Application) -> Option<Owner> {
    application.owner_id.map(|id| Owner {
        id: id.to_string(),
        username: application.owner.clone(),
    })
}

pub(super) fn search_text(query: &Params) -> String {
    let sent = query.get("q").unwrap_or_default();
    sent.trim().chars().take(200).collect()
}

/// From 0; what is no number from 1 on is the first page.
pub(super) fn page_number(query: &Params) -> i64 {
    let asked = query.get("page").and_then(|text| text.parse().ok()).unwrap_or(1);
    i64::clamp(asked, 1, LAST_PAGE) - 1
}

fn page_href(search: &str, number: i64) -> String {
    crate::model::redirect_uri::append(PATH, &[("q", search), ("page", &(number + 1).to_string())])
}

/// `POST /oauth/applications`.
pub(in crate::http) async fn create(State(app): State<App>, request: Request) -> Response {
    if is_program(request.headers()) {
        return json::create(&app, request).await;
    }
    let ManagingForm { sent, by } = match ManagingForm::from_request(request, &app).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    let typed = form::read_new(&sent);
    match flow::create(&app, by, &sent.caller, &typed).await {
        // Shown as the answer itself: a secret that waited for the next page would have to be kept.
        Ok(saved) => {
            let fresh = show::Fresh::of(&saved);
            show::page_of(&app, &sent.viewer, &saved.client, fresh, StatusCode::CREATED).await
        }
        Err(refused) => form::again(&app, &sent.viewer, by, form::Asked::New, &typed, refused).await,
    }
}

/// `GET /oauth/applications/new`.
pub(in crate::http) async fn new(State(app): State<App>, Managing { viewer, by }: Managing) -> Response {
    form::blank(&app, &viewer, by).await
}

/// The application of the path, if it is `by`'s to manage; or the answer that there is none.
async fn found(app: &App, by: Manager, id: &str, request_id: &RequestId) -> Result<Client, Response> {
    let Ok(id) = id.parse() else {
        return Err(error::gone(Some(request_id)));
    };
    match flow::find(app, by, id).await {
        Ok(Some(client)) => Ok(client),
        Ok(None) => Err(error::gone(Some(request_id))),
        Err(refusal) => Err(error::refused(&refusal)),
    }
}

/// `GET /oauth/applications/:id`.
pub(in crate::http) async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    if is_program(&parts.headers) {
        return match ManagingProgram::from_request_parts(&mut parts, &app).await {
            Ok(ManagingProgram(by, _)) => json::show(&app, by, &id).await,
            Err(refused) => refused,
        };
    }
    let Managing { viewer, by } = match Managing::from_request_parts(&mut parts, &app).await {
        Ok(managing) => managing,
        Err(refused) => return refused,
    };
    match found(&app, by, &id, &request_id).await {
        Ok(client) => show::page_of(&app, &viewer, &client, show::Fresh::default(), StatusCode::OK).await,
        Err(refused) => refused,
    }
}

/// `GET /oauth/applications/:id/edit`.
pub(in crate::http) async fn edit(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    Managing { viewer, by }: Managing,
) -> Response {
    match found(&app, by, &id, &request_id).await {
        Ok(client) => form::filled(&app, &viewer, by, &client).await,
        Err(refused) => refused,
    }
}

/// `POST /oauth/applications/:id`: the edit form.
pub(in crate::http) async fn update(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    ManagingForm { sent, by }: ManagingForm,
) -> Response {
    let client = match found(&app, by, &id, &request_id).await {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    let mut typed = form::read(&sent);
    let id = client.application.id;
    // Unlike a box, one of two choices is always sent; a form without them does not open it to everybody.
    if sent.params.get("restricted").is_none() {
        match access::allowed(&app, id).await {
            Ok(allowed) => typed.keep_access(&client.application.settings, &allowed),
            Err(refusal) => return error::refused(&refusal),
        }
    }
    let version = sent
        .params
        .get("version")
        .and_then(|text| text.parse().ok())
        .unwrap_or(-1);
    match flow::change(&app, by, &sent.caller, id, &typed, version).await {
        Ok(saved) if show::Fresh::of(&saved).is_any() => {
            let fresh = show::Fresh::of(&saved);
            show::page_of(&app, &sent.viewer, &saved.client, fresh, StatusCode::OK).await
        }
        Ok(saved) => {
            let speaks_no_more = client.application.oauth1 && !saved.client.application.oauth1;
            let whose = if speaks_no_more {
                "by OAuth 1.0a, or of users who may no longer use it,"
            } else {
                "of users who may no longer use it"
            };
            sent.viewer
                .leave_notice(&what_ended(saved.withdrawn, whose))
                .await;
            to(&app, &format!("{PATH}/{id}"))
        }
        Err(refused) => {
            form::again(
                &app,
                &sent.viewer,
                by,
                form::Asked::Edit(&client),
                &typed,
                refused,
            )
            .await
        }
    }
}

/// What a notice says of a change that may have taken somebody's access; `whose` authorizations ended.
pub(super) fn what_ended(withdrawn: u64, whose: &str) -> String {
    match withdrawn {
        0 => "Saved.".to_owned(),
        count => format!(
            "Saved. {} {whose} ended at once.",
            counted(count, "authorization", "authorizations")
        ),
    }
}

pub(super) fn to(app: &App, path: &str) -> Response {
    redirect(StatusCode::SEE_OTHER, &format!("{}{path}", app.issuer.path()))
}

/// `PATCH /oauth/applications/:id`.
pub(in crate::http) async fn patch(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    json::patch(&app, &id, request).await
}

/// `DELETE /oauth/applications/:id`.
pub(in crate::http) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    ManagingProgram(by, caller): ManagingProgram,
) -> Response {
    json::remove(&app, by, &caller, &id).await
}

/// `GET /oauth/applications/:id/delete`.
pub(in crate::http) async fn confirm_delete(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    Managing { viewer, by }: Managing,
) -> Response {
    let client = match found(&app, by, &id, &request_id).await {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    let (users, live_tokens) = match flow::count_live(&app, client.application.id).await {
        Ok(counts) => counts,
        Err(refusal) => return error::refused(&refusal),
    };
    match chrome(&app, &viewer).await {
        Ok(chrome) => {
            let view = ApplicationDelete {
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

/// `POST /oauth/applications/:id/delete`.
pub(in crate::http) async fn delete(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    ManagingForm { sent, by }: ManagingForm,
) -> Response {
    let client = match found(&app, by, &id, &request_id).await {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    match flow::delete(&app, by, &sent.caller, client.application.id).await {
        Ok(true) => {
            let name = &client.application.settings.name;
            sent.viewer
                .leave_notice(&format!("{name} is deleted, and its tokens are dead."))
                .await;
            to(&app, PATH)
        }
        Ok(false) => error::gone(Some(&request_id)),
        Err(refusal) => error::refused(&refusal),
    }
}

/// `POST /oauth/applications/:id/secrets`: a second secret beside the first.
pub(in crate::http) async fn rotate_secret(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    ManagingForm { sent, by }: ManagingForm,
) -> Response {
    let client = match found(&app, by, &id, &request_id).await {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    let id = client.application.id;
    let why_not = if client.application.settings.confidential {
        "Nothing was made: two secrets live already. Retire one first."
    } else {
        "Nothing was made: a public application has no secret."
    };
    match flow::rotate_secret(&app, by, &sent.caller, id, Older::Keep).await {
        Ok(Some(secret)) => match found(&app, by, &id.to_string(), &request_id).await {
            Ok(client) => {
                let fresh = show::Fresh {
                    client_secret: Some(&secret),
                    ..show::Fresh::default()
                };
                show::page_of(&app, &sent.viewer, &client, fresh, StatusCode::CREATED).await
            }
            Err(refused) => refused,
        },
        Ok(None) => {
            sent.viewer.leave_notice(why_not).await;
            to(&app, &format!("{PATH}/{id}"))
        }
        Err(NotSaved::Refused(refusal)) => error::refused(&refusal),
        Err(_) => error::gone(Some(&request_id)),
    }
}

/// `POST /oauth/applications/:id/consumer_secret`: a new consumer secret of OAuth 1.0a in place of the one before.
pub(in crate::http) async fn rotate_consumer_secret(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Response {
    if is_program(request.headers()) {
        let (mut parts, _) = request.into_parts();
        return match ManagingProgram::from_request_parts(&mut parts, &app).await {
            Ok(ManagingProgram(by, caller)) => json::rotate_consumer_secret(&app, by, &caller, &id).await,
            Err(refused) => refused,
        };
    }
    let ManagingForm { sent, by } = match ManagingForm::from_request(request, &app).await {
        Ok(sent) => sent,
        Err(refused) => return refused,
    };
    let client = match found(&app, by, &id, &request_id).await {
        Ok(client) => client,
        Err(refused) => return refused,
    };
    let id = client.application.id;
    match oauth1::rotate_consumer_secret(&app, by, &sent.caller, id).await {
        Ok(Some(secret)) => {
            let fresh = show::Fresh {
                consumer_secret: Some(&secret),
                ..show::Fresh::default()
            };
            show::page_of(&app, &sent.viewer, &client, fresh, StatusCode::CREATED).await
        }
        Ok(None) => {
            let notice = "Nothing was made: the application does not speak OAuth 1.0a.";
            sent.viewer.leave_notice(notice).await;
            to(&app, &format!("{PATH}/{id}"))
        }
        Err(NotSaved::Refused(refusal)) => error::refused(&refusal),
        Err(_) => error::gone(Some(&request_id)),
    }
}

/// `POST /oauth/applications/:id/secrets/:secret/delete`.
pub(in crate::http) async fn retire_secret(
    State(app): State<App>,
    Path((id, secret)): Path<(String, String)>,
    Extension(request_id): Extension<RequestId>,
    ManagingForm { sent, by }: ManagingForm,
) -> Response {
    let id = match found(&app, by, &id, &request_id).await {
        Ok(client) => client.application.id,
        Err(refused) => return refused,
    };
    let Ok(secret) = secret.parse() else {
        return error::gone(Some(&request_id));
    };
    let notice = match flow::retire_secret(&app, by, &sent.caller, id, secret).await {
        Ok(true) => "The secret is retired: it opens nothing any more.",
        Ok(false) => "Nothing was retired: the last secret stays, and the other may be gone already.",
        Err(refusal) => return error::refused(&refusal),
    };
    sent.viewer.leave_notice(notice).await;
    to(&app, &format!("{PATH}/{id}"))
}

/// What is wanted where nothing was said yet.
fn usual(app: &App) -> Wanted {
    Wanted {
        id: Some(flow::new_id(app)),
        confidential: true,
        send_iss: Some(true),
        grants: Some(
            flow::default_grants(app, true)
                .into_iter()
                .map(|grant| grant.name().to_owned())
                .collect(),
        ),
        ..Wanted::default()
    }
}
