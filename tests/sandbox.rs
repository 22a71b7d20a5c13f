//! The target of client tests, and what steers it.

mod guard;
mod start;
mod time;
mod worlds;
//! The sandbox: what its control plane promises to tests of clients.
mod faults;
mod recorded;
mod target;
