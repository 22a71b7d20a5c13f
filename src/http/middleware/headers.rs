//! Security headers.
//!
//! A page that needs its forms to lead elsewhere (the consent page's answer is a redirect to the client)
//! says so by [`FormAction`].

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::flow::App;

/// Where the forms of a page may lead besides our own origin: sources of a Content Security Policy.
#[derive(Clone, Debug)]
pub(in crate::http) struct FormAction(pub(in crate::http) String);

/// Adds them to every answer.
pub(in crate::http) async fn secure(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let form_action = response.extensions_mut().remove::<FormAction>();
    let headers = response.headers_mut();
    let set = |headers: &mut HeaderMap, name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::REFERRER_POLICY, "same-origin");
    if app.issuer.is_https() {
        set(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if is_html(headers) {
        set(headers, header::X_FRAME_OPTIONS, "DENY");
        set(
            headers,
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        );
        set(
            headers,
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        );
        set(
            headers,
            HeaderName::from_static("permissions-policy"),
            "interest-cohort=()",
        );
        set(headers, header::CACHE_CONTROL, "no-store");
        headers.insert(header::CONTENT_SECURITY_POLICY, policy(form_action));
    }
    response
}

fn is_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn policy(form_action: Option<FormAction>) -> HeaderValue {
    const BASE: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
    form_action
        .and_then(|FormAction(sources)| HeaderValue::from_str(&format!("{BASE} {sources}")).ok())
        .unwrap_or(HeaderValue::from_static(BASE))
}
