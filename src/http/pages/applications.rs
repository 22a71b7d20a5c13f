//! stub
use axum::response::{IntoResponse, Response};
macro_rules! stub { ($($n:ident)*) => { $(pub(in crate::http) async fn $n() -> Response { ().into_response() })* } }
stub!(index create new show update patch remove edit confirm_delete delete rotate_secret retire_secret);
