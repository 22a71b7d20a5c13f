//! The commands as an operator types them, beside a server that runs on the same store.

mod applications;
mod certificates;
mod check;
mod grants;
mod tokens;
mod usage;
mod users;
