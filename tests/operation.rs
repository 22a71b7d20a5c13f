//! The server as its operator knows it: started, stopped, killed, cut off from its store, attacked.

mod cluster;
mod crash;
mod floods;
mod hang_ups;
mod inputs;
mod issuer_path;
mod logs;
mod long_families;
mod mimicry;
mod postgres_faults;
mod postgres_restart;
pub(crate) mod process;
mod proxy;
mod sealing;
mod sessions;
mod setup_link;
mod sign_in_limits;
mod sqlite_faults;
mod start;
mod stop;
mod tls;
