//! xDS streams: how resources travel between a control plane and a proxy.
//!
//! Both sides are built alike: `sotw` and `delta` are state machines without I/O, clock or randomness; `stream`
//! drives one of them on a gRPC stream. The one rule: a machine never believes that the other side holds a
//! resource before the other side has said so.

pub mod limits;
pub mod nack;
pub mod resource;
pub mod violation;

pub mod client;
pub mod load;
pub mod server;

#[cfg(test)]
mod tests;
