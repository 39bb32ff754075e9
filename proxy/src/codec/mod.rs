//! What both sides of a codec share: byte streams, and the grammar and framing of HTTP/1.1.
//!
//! One rule: nothing here knows whether it serves a client or a backend; the caller says who is at fault.

pub mod io;
mod spare;

pub mod h1;
pub mod h2;
#[cfg(feature = "http3")]
pub mod h3;
