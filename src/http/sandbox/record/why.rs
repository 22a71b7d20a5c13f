//! Exactly what a request was refused for: the words of the page of failed requests.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::http::middleware::request::Why;
use crate::http::sandbox::seen::{Endpoint, Seen};
use crate::protocol::error::ErrorCode;
use crate::protocol::reason::Fault;

/// The members that an entry of the record has of a request that was refused.
#[derive(Clone, Debug, Serialize)]
pub(in crate::http::sandbox) struct Refused {
    /// The name of it, for programs.
    reason: &'static str,
    /// What was wrong and what would be right, in words.
    description: &'static str,
    /// Where that is written.
    section: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'static str>,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self {
            reason: fault.reason.as_str(),
            description: fault.reason.sentence(),
            section: fault.reason.section(),
            parameter: fault.parameter,
        }
    }
}

impl Refused {
    /// `document`: the body of the answer.
    pub(super) fn of(
        seen: &Seen,
        response: &Response,
        document: Option<&Value>,
        now: OffsetDateTime,
    ) -> Option<Self> {
        // Whoever polls is told so every few seconds; nothing is wrong with that.
        let error = document
            .and_then(|document| document.get("error"))
            .and_then(Value::as_str);
        if error == Some(ErrorCode::AuthorizationPending.as_str()) {
            return None;
        }
        if let Some(Why(fault)) = response.extensions().get::<Why>() {
            return Some((*fault).into());
        }
        if seen.endpoint.is_some_and(Endpoint::is_resource) {
            return of_bearer(seen, response.status(), now);
        }
        None
    }
}

/// What the one `invalid_token` of RFC 6750 §3.1 stands for.
fn of_bearer(seen: &Seen, status: StatusCode, now: OffsetDateTime) -> Option<Refused> {
    let told = |reason, description, section| {
        Some(Refused {
            reason,
            description,
            section,
            parameter: None,
        })
    };
    match (status, &seen.token) {
        (StatusCode::FORBIDDEN, _) => told(
            "scope_insufficient",
            "The access token lives, but lacks the scope that is needed here. Ask for it at authorization.",
            "RFC 6750 §3.1",
        ),
        (StatusCode::UNAUTHORIZED, None) if seen.bearer().is_none() => told(
            "token_missing",
            "No access token was sent. Send it as Authorization: Bearer, one space and the token.",
            "RFC 6750 §2.1",
        ),
        (StatusCode::UNAUTHORIZED, None) => told(
            "token_unknown",
            "The access token is none that was issued here, or is long gone.",
            "RFC 6750 §3.1",
        ),
        (StatusCode::UNAUTHORIZED, Some(token)) if !token.live => told(
            "token_revoked",
            "The access token is revoked: itself, with its grant, or with its user or application.",
            "RFC 6750 §3.1",
        ),
        (StatusCode::UNAUTHORIZED, Some(token)) if now >= token.expires_at => told(
            "token_expired",
            "The access token has expired. Refresh it, or send the user through authorization again.",
            "RFC 6750 §3.1",
        ),
        (StatusCode::UNAUTHORIZED, Some(_)) => told(
            "resource_differs",
            "The access token lives, but is for another resource, or is bound to a certificate that did not come.",
            "RFC 8707 §2",
        ),
        _ => None,
    }
}
