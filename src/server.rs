//! The doorstep: logs, sockets, TLS, the accept loop, the start and the stop.

pub mod listen;
pub mod sandbox;
pub mod start;
pub mod stop;
pub mod telemetry;
pub mod tls;

mod connection;

pub use start::{Running, StartError, start};
