//! The nouns: newtypes, records and states.
