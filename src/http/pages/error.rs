//! Pages that say what went wrong, and who can mend it.

use axum::Json;
use axum::extract::{OriginalUri, Request};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::base::secret::Secret;
use crate::flow::error::Refusal;
use crate::http::middleware::request::{Cause, RequestId};
use crate::http::view::error::ErrorPage;
use crate::http::view::{Chrome, Link};
use crate::protocol::media_type;

/// An error page that is still to be written: only the layer around the router knows under which path
/// the server stands and which request this answers.
#[derive(Clone, Debug)]
pub(in crate::http) struct Unwritten(pub(in crate::http) Box<ErrorPage>);

/// The page with its status.
pub(in crate::http) fn show(view: ErrorPage) -> Response {
    let status = StatusCode::from_u16(view.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = status.into_response();
    response.extensions_mut().insert(Unwritten(Box::new(view)));
    response
}

/// A plain page for somebody of whom nothing is known.
pub(in crate::http) fn blank(status: StatusCode, title: &str, sentence: &str, who: &str) -> ErrorPage {
    ErrorPage {
        chrome: Chrome::new(Secret::new("")),
        status: status.as_u16(),
        title: title.to_owned(),
        sentence: sentence.to_owned(),
        who: who.to_owned(),
        request_id: String::new(),
        back: Some(Link {
            href: "/".to_owned(),
            label: "Go to the start page".to_owned(),
        }),
        mismatch: None,
        code: None,
    }
}

pub(in crate::http) fn id(request_id: Option<&RequestId>) -> String {
    request_id.map(|RequestId(id)| id.clone()).unwrap_or_default()
}

/// A form that cannot be read.
pub(in crate::http) fn plain(status: StatusCode, sentence: &str, request_id: Option<&RequestId>) -> Response {
    let view = blank(
        status,
        "This could not be read",
        sentence,
        "Go back and send the form again.",
    );
    show(ErrorPage {
        request_id: id(request_id),
        ..view
    })
}

/// A form without our token, or from elsewhere.
pub(in crate::http) fn forged(request_id: Option<&RequestId>) -> Response {
    let view = blank(
        StatusCode::FORBIDDEN,
        "This form is too old, or was not sent from this site",
        "Nothing was changed. A form works for as long as the session that it was made in.",
        "Go back, load the page again, and send the form from there.",
    );
    let mut response = show(ErrorPage {
        request_id: id(request_id),
        ..view
    });
    response.extensions_mut().insert(Cause(
        "a form without the session's token, or from another origin".into(),
    ));
    response
}

/// Signed in, but not as an administrator.
pub(in crate::http) fn forbidden(request_id: Option<&RequestId>) -> Response {
    let view = blank(
        StatusCode::FORBIDDEN,
        "This page is for administrators",
        "You are signed in, but this page needs an administrator.",
        "An administrator can make you one, or do this for you.",
    );
    show(ErrorPage {
        request_id: id(request_id),
        ..view
    })
}

/// The store is out of reach.
pub(in crate::http) fn unavailable(cause: &str) -> Response {
    let view = blank(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not possible at the moment",
        "The server cannot reach its store, or has too much to do. Nothing was changed.",
        "Try again in a moment. If it lasts, tell whoever runs this server.",
    );
    let mut response = show(view);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response.extensions_mut().insert(Cause(cause.to_owned()));
    response
}

/// What a page says to a deed that was not done.
pub(in crate::http) fn refused(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::TooMany { retry_after } => too_many(*retry_after),
        other => unavailable(&other.to_string()),
    }
}

fn too_many(retry_after: i64) -> Response {
    let view = blank(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many attempts",
        "Too many attempts failed from here.",
        "Wait a little before you try again.",
    );
    let mut response = show(view);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    response
}

/// 404: JSON under `/api`, where programs ask; else a page.
pub(in crate::http) async fn not_found(OriginalUri(uri): OriginalUri, request: Request) -> Response {
    let wants_json = uri.path().contains("/api/")
        || uri.path().contains("/.well-known/")
        || prefers_json(request.headers());
    if wants_json {
        let body = json!({ "error": "not_found", "error_description": "There is nothing at this address" });
        return (StatusCode::NOT_FOUND, Json(body)).into_response();
    }
    gone(request.extensions().get::<RequestId>())
}

pub(in crate::http) fn gone(request_id: Option<&RequestId>) -> Response {
    let view = blank(
        StatusCode::NOT_FOUND,
        "There is nothing at this address",
        "The page was moved or deleted, or the address has a typing mistake.",
        "",
    );
    show(ErrorPage {
        request_id: id(request_id),
        ..view
    })
}

/// 405; the `Allow` header is the router's.
pub(in crate::http) async fn method_not_allowed(request: Request) -> Response {
    let view = blank(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address is not for that",
        "The request was sent in a way that this address does not take.",
        "",
    );
    let request_id = id(request.extensions().get::<RequestId>());
    show(ErrorPage { request_id, ..view })
}

/// See [`media_type::prefers_json`].
pub(in crate::http) fn prefers_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .is_some_and(|accept| media_type::prefers_json(accept.as_bytes()))
}
