//! How a listener speaks HTTP/2.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::body::{Body, Response};
use crate::codec::h2::{HeadLimit, Keepalive};
use crate::downstream::http::h1::Refusal;
use crate::limits;

/// How a listener speaks HTTP/2; Envoy's `http2_protocol_options` and `common_http_protocol_options`.
#[derive(Clone)]
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
    /// Makes the answer to a request that cannot be read; the default is its status alone.
    #[allow(clippy::type_complexity, reason = "one closure, called in one place")]
    pub refusal: Option<Rc<dyn Fn(&Refusal) -> Response>>,
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
            refusal: None,
        }
    }
}

impl H2Settings {
    /// The largest request head accepted.
    #[must_use]
    pub fn head_limit(&self) -> HeadLimit {
        HeadLimit { bytes_max: self.head_bytes_max as usize, fields_max: self.headers_count_max }
    }

    /// The answer to a request that cannot be read.
    #[must_use]
    pub fn answer(&self, refusal: &Refusal) -> Response {
        match &self.refusal {
            Some(answer) => answer(refusal),
            None => Response::new(refusal.status, Body::empty()),
        }
    }
}

impl fmt::Debug for H2Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("H2Settings")
            .field("max_concurrent_streams", &self.max_concurrent_streams)
            .field("initial_stream_window_size", &self.initial_stream_window_size)
            .field("initial_connection_window_size", &self.initial_connection_window_size)
            .field("allow_connect", &self.allow_connect)
            .field("keepalive", &self.keepalive)
            .finish_non_exhaustive()
    }
}
