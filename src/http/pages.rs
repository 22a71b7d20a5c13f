//! What people see: one file a page.

pub(super) mod assets;
pub(super) mod authorize;
pub(super) mod error;
pub(super) mod explanation;
pub(super) mod health;
pub(super) mod render;

pub(super) mod account;
pub(super) mod applications;
pub(super) mod audit;
pub(super) mod authorized;
pub(super) mod device;
pub(super) mod home;
pub(super) mod login;
pub(super) mod setup;
pub(super) mod users;
