//! How a listener speaks HTTP/2.

use std::time::Duration;

use crate::codec::h2::Keepalive;
use crate::limits;

/// How a listener speaks HTTP/2; Envoy's `http2_protocol_options` and `common_http_protocol_options`.
#[derive(Debug, Clone)]
pub struct H2Settings {
    /// Streams one client may have open (`max_concurrent_streams`).
    pub max_concurrent_streams: u32,
    /// Bytes a client may send ahead on one stream (`initial_stream_window_size`).
    pub initial_stream_window_size: u32,
    /// Bytes a client may send ahead on the connection (`initial_connection_window_size`).
    pub initial_connection_window_size: u32,
    /// HPACK table the client may use, bytes (`hpack_table_size`).
    pub hpack_table_size: u32,
    /// Largest request head, bytes (`max_request_headers_kb`).
    pub head_bytes_max: u32,
    /// Most fields in one request head (`max_headers_count`).
    pub headers_count_max: usize,
    /// Whether extended CONNECT is offered (`allow_connect`, RFC 8441).
    pub allow_connect: bool,
    /// PINGs to silent clients (`connection_keepalive`).
    pub keepalive: Option<Keepalive>,
    /// A connection without streams is ended after this (`idle_timeout`).
    pub idle_timeout: Option<Duration>,
    /// A connection takes no more streams after this (`max_connection_duration`).
    pub max_connection_duration: Option<Duration>,
    /// A connection takes no more streams after this many (`max_requests_per_connection`).
    pub max_requests: Option<u64>,
}

impl Default for H2Settings {
    fn default() -> Self {
        Self {
            max_concurrent_streams: limits::H2_STREAMS_MAX,
            initial_stream_window_size: limits::H2_STREAM_WINDOW_BYTES,
            initial_connection_window_size: limits::H2_CONNECTION_WINDOW_BYTES,
            hpack_table_size: 4096,
            head_bytes_max: u32::try_from(limits::HEAD_BYTES_MAX).unwrap_or(u32::MAX),
            headers_count_max: limits::HEADERS_COUNT_MAX,
            allow_connect: false,
            keepalive: None,
            idle_timeout: Some(limits::CONNECTION_IDLE),
            max_connection_duration: None,
            max_requests: None,
        }
    }
}
