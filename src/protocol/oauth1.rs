//! OAuth 1.0a: signed requests (RFC 5849). Nothing of OAuth 2.0 knows of it.
//!
//! | section | rule | file |
//! |---|---|---|
//! | §3.1, §3.2, §3.5 | the parameters of a request, and where they may be | [`request`] |
//! | §3.4.1 | the text that is signed | [`base_string`] |
//! | §3.4.2 to §3.4.4 | signature methods | [`signature`] |
//! | §3.2 | what a refusal is called | [`problem`] |
//!
//! A signature covers the method, the address, the query, the protocol parameters and a form body. Any other body
//! is covered only where the client sends `oauth_body_hash`: without it, whoever can change a request on its way
//! can change that body, so that TLS has to keep them from it.

pub mod base_string;
pub mod problem;
pub mod request;
pub mod signature;
