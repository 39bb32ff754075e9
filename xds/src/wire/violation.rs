//! The one error of a state machine: the other side cannot be talked to any further on this stream.

/// The other side broke the protocol or a limit; the stream is closed, a client opens a new one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Violation(pub String);
