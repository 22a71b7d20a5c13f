//! Security headers.
//!
//! A page that needs its forms to lead elsewhere (the consent page's answer is a redirect to the client)
//! says so by [`FormAction`]; one that has a script of ours, by [`OwnScript`].

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::flow::App;

/// Where the forms of a page may lead besides our own origin: sources of a Content Security Policy.
#[derive(Clone, Debug)]
pub(in crate::http) struct FormAction(pub(in crate::http) String);

/// The page has a script of ours. The pages on which people sign in and consent have none.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct OwnScript;

/// Adds them to every answer.
pub(in crate::http) async fn secure(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let form_action = response.extensions_mut().remove::<FormAction>();
    let script = response.extensions_mut().remove::<OwnScript>();
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
        headers.insert(header::CONTENT_SECURITY_POLICY, policy(script, form_action));
    }
    response
}

fn is_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn policy(script: Option<OwnScript>, form_action: Option<FormAction>) -> HeaderValue {
    const BASE: &str = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
                        frame-ancestors 'none'; form-action 'self'";
    let script = script.map_or("'none'", |OwnScript| "'self'");
    let plain = format!("script-src {script}; {BASE}");
    form_action
        .and_then(|FormAction(sources)| HeaderValue::from_str(&format!("{plain} {sources}")).ok())
        .or_else(|| HeaderValue::from_str(&plain).ok())
        .unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
