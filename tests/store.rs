//! What the store keeps and what it lets go.

mod sweep;
mod sweep_under_load;
