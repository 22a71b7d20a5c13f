//! One address a file: what it answers, and what it refuses.

mod application_grants;
mod application_pages;
pub(crate) mod applications;
mod authorization;
mod authorized_applications;
mod bearer;
mod consumers;
mod cross_origin;
mod errors;
mod failed_requests;
mod health;
mod memos;
mod memos_errors;
mod metadata;
mod owners;
mod pages;
mod protected_resource;
mod token_info;
mod users;
