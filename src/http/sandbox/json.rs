//! What the control plane takes and answers: JSON and nothing else.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::protocol::media_type;

/// In bytes.
const LARGEST: usize = 1024 * 1024;

/// A JSON body; an empty one counts as `{}`. A type that is not JSON's is refused: a form of another site can
/// send text, never that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let Ok(bytes) = to_bytes(body, LARGEST).await else {
            return Err(invalid("the body could not be read, or is larger than 1 MiB"));
        };
        if bytes.is_empty() {
            return read(b"{}").map(Self);
        }
        let kinds: Vec<_> = parts
            .headers
            .get_all(header::CONTENT_TYPE)
            .iter()
            .map(HeaderValue::as_bytes)
            .collect();
        if !media_type::is(&kinds, "application/json") {
            return Err(invalid("send JSON, with Content-Type: application/json"));
        }
        read(&bytes).map(Self)
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Response> {
    serde_json::from_slice(bytes).map_err(|error| invalid(error.to_string()))
}

/// 400: what was sent cannot be meant.
pub(super) fn invalid(description: impl Into<String>) -> Response {
    refused(StatusCode::BAD_REQUEST, "invalid_request", description)
}

/// `{"error","error_description"}`; the description says what to do.
pub(super) fn refused(status: StatusCode, error: &'static str, description: impl Into<String>) -> Response {
    let description = description.into();
    answer(
        status,
        &json!({ "error": error, "error_description": description }),
    )
}

/// JSON that nobody keeps.
pub(super) fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
