//! A form of one of our own pages: from our own origin, with the session's token.
//!
//! Three walls against a form that another site sends in the person's name: the browser's own word
//! (`Sec-Fetch-Site`, `Origin`), the token, and the cookie's `SameSite`.

use axum::body::Body;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::params::{drain, is_form, read};
use super::viewer::Viewer;
use crate::flow::App;
use crate::http::middleware::request::RequestId;
use crate::http::pages::error;
use crate::model::caller::Caller;
use crate::protocol::params::Params;

pub(in crate::http) const CSRF_FIELD: &str = "csrf_token";
pub(in crate::http) const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

/// Fields that may be ticked several times.
const LISTS: [&str; 4] = ["scopes", "default_scopes", "optional_scopes", "grants"];

/// The fields of a form that the person sent from our page.
#[derive(Debug)]
pub(in crate::http) struct Form {
    pub(in crate::http) viewer: Viewer,
    /// The user who is signed in, or nobody proven.
    pub(in crate::http) caller: Caller,
    pub(in crate::http) params: Params,
}

impl Form {
    /// A field as typed; absent is empty.
    pub(in crate::http) fn text(&self, name: &str) -> String {
        self.params.get(name).unwrap_or_default().to_owned()
    }

    pub(in crate::http) fn is_on(&self, name: &str) -> bool {
        matches!(self.params.get(name), Some("true" | "on" | "1"))
    }
}

impl<S: Sync + Send> FromRequest<S> for Form
where
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let app = App::from_ref(state);
        let id = request.extensions().get::<RequestId>().cloned();
        let (mut parts, body) = request.into_parts();
        let viewer = Viewer::from_request_parts(&mut parts, state).await?;
        let Ok(caller) = Caller::from_request_parts(&mut parts, state).await;
        let (_, params) = page_body(&parts.headers, body)
            .await
            .map_err(|problem| error::plain(problem.0, problem.1, id.as_ref()))?;
        if params.first_repeated_but(&LISTS).is_some() {
            let sentence = "The form holds a field twice.";
            return Err(error::plain(StatusCode::BAD_REQUEST, sentence, id.as_ref()));
        }
        let sent = header_token(&parts.headers).or_else(|| params.get(CSRF_FIELD).map(str::to_owned));
        if is_ours(&parts.headers, &app) && viewer.csrf_matches(&sent.unwrap_or_default()).await {
            return Ok(Self {
                caller: match viewer.user() {
                    Some(user) => caller.as_user(user.id),
                    None => caller,
                },
                viewer,
                params,
            });
        }
        Err(error::forged(id.as_ref()))
    }
}

/// Reads the body of a page's form, as sent and decoded.
///
/// # Errors
/// A status and a sentence.
pub(in crate::http) async fn page_body(
    headers: &HeaderMap,
    body: Body,
) -> Result<(Vec<u8>, Params), (StatusCode, &'static str)> {
    let untyped = headers.get(header::CONTENT_TYPE).is_none();
    if !untyped && !is_form(headers) {
        drain(body, 0).await;
        return Err((
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The form was not sent as a form.",
        ));
    }
    let bytes = read(body).await.map_err(|refused| {
        (
            refused.into_response().status(),
            "The form broke off, or is larger than this server takes: 64 KiB.",
        )
    })?;
    if untyped && !bytes.is_empty() {
        return Err((
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The form was not sent as a form.",
        ));
    }
    let params = Params::parse(&bytes).map_err(|_| {
        (
            StatusCode::BAD_REQUEST,
            "The form holds characters that cannot be read.",
        )
    })?;
    Ok((bytes, params))
}

/// The session's token as a script sends it.
pub(in crate::http) fn header_token(headers: &HeaderMap) -> Option<String> {
    headers
        .get(CSRF_HEADER)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

/// Whether the browser says that the request comes from one of our own pages. Older browsers and other
/// programs say nothing; then the token alone decides.
pub(in crate::http) fn is_ours(headers: &HeaderMap, app: &App) -> bool {
    let site = headers
        .get("sec-fetch-site")
        .map(axum::http::HeaderValue::as_bytes);
    if !matches!(site, None | Some(b"same-origin" | b"none")) {
        return false;
    }
    headers
        .get(header::ORIGIN)
        .is_none_or(|origin| is_own_origin(origin.as_bytes(), headers, app))
}

/// The issuer's origin; or, since people also reach a server on their own machine as `127.0.0.1`, the
/// loopback spelling that they asked for.
fn is_own_origin(origin: &[u8], headers: &HeaderMap, app: &App) -> bool {
    if origin == app.issuer.origin().as_bytes() {
        return true;
    }
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else {
        return false;
    };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let loopback = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    let scheme = if app.issuer.is_https() { "https" } else { "http" };
    loopback && app.issuer.is_loopback() && origin == format!("{scheme}://{host}").as_bytes()
}
