//! What happens to every request, whatever it asks.

pub(super) mod cors;
pub(super) mod error_page;
pub(super) mod error_uri;
pub(super) mod headers;
pub(super) mod panic;
pub(super) mod path;
pub(super) mod request;
pub(super) mod session;
