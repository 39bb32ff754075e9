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

/// Bytes of frames gathered before an HTTP/2 connection must write.
pub const H2_GATHER_BYTES: usize = 64 * 1024;

/// Streams that were reset here and are remembered for frames still on their way, per HTTP/2 connection.
pub const H2_RESET_STREAMS_KEPT: usize = 64;

/// Streams a client may open and reset before they are looked at, per HTTP/2 connection.
pub const H2_PENDING_RESETS_MAX: usize = 32;

/// Resets by a client before the share of its streams that it resets is judged (rapid reset, CVE-2023-44487).
pub const H2_CLIENT_RESETS_MIN: u64 = 250;

/// How long a connection without streams is kept (Envoy `idle_timeout` default).
pub const CONNECTION_IDLE: Duration = Duration::from_secs(3600);

/// Access log bytes that wait for the writing thread; past it lines are dropped and counted.
pub const ACCESS_LOG_QUEUE_BYTES: usize = 8 * 1024 * 1024;

/// Access log lines that wait for the writing thread; past it lines are dropped and counted.
pub const ACCESS_LOG_QUEUE_LINES: usize = 16 * 1024;

/// How long an access log line waits at most before it is written (Envoy's default is 10 s).
pub const ACCESS_LOG_FLUSH: Duration = Duration::from_millis(100);

/// Most attempts of one request, whatever a retry policy or `x-envoy-max-retries` asks for.
pub const ATTEMPTS_MAX: u32 = 256;

/// Longest body of a direct response, bytes (Envoy `max_direct_response_body_size_bytes`).
pub const DIRECT_RESPONSE_BYTES_MAX: usize = 4096;
