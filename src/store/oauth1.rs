//! OAuth 1.0a (RFC 5849).

pub mod access_tokens;
pub mod consumers;
pub mod nonces;
pub mod request_tokens;
pub mod sealed;
