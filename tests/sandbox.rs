//! The target of client tests, and what steers it.

mod guard;
mod start;
mod time;
mod worlds;
