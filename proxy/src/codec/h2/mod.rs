//! HTTP/2 by the `h2` crate: what the two sides of the proxy share.
//!
//! The crate does frames, HPACK, flow-control windows and the checks of RFC 9113 §8; this folder turns its
//! heads and streams into ours and back, and gathers its writes. One rule: no type of the crate leaves
//! `downstream::http::h2` and `upstream::pool::h2`.

mod fault;
mod gather;
mod head;
mod keepalive;
mod limit;
mod receive;
mod send;

pub use fault::{Peer, error, reset_code};
pub use gather::{Flusher, Gather};
pub use head::{declared_size, from_request, from_response, to_interim, to_request, to_response};
pub use keepalive::{Keepalive, Pinger};
pub use limit::HeadLimit;
pub use receive::Receive;
pub use send::{Send, Unsent};

#[cfg(test)]
mod tests;
