//! What an error of `h3` means for the request path.

use h3::error::StreamError;

use crate::error::{Error, Reason};

/// The request path's error for one that a client's stream ended with.
#[must_use]
pub fn error(why: &StreamError) -> Error {
    let reason = match why {
        StreamError::StreamError { .. } => Reason::DownstreamProtocol,
        StreamError::HeaderTooBig { .. } => Reason::RequestHeadTooLarge,
        // Stopped, closed, timed out, or lost: the client went away.
        _ => Reason::DownstreamClosed,
    };
    Error::new(reason, format!("http/3: {why}"))
}
