//! One file a grant: whether what the client presents is good.

pub mod code;
pub mod device;
pub mod refresh;
