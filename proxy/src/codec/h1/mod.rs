//! HTTP/1.1 on the wire (RFC 9112), the same for both sides.
//!
//! A head is found (`scan`), taken apart (`request`, `response`, `fields`), and its body's length decided in one
//! place (`framing`); bodies are cut out of the read buffer (`body`, `chunk`) and heads written (`write`).
//! One rule: what two readers could understand differently is refused, never repaired.

pub mod fault;

pub mod scan;

pub mod fields;

pub mod authority;

pub mod framing;

pub mod request;

pub mod response;

pub mod chunk;

pub mod body;

pub mod write;

pub mod output;

pub mod wire;

pub mod pump;

#[cfg(test)]
mod tests;
