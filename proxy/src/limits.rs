//! Every limit of the data plane, by name.
//!
//! A limit that configuration can set stands here with its default; the rest are fixed. Hitting one has a
//! [`crate::error::Reason`] and a metric.

use std::time::Duration;

/// Largest request or response head on HTTP/1.1 and HTTP/2, bytes (Envoy `max_request_headers_kb`, 60 KiB).
pub const HEAD_BYTES_MAX: usize = 60 * 1024;

/// Most header fields in one head (Envoy `max_headers_count`, 100).
pub const HEADERS_COUNT_MAX: usize = 100;

/// Bytes one side may be ahead of the other in a relayed body or stream.
pub const RELAY_BUFFER_BYTES: usize = 64 * 1024;

/// Interim (1xx) responses kept for one request.
pub const INTERIM_RESPONSES_MAX: usize = 8;

/// Request body bytes kept for a retry (Envoy `per_request_buffer_limit_bytes` default: 1 MiB).
pub const RETRY_BUFFER_BYTES: usize = 1024 * 1024;

/// How long a closed connection is read on so that the last response is not lost to a reset
/// (Envoy `delayed_close_timeout`).
pub const DELAYED_CLOSE: Duration = Duration::from_secs(1);

/// Longest wait for a complete TLS handshake (Envoy `transport_socket_connect_timeout`).
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// Trailer fields bytes after a chunked body.
pub const TRAILER_BYTES_MAX: usize = 16 * 1024;

/// Concurrent HTTP/2 streams per downstream connection when configuration is silent.
pub const H2_STREAMS_MAX: u32 = 1024;

/// Initial HTTP/2 stream window, bytes.
pub const H2_STREAM_WINDOW_BYTES: u32 = 256 * 1024;

/// Initial HTTP/2 connection window, bytes.
pub const H2_CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
