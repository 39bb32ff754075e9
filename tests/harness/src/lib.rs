//! What every test outside a crate stands on: our binaries, processes that end with their test, peers, backends
//! that tell what they received, clients that can be rude, certificates, and load.
//!
//! One rule: whatever a test starts ends with the value that started it, and every wait has a deadline.

pub mod workspace;

pub mod binaries;

pub mod process;

pub mod wait;

pub mod ports;

pub mod peers;

pub mod certs;

pub mod message;

pub mod strict;

pub mod meaning;

pub mod client;

pub mod client_h2;

pub mod backend;

pub mod raw_backend;

pub mod lanes;

pub mod known;

pub mod grpc;

pub mod load;

#[cfg(test)]
mod tests;
