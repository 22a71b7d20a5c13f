//! The sandbox: what its control plane promises to tests of clients.

mod deeds;
