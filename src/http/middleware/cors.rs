//! Pages of other origins (CORS; Fetch standard §3.2): at the few endpoints that a browser application
//! calls, and there for the origins that an administrator allowed. Never with cookies: no answer has
//! `Access-Control-Allow-Credentials`.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::flow::{App, origins};

/// What an application of a browser sends besides what every page may.
const HEADERS: HeaderValue = HeaderValue::from_static("authorization, content-type");
/// Seconds for which a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The answer refuses a request that could not be read, so that nobody knows whose it is.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Unread;

/// Answers the browser's question before the request (a preflight) for the origins of all applications:
/// it does not say for which one it asks. To any other origin there is no such method here. Neither does a
/// request say so that could not be [read](Unread).
pub(in crate::http) async fn preflight(
    State((app, methods)): State<(App, &'static str)>,
    request: Request,
    next: Next,
) -> Response {
    let sent = origin(request.headers()).cloned();
    let asked = sent.clone().filter(|_| is_preflight(&request));
    let mut response = match asked {
        Some(origin) if is_any_applications(&app, &origin).await => {
            let headers = [
                (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
                (
                    header::ACCESS_CONTROL_ALLOW_METHODS,
                    HeaderValue::from_static(methods),
                ),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
                (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
            ];
            (StatusCode::NO_CONTENT, headers).into_response()
        }
        _ => next.run(request).await,
    };
    if response.extensions_mut().remove::<Unread>().is_some()
        && let Some(origin) = sent
        && is_any_applications(&app, &origin).await
    {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    // The answer is another for another origin; a cache must not give it to one in place of the other.
    let vary = HeaderValue::from_static("Origin");
    response.headers_mut().append(header::VARY, vary);
    response
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Lets pages of every application's origins read the answer, and why it was refused.
pub(in crate::http) async fn readable_by_any(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let sent = origin(request.headers()).cloned();
    let mut response = next.run(request).await;
    let_read(&app, sent.as_ref(), &mut response).await;
    response
}

/// The same, of the answer to a request of the page of `origin`.
pub(in crate::http) async fn let_read(app: &App, origin: Option<&HeaderValue>, response: &mut Response) {
    if let Some(origin) = origin
        && is_any_applications(app, origin).await
    {
        let exposed = HeaderValue::from_static("WWW-Authenticate");
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
}

/// Lets pages of the origins of the application `client_id` read the answer to its request, a refusal
/// too.
pub(in crate::http) async fn readable_by_client(
    app: &App,
    headers: &HeaderMap,
    client_id: Option<String>,
    mut response: Response,
) -> Response {
    if let (Some(origin), Some(client_id)) = (origin(headers), client_id)
        && let Ok(text) = origin.to_str()
        && origins::is_applications_own(app, &client_id, text).await
    {
        response
            .headers_mut()
            .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    response
}

/// The one `Origin` that was sent.
pub(in crate::http) fn origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut sent = headers.get_all(header::ORIGIN).iter();
    match (sent.next(), sent.next()) {
        (Some(origin), None) => Some(origin),
        _ => None,
    }
}

async fn is_any_applications(app: &App, origin: &HeaderValue) -> bool {
    match origin.to_str() {
        Ok(text) => origins::is_any_applications(app, text).await,
        Err(_) => false,
    }
}
