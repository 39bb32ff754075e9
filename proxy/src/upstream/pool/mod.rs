//! Connections kept for the next request; each worker has its own.
//!
//! [`Pools`] finds the pool of an endpoint, a pool lends a connection, a request gives it back. Connections that
//! differ in anything that a peer could notice (identity, server name, protocol) are never in one pool. One rule:
//! what a request or a connection holds of a limit is given back by dropping it.

mod facts;

pub mod h1;

pub mod h2;

mod meter;

mod guard;

mod tunnel;

mod plan;

mod lease;

mod waiting;

mod host_pool;

mod upkeep;

mod in_flight;

mod pools;

pub use facts::{ConnectionFacts, SendOptions, Sent, TlsFacts};
pub use guard::ConnectionGuard;
pub use pools::{Connected, Pools};

#[cfg(test)]
mod tests;
