//! Who sends a request, for the audit log: from where, and under which id. What they prove is added later.

use std::convert::Infallible;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;

use super::address::client_address;
use crate::flow::App;
use crate::http::middleware::request::RequestId;
use crate::model::caller::Caller;

impl<S: Sync> FromRequestParts<S> for Caller
where
    App: FromRef<S>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let app = App::from_ref(state);
        let address = client_address(&parts.extensions, &parts.headers, &app.config.trusted_proxies);
        let RequestId(id) = parts.extensions.get().cloned().unwrap_or_default();
        Ok(Self::anonymous(address, id))
    }
}
