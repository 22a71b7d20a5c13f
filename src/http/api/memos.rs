//! `/api/memos`: what a bearer token opens.

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::json;
use time::format_description::well_known::Rfc3339;

use crate::flow::App;
use crate::flow::memos::{self, MAX_PAGE, Message, PAGE};
use crate::http::error::EndpointError;
use crate::http::extract::params::{drain, is_media_type, read};
use crate::model::ids::MemoId;
use crate::model::memo::Memo;
use crate::model::token::AccessToken;
use crate::protocol::error::OAuthError;
use crate::protocol::params::Params;

#[derive(Debug, Serialize)]
struct Shown {
    id: MemoId,
    message: String,
    created_at: String,
    updated_at: String,
}

impl From<Memo> for Shown {
    fn from(memo: Memo) -> Self {
        Self {
            id: memo.id,
            message: memo.message,
            created_at: memo.created_at.format(&Rfc3339).unwrap_or_default(),
            updated_at: memo.updated_at.format(&Rfc3339).unwrap_or_default(),
        }
    }
}

#[derive(Debug, Serialize)]
struct Page {
    memos: Vec<Shown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<MemoId>,
}

pub(super) async fn index(
    State(app): State<App>,
    Extension(token): Extension<AccessToken>,
    uri: Uri,
) -> Result<Response, EndpointError> {
    let query = Params::parse(uri.query().unwrap_or_default().as_bytes()).map_err(OAuthError::from)?;
    query.reject_repeated()?;
    let page = memos::list(&app, token.subject(), after(&query)?, limit(&query)?).await?;
    let shown = Page {
        memos: page.memos.into_iter().map(Shown::from).collect(),
        next: page.next,
    };
    Ok(Json(shown).into_response())
}

fn limit(query: &Params) -> Result<i64, OAuthError> {
    let Some(text) = query.get("limit") else {
        return Ok(PAGE);
    };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|limit| digits && (1..=MAX_PAGE).contains(limit))
        .ok_or_else(|| OAuthError::invalid_request(format!("limit is a number from 1 to {MAX_PAGE}")))
}

fn after(query: &Params) -> Result<Option<MemoId>, OAuthError> {
    query
        .get("after")
        .map(|text| {
            text.parse()
                .map_err(|_| OAuthError::invalid_request("after is the id of a memo"))
        })
        .transpose()
}

pub(super) async fn create(
    State(app): State<App>,
    Extension(token): Extension<AccessToken>,
    request: Request,
) -> Result<Response, EndpointError> {
    let message = message(request).await?;
    let memo = memos::create(&app, token.subject(), message).await?;
    Ok((StatusCode::CREATED, Json(Shown::from(memo))).into_response())
}

pub(super) async fn show(
    State(app): State<App>,
    Extension(token): Extension<AccessToken>,
    Path(id): Path<String>,
) -> Result<Response, EndpointError> {
    let Ok(id) = id.parse() else {
        return Ok(no_such_memo());
    };
    Ok(found(memos::find(&app, token.subject(), id).await?))
}

pub(super) async fn update(
    State(app): State<App>,
    Extension(token): Extension<AccessToken>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, EndpointError> {
    let message = message(request).await?;
    let Ok(id) = id.parse() else {
        return Ok(no_such_memo());
    };
    Ok(found(memos::change(&app, token.subject(), id, message).await?))
}

pub(super) async fn destroy(
    State(app): State<App>,
    Extension(token): Extension<AccessToken>,
    Path(id): Path<String>,
) -> Result<Response, EndpointError> {
    let Ok(id) = id.parse() else {
        return Ok(no_such_memo());
    };
    if memos::delete(&app, token.subject(), id).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(no_such_memo())
}

fn found(memo: Option<Memo>) -> Response {
    memo.map_or_else(no_such_memo, |memo| Json(Shown::from(memo)).into_response())
}

/// Another's memo is told like one that there is not.
fn no_such_memo() -> Response {
    let body = json!({ "error": "not_found", "error_description": "There is no such memo" });
    (StatusCode::NOT_FOUND, Json(body)).into_response()
}

#[derive(Deserialize)]
struct Body {
    message: String,
}

async fn message(request: Request) -> Result<Message, EndpointError> {
    if !is_media_type(request.headers(), "application/json") {
        let has_type = request.headers().contains_key(header::CONTENT_TYPE);
        drain(request.into_body(), 0).await;
        let what = if has_type {
            "Send the memo as application/json"
        } else {
            "Send Content-Type: application/json"
        };
        return Err(OAuthError::invalid_request(what).into());
    }
    let body = read(request.into_body()).await?;
    let body: Body = serde_json::from_slice(&body)
        .map_err(|_| OAuthError::invalid_request("The body is a JSON object with the text member message"))?;
    Ok(Message::parse(body.message).map_err(OAuthError::invalid_request)?)
}
