//! One log line a request, with an id that the answer carries too.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::flow::App;
use crate::http::extract::address::client_address;
use crate::http::extract::certificate;
use crate::protocol::reason::Fault;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names a request in the log, in the answer's `X-Request-Id` and on error pages. Ours alone: one that a
/// client sends is not believed.
#[derive(Clone, Debug, Default)]
pub(in crate::http) struct RequestId(pub(in crate::http) String);

/// Why an answer is an error, for the log alone.
#[derive(Clone, Debug)]
pub(in crate::http) struct Cause(pub(in crate::http) String);

/// Exactly what was wrong with the request, for the record of a sandbox alone.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Why(pub(in crate::http) Fault);

/// Logs method, path (never the query), status and time.
pub(in crate::http) async fn logged(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = app.entropy.id(app.now()).simple().to_string();
    let started = Instant::now();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let address = client_address(
        request.extensions(),
        request.headers(),
        &app.config.trusted_proxies,
    );
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().remove::<MatchedPath>();
    certificate::settle(&app, &mut request);

    let span = tracing::info_span!("request", request_id = %id);
    let mut response = next.run(request).instrument(span.clone()).await;

    let status = response.status().as_u16();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let cause = response
        .extensions_mut()
        .remove::<Cause>()
        .map(|Cause(cause)| cause);
    let _entered = span.enter();
    match cause {
        Some(cause) if status >= 500 => {
            tracing::error!(%method, path, status, micros, %address, cause, "{method} {path} {status}");
        }
        Some(cause) => {
            tracing::info!(%method, path, status, micros, %address, cause, "{method} {path} {status}");
        }
        None => tracing::info!(%method, path, status, micros, %address, "{method} {path} {status}"),
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}
