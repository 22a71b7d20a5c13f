//! `/oauth/applications/:id/grants`: what people granted an application, and what came of each grant.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use time::OffsetDateTime;

use super::super::error;
use super::super::render::{chrome, page};
use super::{PATH, found, page_number, to};
use crate::flow::App;
use crate::flow::families::{self as flow, Family, PAGE};
use crate::flow::{applications, revoke as tokens};
use crate::http::extract::administrator::{Administrator, AdministratorForm};
use crate::http::extract::params::QueryParams;
use crate::http::middleware::request::RequestId;
use crate::http::view::When;
use crate::http::view::families::{GrantRow, GrantShow, GrantsList, GrantsRevoke, OwnTokenRow, Step};
use crate::model::family::{FamilyCode, FamilyRefreshToken, Fingerprint, ListedGrant, OwnToken, WholeGrant};
use crate::model::ids::ApplicationId;
use crate::model::redirect_uri::append;

/// `GET`: live grants and own tokens.
pub(in crate::http) async fn index(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    QueryParams(query): QueryParams,
    Administrator(viewer): Administrator,
) -> Response {
    let application = match found(&app, &id, &request_id).await {
        Ok(client) => client.application,
        Err(refused) => return refused,
    };
    let query = query.unwrap_or_default();
    let search: String = query
        .get("q")
        .unwrap_or_default()
        .trim()
        .chars()
        .take(200)
        .collect();
    let number = page_number(&query);
    let live = match flow::live(&app, application.id, &search, number).await {
        Ok(live) => live,
        Err(refusal) => return error::refused(&refusal),
    };
    if live.grants.is_empty() && number > 0 {
        return to(&app, &page_href(application.id, &search, 0));
    }
    let chrome = match chrome(&app, &viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let now = app.now();
    let href = |number| page_href(application.id, &search, number);
    let view = GrantsList {
        chrome,
        id: application.id.to_string(),
        name: application.settings.name,
        rows: live.grants.iter().map(|grant| grant_row(grant, now)).collect(),
        total: live.grants_total.unsigned_abs(),
        previous_href: (number > 0).then(|| href(number - 1)),
        next_href: ((number + 1) * PAGE < live.grants_total).then(|| href(number + 1)),
        own_tokens: live
            .own_tokens
            .iter()
            .map(|token| own_token_row(token, now))
            .collect(),
        own_tokens_total: live.own_tokens_total.unsigned_abs(),
        query: search,
    };
    page(StatusCode::OK, &view)
}

fn page_href(application: ApplicationId, search: &str, number: i64) -> String {
    let page = (number + 1).to_string();
    append(&grants_path(application), &[("q", search), ("page", &page)])
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

fn own_token_row(token: &OwnToken, now: OffsetDateTime) -> OwnTokenRow {
    OwnTokenRow {
        fingerprint: fingerprint(&token.hash),
        scopes: token.scopes.to_string(),
        created: When::new(token.created_at, now),
        ends: When::new(token.expires_at, now),
    }
}

fn fingerprint(hash: &[u8]) -> String {
    Fingerprint::of_hash(hash).map_or_else(String::new, |found| found.to_string())
}

/// `GET …/:grant`: the family as a timeline.
pub(in crate::http) async fn show(
    State(app): State<App>,
    Path((id, grant)): Path<(String, String)>,
    Extension(request_id): Extension<RequestId>,
    QueryParams(query): QueryParams,
    Administrator(viewer): Administrator,
) -> Response {
    let application = match found(&app, &id, &request_id).await {
        Ok(client) => client.application,
        Err(refused) => return refused,
    };
    let Ok(grant) = grant.parse() else {
        return error::gone(Some(&request_id));
    };
    let query = query.unwrap_or_default();
    let number = query.get("page").map(|_| page_number(&query));
    let family = match flow::family(&app, application.id, grant, number).await {
        Ok(Some(family)) => family,
        Ok(None) => return error::gone(Some(&request_id)),
        Err(refusal) => return error::refused(&refusal),
    };
    let chrome = match chrome(&app, &viewer).await {
        Ok(chrome) => chrome,
        Err(refused) => return refused,
    };
    let now = app.now();
    let path = format!("{}/{grant}", grants_path(application.id));
    let href = |number: i64| append(&path, &[("page", &(number + 1).to_string())]);
    let whole = &family.grant;
    let view = GrantShow {
        chrome,
        application_id: application.id.to_string(),
        application: application.settings.name,
        id: whole.id.to_string(),
        username: whole.username.clone(),
        grant_type: whole.grant_type.name(),
        scopes: whole.scopes.to_string(),
        live: whole.is_live(now),
        since: When::new(whole.created_at, now),
        last_used: whole.last_used_at.map(|at| When::new(at, now)),
        ends: When::new(whole.expires_at, now),
        live_access_tokens: whole.live_access_tokens.unsigned_abs(),
        live_refresh_tokens: whole.live_refresh_tokens.unsigned_abs(),
        steps: steps(&family, now),
        earlier_href: (family.page > 0).then(|| href(family.page - 1)),
        later_href: (family.page + 1 < family.pages).then(|| href(family.page + 1)),
    };
    page(StatusCode::OK, &view)
}

/// How it began stands on the first page, how it ended on the last.
fn steps(family: &Family, now: OffsetDateTime) -> Vec<Step> {
    let grant = &family.grant;
    let mut steps = Vec::new();
    if family.page == 0 {
        steps.push(step(
            grant.created_at,
            now,
            format!("Authorized by {}", grant.username),
            grant.scopes.to_string(),
        ));
        steps.extend(family.codes.iter().flat_map(|code| code_steps(code, now)));
    }
    steps.extend(family.refresh_tokens.iter().map(|token| refresh_step(token, now)));
    if family.page + 1 == family.pages {
        steps.extend(end(grant, now));
    }
    steps
}

fn step(at: OffsetDateTime, now: OffsetDateTime, what: impl Into<String>, detail: impl Into<String>) -> Step {
    Step {
        at: When::new(at, now),
        what: what.into(),
        detail: detail.into(),
    }
}

fn code_steps(code: &FamilyCode, now: OffsetDateTime) -> Vec<Step> {
    let failures = match code.failures {
        0 => String::new(),
        1 => "Once it came with a wrong code verifier or redirect URI.".to_owned(),
        many => format!("{many} times it came with a wrong code verifier or redirect URI."),
    };
    let mut steps = vec![step(code.created_at, now, "Authorization code issued", failures)];
    match code.used_at {
        Some(at) => steps.push(step(at, now, "Authorization code redeemed", "")),
        None if code.expires_at <= now => {
            steps.push(step(
                code.expires_at,
                now,
                "Authorization code expired",
                "Nobody redeemed it.",
            ));
        }
        None => {}
    }
    steps
}

fn refresh_step(token: &FamilyRefreshToken, now: OffsetDateTime) -> Step {
    let mut detail = Vec::new();
    if let Some(parent) = &token.parent_hash {
        detail.push(format!("It replaced {}.", fingerprint(parent)));
    }
    match token.used_at {
        Some(at) => detail.push(format!("It was used {}.", When::new(at, now).text)),
        None if token.expires_at <= now => detail.push("It expired unused.".to_owned()),
        None => {}
    }
    match token.retry_count {
        0 => {}
        1 => detail.push("The answer was given again once.".to_owned()),
        many => detail.push(format!("The answer was given again {many} times.")),
    }
    let what = format!("Refresh token {} issued", fingerprint(&token.hash));
    step(token.created_at, now, what, detail.join(" "))
}

fn end(grant: &WholeGrant, now: OffsetDateTime) -> Option<Step> {
    if let Some(at) = grant.revoked_at {
        let reason = grant.revoked_reason.as_deref().unwrap_or_default();
        return Some(step(at, now, "Revoked", reason_in_words(reason)));
    }
    if !grant.user_live {
        let words = "The user was disabled or deleted, or has another password since.";
        return Some(step(now, now, "Dead", words));
    }
    (grant.expires_at <= now).then(|| step(grant.expires_at, now, "Expired", "A grant lives no longer."))
}

fn reason_in_words(reason: &str) -> String {
    let words = match reason {
        "client" => "The application asked for it.",
        "withdrawn" => "The user withdrew the authorization.",
        "code_replayed" => "A replay was seen: an authorization code came again that was redeemed before.",
        "refresh_token_replayed" => "A replay was seen: a refresh token came again that was used before.",
        "password_changed" => "The user’s password was changed.",
        "user_disabled" => "The user was disabled.",
        "application_disabled" => "The application was disabled.",
        "application_deleted" => "The application was deleted.",
        "operator" => "An administrator did it, on these pages or by command.",
        "superseded" => "The user authorized the application anew.",
        other => return other.to_owned(),
    };
    words.to_owned()
}

/// `GET …/revoke`.
pub(in crate::http) async fn confirm_revoke_all(
    State(app): State<App>,
    Path(id): Path<String>,
    Extension(request_id): Extension<RequestId>,
    Administrator(viewer): Administrator,
) -> Response {
    let application = match found(&app, &id, &request_id).await {
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
    let application = match found(&app, &id, &request_id).await {
        Ok(client) => client.application,
        Err(refused) => return refused,
    };
    if let Err(refusal) = tokens::all(&app, None, Some(application.id)).await {
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
    let notice = match flow::revoke(&app, id, grant).await {
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
    let notice = match flow::revoke_own_token(&app, id, fingerprint).await {
        Ok(true) => "The token is revoked.",
        Ok(false) => "Nothing was revoked: the token is dead already.",
        Err(refusal) => return error::refused(&refusal),
    };
    sent.viewer.leave_notice(notice).await;
    to(&app, &grants_path(id))
}
