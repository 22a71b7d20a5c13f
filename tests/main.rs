//! Tegata seen from outside: over HTTP and through its commands, on both databases.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "in a test a panic is the report"
)]

#[macro_use]
mod world;

mod architecture;
mod audit;
mod cli;
mod doctor;
mod endpoints;
mod flows;
mod form;
mod fuzz;
mod journey;
mod operation;
mod pages;
mod sandbox;
mod store;
