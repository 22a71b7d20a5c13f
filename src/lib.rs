//! Tegata (手形): a self-hosted OAuth 2.0 authorization server.
//!
//! # The floor plan
//! An import points down only:
//!
//! | floor | what it holds | may use |
//! |---|---|---|
//! | `main`, [`cli`], [`sandbox`], [`server`] | the doorstep: parse arguments, assemble, listen, stop | all |
//! | [`http`] | HTTP ⇄ flow: extract, call one flow, render | flow, protocol, model, base |
//! | [`flow`] | what the server does; owns transactions | store, protocol, model, base |
//! | [`store`] and [`protocol`] | SQL, one file a table; the RFCs' rules, pure | model, base |
//! | [`model`] | the nouns | base |
//! | [`base`] | clock, entropy, secrets, settings | nothing of ours |
//!
//! The same noun names the file on every floor. `tests/architecture.rs` holds the floors.

pub mod base;
pub mod cli;
pub mod flow;
pub mod http;
pub mod model;
pub mod protocol;
pub mod sandbox;
pub mod server;
pub mod store;
