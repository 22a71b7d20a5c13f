//! The target of client tests, and what steers it.

mod debugger;
mod deeds;
mod faults;
mod guard;
mod recorded;
mod start;
mod target;
mod time;
mod worlds;
