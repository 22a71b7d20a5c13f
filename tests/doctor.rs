//! `tegata doctor`: against this server, and against servers that are wrong in one thing each.

mod faults;
mod own;
mod stranger;
