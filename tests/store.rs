//! What the store keeps and what it lets go.

mod access;
mod sweep;
mod sweep_under_load;
