//! Foreign clients, end to end.

mod browser;
mod oauth2_crate;
mod python;
