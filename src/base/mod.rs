//! The ground: time, chance, secrets, passwords and settings. Knows nothing of OAuth.

pub mod clock;
pub mod entropy;
pub mod secret;
