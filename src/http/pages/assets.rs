//! Stylesheet and mark: named by their content, so that they can be kept for ever.

use axum::extract::OriginalUri;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::view::assets;

pub(in crate::http) async fn show(OriginalUri(uri): OriginalUri) -> Response {
    let name = uri.path().rsplit_once("/assets/").map_or("", |(_, name)| name);
    match assets::find(&format!("/assets/{name}")) {
        Some(asset) => (
            [
                (header::CONTENT_TYPE, asset.content_type),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ],
            asset.bytes,
        )
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
