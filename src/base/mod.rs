//! The ground: time, chance, secrets, passwords and settings. Knows nothing of OAuth.

pub mod address;
pub mod clock;
pub mod config;
pub mod entropy;
pub mod form;
pub mod generated_password;
pub mod password;
pub mod pattern;
pub mod sealing;
pub mod secret;
pub mod uri;
