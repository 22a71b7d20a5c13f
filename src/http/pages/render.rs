//! From a view to an answer.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use super::error;
use crate::flow::App;
use crate::flow::applications::Manager;
use crate::http::extract::viewer::Viewer;
use crate::http::view::Chrome;

/// A page with a status.
pub(in crate::http) fn page(status: StatusCode, view: &impl Template) -> Response {
    match view.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(fault) => error::unavailable(&fault.to_string()),
    }
}

/// The frame of a page for `viewer`, with the notice that the last page left.
pub(in crate::http) async fn chrome(app: &App, viewer: &Viewer) -> Result<Chrome, Response> {
    let chrome = Chrome::new(viewer.csrf(app).await?).of(app);
    let chrome = match viewer.user() {
        Some(user) => chrome
            .signed_in(user.username.clone(), user.admin)
            .managing(Manager::of(app, user).is_some()),
        None => chrome,
    };
    Ok(match viewer.take_notice().await {
        Some(notice) => chrome.with_notice(notice),
        None => chrome,
    })
}
