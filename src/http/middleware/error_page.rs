//! Error pages are written here, where the request and the server's own path are known.

use askama::Template;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::request::RequestId;
use crate::flow::App;
use crate::http::pages::error::{Unwritten, id};

/// Writes the page that a handler left [`Unwritten`].
pub(in crate::http) async fn write(State(app): State<App>, request: Request, next: Next) -> Response {
    let request_id = id(request.extensions().get::<RequestId>());
    let mut response = next.run(request).await;
    let Some(Unwritten(mut view)) = response.extensions_mut().remove::<Unwritten>() else {
        return response;
    };
    view.chrome = view.chrome.of(&app);
    view.request_id = request_id;
    let html = view.render().unwrap_or_else(|_| view.title.clone());
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    *response.body_mut() = Body::from(html);
    response
}
