//! How a cluster speaks HTTP/2.

use h2::client;

use crate::codec::h2::{HeadLimit, Keepalive};
use crate::limits;

/// How a cluster speaks HTTP/2; Envoy's `http2_protocol_options` and `common_http_protocol_options`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct H2ClientSettings {
    /// Streams open at once on one connection, besides what the endpoint allows (`max_concurrent_streams`).
    pub max_concurrent_streams: u32,
    /// Bytes the endpoint may send ahead on one stream (`initial_stream_window_size`).
    pub initial_stream_window_size: u32,
    /// Bytes the endpoint may send ahead on the connection (`initial_connection_window_size`).
    pub initial_connection_window_size: u32,
    /// HPACK table the endpoint may use, bytes (`hpack_table_size`).
    pub hpack_table_size: u32,
    /// Largest response head, bytes.
    pub head_bytes_max: u32,
    /// Most fields in one response head (`max_headers_count`).
    pub headers_count_max: usize,
    /// PINGs to a silent endpoint (`connection_keepalive`).
    pub keepalive: Option<Keepalive>,
    /// Requests before the connection takes no more (`max_requests_per_connection`).
    pub max_requests: Option<u64>,
}

impl Default for H2ClientSettings {
    fn default() -> Self {
        Self {
            max_concurrent_streams: limits::H2_STREAMS_MAX,
            initial_stream_window_size: limits::H2_STREAM_WINDOW_BYTES,
            initial_connection_window_size: limits::H2_CONNECTION_WINDOW_BYTES,
            hpack_table_size: 4096,
            head_bytes_max: u32::try_from(limits::HEAD_BYTES_MAX).unwrap_or(u32::MAX),
            headers_count_max: limits::HEADERS_COUNT_MAX,
            keepalive: None,
            max_requests: None,
        }
    }
}

impl H2ClientSettings {
    /// The largest response head accepted.
    #[must_use]
    pub fn head_limit(&self) -> HeadLimit {
        HeadLimit { bytes_max: self.head_bytes_max as usize, fields_max: self.headers_count_max }
    }
}

/// The `h2` builder with these settings; server push is always off.
pub(super) fn builder(settings: &H2ClientSettings) -> client::Builder {
    let mut builder = client::Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(settings.initial_stream_window_size)
        .initial_connection_window_size(settings.initial_connection_window_size)
        .header_table_size(settings.hpack_table_size)
        .max_header_list_size(settings.head_limit().list_bytes_max())
        .max_send_buffer_size(limits::RELAY_BUFFER_BYTES)
        .max_concurrent_reset_streams(limits::H2_RESET_STREAMS_KEPT);
    builder
}
