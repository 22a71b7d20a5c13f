//! What a sandbox does that a server never would: people decide without a browser, and tokens come of no flow.
//! Reached by the control plane alone.
//!
//! A decision takes the way that a person's takes, check by check. Only a minted token skips it: it is there for
//! what no flow gives.

mod authorize;
pub mod devices;
mod mint;
pub mod redirects;
pub mod seeds;

pub use authorize::{Answer, authorize};
pub use mint::{Wanted, mint};
