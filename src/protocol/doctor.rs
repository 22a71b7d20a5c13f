//! What a client may expect of an authorization server and of a resource, rule by rule: each tells from one
//! answer whether it is kept, which sentence of which RFC it comes from, whose fault it is and what mends it.
//!
//! A `Fail` is a sentence that says MUST, or an answer that clients refuse. A `Warn` is a SHOULD, or what is
//! less safe than it could be. What cannot be told from outside is `NotTried`, never a `Pass`.

pub mod authorize;
pub mod challenge;
pub mod check;
pub mod device;
mod document;
pub mod metadata;
pub mod resource;
pub mod token;

pub use self::check::{Check, Outcome, Report, Rule, Side, Step, shown};
