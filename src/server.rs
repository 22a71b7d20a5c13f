//! The doorstep: logs, sockets, the accept loop, the stop.

pub mod listen;
pub mod stop;
pub mod telemetry;

mod connection;
