//! The nouns: newtypes, records and states.

pub mod client_id;
pub mod grant_type;
pub mod scope;
