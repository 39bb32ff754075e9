//! Moves bytes from one socket to another inside the kernel: `splice(2)` through a pipe, without copying them.
//!
//! What is to be looked at, encrypted or counted by content never comes here. One rule: a pipe that held bytes which
//! were not delivered is closed, never used again, so that no connection can see another one's bytes.

mod pipe;

mod socket;

#[cfg(test)]
mod tests;

pub use pipe::Pipe;
pub use socket::{AsSocket, Socket};
