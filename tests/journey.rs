//! Foreign clients, end to end.

mod oauth2_crate;
mod python;
