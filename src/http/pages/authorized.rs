//! `/oauth/authorized_applications`: what I have allowed, and taking it back.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::authorize::redirect;
use super::error;
use super::render::{chrome, page};
use crate::flow::{App, authorized};
use crate::http::extract::form::Form;
use crate::http::extract::params::QueryParams;
use crate::http::extract::viewer::Viewer;
use crate::http::middleware::request::RequestId;
use crate::http::view::authorized::{Authorized, AuthorizedRow};
use crate::http::view::{ScopeLine, When};
use crate::model::grant::{AuthorizedApplication, AuthorizedPlace};

const PATH: &str = "/oauth/authorized_applications";

pub(in crate::http) async fn index(
    State(app): State<App>,
    QueryParams(query): QueryParams,
    viewer: Viewer,
) -> Response {
    let Some(user) = viewer.user() else {
        return redirect(
            StatusCode::SEE_OTHER,
            &format!("{}/login?next={PATH}", app.issuer.path()),
        );
    };
    // What is no place in the list is its beginning.
    let after = query
        .ok()
        .and_then(|query| AuthorizedPlace::parse(query.get("after")?));
    let (found, next) = match authorized::page(&app, user.id, after).await {
        Ok(found) => found,
        Err(refusal) => return error::refused(&refusal),
    };
    let rows = rows(&app, found);
    match chrome(&app, &viewer).await {
        Ok(chrome) => {
            let view = Authorized {
                chrome,
                rows,
                first_href: after.map(|_| PATH.to_owned()),
                next_href: next.map(|place| format!("{PATH}?after={place}")),
            };
            page(StatusCode::OK, &view)
        }
        Err(refused) => refused,
    }
}

pub(super) fn rows(app: &App, found: Vec<AuthorizedApplication>) -> Vec<AuthorizedRow> {
    let now = app.now();
    found
        .into_iter()
        .map(|row| AuthorizedRow {
            id: row.id.to_string(),
            application: row.name,
            scopes: row
                .scopes
                .iter()
                .map(|scope| ScopeLine::new(scope.as_str(), app.catalog.describe(scope.as_str())))
                .collect(),
            since: When::new(row.since, now),
            last_used: row.last_used_at.map(|at| When::new(at, now)),
            disabled: !row.enabled,
        })
        .collect()
}

/// By the page's form, or by `DELETE` with the CSRF header.
pub(in crate::http) async fn delete(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    method: Method,
    headers: HeaderMap,
    form: Form,
) -> Response {
    let Some(user) = form.viewer.user() else {
        return error::forged(Some(&request_id));
    };
    let Ok(id) = id.parse() else {
        return error::gone(Some(&request_id));
    };
    match authorized::withdraw(&app, &form.caller, user.id, id).await {
        Ok(None) => error::gone(Some(&request_id)),
        Ok(Some(_)) if method == Method::DELETE && error::prefers_json(&headers) => {
            StatusCode::NO_CONTENT.into_response()
        }
        Ok(Some(name)) => {
            form.viewer
                .leave_notice(&format!("{name} can no longer use your account."))
                .await;
            redirect(StatusCode::SEE_OTHER, &format!("{}{PATH}", app.issuer.path()))
        }
        Err(refusal) => error::refused(&refusal),
    }
}
