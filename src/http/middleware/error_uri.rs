//! Every OAuth error names the page that explains it: written here, where the issuer is known.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::flow::App;
use crate::protocol::explanation;

/// The JSON body of an OAuth error (RFC 6749 §5.2). An answer that has it among its extensions is given
/// its `error_uri`.
#[derive(Clone, Debug, Serialize)]
pub(in crate::http) struct ErrorBody {
    pub(in crate::http) error: &'static str,
    pub(in crate::http) error_description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_uri: Option<String>,
}

impl ErrorBody {
    pub(in crate::http) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            error,
            error_description: description.into(),
            error_uri: None,
        }
    }

    /// As JSON, and so that the layer finds it.
    pub(in crate::http) fn into_response(self) -> Response {
        let mut response = Json(&self).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Adds the `error_uri`.
pub(in crate::http) async fn write(State(app): State<App>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let Some(mut body) = response.extensions_mut().remove::<ErrorBody>() else {
        return response;
    };
    if explanation::find(body.error).is_some() {
        body.error_uri = Some(explanation::uri(app.issuer.as_str(), body.error));
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::new(Json(body).into_response().into_body());
    }
    response
}
