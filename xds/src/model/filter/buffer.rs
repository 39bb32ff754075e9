//! Waiting for the whole request (`envoy.extensions.filters.http.buffer.v3`).

/// How much is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Buffer {
    /// Largest body, bytes, above zero; a larger one is answered 413.
    pub max_request_bytes: u32,
}

/// What a host or route says in place of the chain's filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BufferPerRoute {
    /// Nothing is waited for.
    Disabled,
    /// This much.
    Buffer(Buffer),
}
