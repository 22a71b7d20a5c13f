//! `/oauth/errors`: what every error code means, behind `error_uri`. The same for everybody, and nothing
//! in it comes from the request, so that any cache may keep it
//! for a while.

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::error;
use super::render::page;
use crate::base::secret::Secret;
use crate::flow::App;
use crate::http::middleware::request::RequestId;
use crate::http::view::Chrome;
use crate::http::view::explanation::{Explained, Explanations};
use crate::protocol::explanation::{ALL, find};

const CACHED: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// `GET /oauth/errors`.
pub(in crate::http) async fn index(State(app): State<App>) -> Response {
    let chrome = chrome(&app);
    cached(page(StatusCode::OK, &Explanations { chrome, all: ALL }))
}

/// `GET /oauth/errors/:code`.
pub(in crate::http) async fn show(
    State(app): State<App>,
    Path(code): Path<String>,
    Extension(request_id): Extension<RequestId>,
) -> Response {
    let Some(explanation) = find(&code) else {
        return error::gone(Some(&request_id));
    };
    let chrome = chrome(&app);
    cached(page(StatusCode::OK, &Explained { chrome, explanation }))
}

fn chrome(app: &App) -> Chrome {
    Chrome::new(Secret::new("")).of(app)
}

fn cached(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, CACHED);
    response
}
