//! Parameters: of a query, of a form body, read strictly and within limits (RFC 6749 §3.1, §3.2).

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use futures_util::StreamExt;

use crate::http::error::EndpointError;
use crate::protocol::error::OAuthError;
use crate::protocol::media_type;
use crate::protocol::params::Params;

/// Largest body of a form or a JSON document.
pub(in crate::http) const MAX_BODY: usize = 64 * 1024;
/// So much of a body over the limit is read all the same, so that the client gets to read the answer.
const MAX_DRAINED: usize = 4 * 1024 * 1024;

/// The form body of a request to an endpoint that speaks OAuth.
#[derive(Debug)]
pub(in crate::http) struct FormParams(pub(in crate::http) Params);

impl<S: Sync> FromRequest<S> for FormParams {
    type Rejection = EndpointError;

    async fn from_request(request: Request, _: &S) -> Result<Self, EndpointError> {
        let query =
            Params::parse(request.uri().query().unwrap_or_default().as_bytes()).map_err(OAuthError::from)?;
        if !is_form(request.headers()) {
            drain(request.into_body(), 0).await;
            return Err(EndpointError::unsupported_media_type());
        }
        let body = read(request.into_body()).await?;
        let params = Params::parse(&body).map_err(OAuthError::from)?;
        refuse_query(&query, &params)?;
        Ok(Self(params))
    }
}

/// Credentials, codes and tokens in a URL end up in logs and histories: what belongs into the body is
/// refused in the query, the rest of the query is ignored.
fn refuse_query(query: &Params, body: &Params) -> Result<(), OAuthError> {
    const BODY_ONLY: [&str; 10] = [
        "client_id",
        "client_secret",
        "code",
        "code_verifier",
        "device_code",
        "grant_type",
        "password",
        "refresh_token",
        "token",
        "username",
    ];
    match BODY_ONLY.iter().find(|name| query.get(name).is_some()) {
        Some(name) => Err(OAuthError::invalid_request(format!(
            "Send {name} in the body, not in the URL"
        ))),
        None => query.clone().merge(body.clone()).reject_repeated(),
    }
}

/// The query of a request to a page.
#[derive(Debug)]
pub(in crate::http) struct QueryParams(pub(in crate::http) Result<Params, OAuthError>);

impl<S: Sync> FromRequestParts<S> for QueryParams {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(
            Params::parse(parts.uri.query().unwrap_or_default().as_bytes()).map_err(OAuthError::from),
        ))
    }
}

/// `application/x-www-form-urlencoded`, in UTF-8 if it names a charset.
pub(in crate::http) fn is_form(headers: &HeaderMap) -> bool {
    is_media_type(headers, "application/x-www-form-urlencoded")
}

/// See [`media_type::is`].
pub(in crate::http) fn is_media_type(headers: &HeaderMap, wanted: &str) -> bool {
    let values: Vec<&[u8]> = headers
        .get_all(header::CONTENT_TYPE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    media_type::is(&values, wanted)
}

/// A body within the limit.
///
/// # Errors
/// 413 for a larger one, of which the rest is read and thrown away; 400 where it breaks off.
pub(in crate::http) async fn read(body: Body) -> Result<Vec<u8>, EndpointError> {
    let mut kept = Vec::new();
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|_| OAuthError::invalid_request("The body broke off"))?;
        if kept.len() + chunk.len() > MAX_BODY {
            drain(Body::from_stream(stream), kept.len() + chunk.len()).await;
            return Err(EndpointError::too_large());
        }
        kept.extend_from_slice(&chunk);
    }
    Ok(kept)
}

/// Reads the rest of a body that is not wanted.
pub(in crate::http) async fn drain(body: Body, mut read: usize) {
    let mut stream = body.into_data_stream();
    while let Some(Ok(chunk)) = stream.next().await {
        read += chunk.len();
        if read > MAX_DRAINED {
            return;
        }
    }
}
