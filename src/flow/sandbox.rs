//! What a sandbox does that a server never would. Reached by the control plane alone.

pub mod redirects;
pub mod seeds;
