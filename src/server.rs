//! The doorstep: logs, sockets, the accept loop, the start and the stop.

pub mod listen;
pub mod start;
pub mod stop;
pub mod telemetry;

mod connection;

pub use start::{Running, StartError, start};
