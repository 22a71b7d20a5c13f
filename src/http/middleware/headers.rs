//! Security headers.
//!
//! A page that needs its forms to lead elsewhere (the consent page's answer is a redirect to the client)
//! says so by [`FormAction`]; one that has a script of ours, by [`OwnScript`]; the one that hands an answer
//! over by a form, by [`HandOver`].

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

/// The page has a form that leads to an application, and a script within it that sends it.
#[derive(Clone, Debug)]
pub(in crate::http) struct HandOver {
    /// What the script is known by.
    pub(in crate::http) nonce: String,
    /// Where alone the form may lead: a source of a Content Security Policy.
    pub(in crate::http) to: String,
}

/// Adds them to every answer.
pub(in crate::http) async fn secure(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let form_action = response.extensions_mut().remove::<FormAction>();
    let script = response.extensions_mut().remove::<OwnScript>();
    let hand_over = response.extensions_mut().remove::<HandOver>();
    let headers = response.headers_mut();
    let set = |headers: &mut HeaderMap, name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, header::REFERRER_POLICY, "same-origin");
    // browsers would hold it against every port of the machine, where others are not https
    if app.issuer.is_https() && !app.issuer.is_loopback() {
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
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            policy(script, form_action, hand_over),
        );
    }
    response
}

fn is_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn policy(
    script: Option<OwnScript>,
    form_action: Option<FormAction>,
    hand_over: Option<HandOver>,
) -> HeaderValue {
    let script = script.map_or("'none'", |OwnScript| "'self'");
    let of = |script: &str, form_action: &str| {
        HeaderValue::from_str(&format!(
            "script-src {script}; default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; \
             frame-ancestors 'none'; form-action {form_action}"
        ))
        .ok()
    };
    let wanted = match (hand_over, form_action) {
        (Some(HandOver { nonce, to }), _) => of(&format!("'nonce-{nonce}'"), &to),
        (None, Some(FormAction(sources))) => of(script, &format!("'self' {sources}")),
        (None, None) => None,
    };
    wanted
        .or_else(|| of(script, "'self'"))
        .unwrap_or(HeaderValue::from_static("default-src 'none'"))
}
