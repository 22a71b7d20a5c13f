//! The error answer (RFC 5849 §3.2): form-encoded, in the words of the OAuth Problem Reporting extension.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::flow::App;
use crate::flow::oauth1::verify::Refused;
use crate::http::error::{EndpointError, NO_STORE};
use crate::http::middleware::request::Cause;
use crate::protocol::oauth1::problem::Problem;

/// What every answer of OAuth 1.0a is.
pub(in crate::http) const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

pub(in crate::http) fn refused(app: &App, refused: Refused) -> Response {
    match refused {
        Refused::Problem(problem) => self::problem(app, &problem),
        Refused::Refusal(refusal) => EndpointError::from(refusal).into_response(),
    }
}

pub(in crate::http) fn problem(app: &App, problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut response = (
        status,
        NO_STORE,
        [(header::CONTENT_TYPE, FORM)],
        problem.to_form(),
    )
        .into_response();
    if status == StatusCode::UNAUTHORIZED
        && let Ok(challenge) = HeaderValue::from_str(&problem.challenge(app.issuer.as_str()))
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response.extensions_mut().insert(Cause(problem.to_string()));
    response
}
