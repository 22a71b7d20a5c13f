//! One address a file: what it answers, and what it refuses.

mod application_pages;
mod applications;
mod authorized_applications;
mod bearer;
mod health;
mod memos;
mod memos_errors;
mod metadata;
mod pages;
mod token_info;
