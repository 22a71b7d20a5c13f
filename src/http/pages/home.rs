//! `/`: leads everybody to the page that is theirs.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::authorize::redirect;
use crate::flow::App;
use crate::http::extract::viewer::Viewer;

pub(in crate::http) async fn show(State(app): State<App>, viewer: Viewer) -> Response {
    let page = match viewer.user() {
        Some(user) if user.admin => "/oauth/applications",
        Some(_) => "/oauth/authorized_applications",
        None => "/login",
    };
    redirect(StatusCode::SEE_OTHER, &format!("{}{page}", app.issuer.path()))
}
