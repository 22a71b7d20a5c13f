//! The store: SQL and nothing else, one file a table, the same text for SQLite and Postgres.

pub mod access;
pub mod access_tokens;
pub mod applications;
pub mod audit;
pub mod authorization_requests;
pub mod codes;
pub mod db;
pub mod devices;
mod error;
pub mod failed_requests;
pub mod families;
mod faults;
pub mod grants;
pub mod memos;
mod migrate;
pub mod oauth1;
pub mod refresh_tokens;
pub mod sessions;
pub mod sweep;
pub mod throttles;
pub mod usage;
pub mod users;

pub use db::{Db, Statement, Tx};
pub use error::{Result, StoreError};
