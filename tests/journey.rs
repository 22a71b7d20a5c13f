//! Foreign clients, end to end.

mod browser;
mod browser_application;
mod certificates;
mod oauth2_crate;
mod python;
mod sandbox_clients;
mod sandbox_example;
mod signed;
