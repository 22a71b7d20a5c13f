//! What the store keeps and what it lets go.

mod sweep;
