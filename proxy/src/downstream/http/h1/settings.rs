//! What a caller chooses about a connection, and what it learns when the connection ends.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use http::StatusCode;
use http::header::{self, HeaderValue};

use crate::body::{Body, Response, ResponseHead, Text};
use crate::error::Error;
use crate::fields::Fields;
use crate::limits::{DELAYED_CLOSE, HALF_CLOSE_GRACE, HEAD_BYTES_MAX, HEADERS_COUNT_MAX};

/// How HTTP/1.1 is served; the fields are Envoy's where Envoy has one.
#[derive(Clone)]
pub struct H1Settings {
    /// Whether HTTP/1.0 is served; otherwise it is answered 426 (`accept_http_10`).
    pub accept_http_10: bool,
    /// The authority of HTTP/1.0 requests without `Host` (`default_host_for_http_10`).
    pub default_host_for_http_10: Option<Text>,
    /// How long a connection may wait for its next request (`idle_timeout`); `None` is for ever.
    pub idle_timeout: Option<Duration>,
    /// How long a request head may take from its first byte (`request_headers_timeout`); past it the answer is
    /// 408.
    pub request_headers_timeout: Option<Duration>,
    /// Requests after which the connection is closed (`max_requests_per_connection`).
    pub max_requests_per_connection: Option<u64>,
    /// Largest request head, bytes (`max_request_headers_kb`); past it the answer is 431.
    pub head_bytes_max: usize,
    /// Most fields in a request head (`max_headers_count`); past it the answer is 431.
    pub headers_count_max: usize,
    /// Whether trailers pass, in both directions (`enable_trailers`); otherwise they are dropped.
    pub enable_trailers: bool,
    /// How long a closing connection is read on so that its last response arrives (`delayed_close_timeout`).
    pub delayed_close: Duration,
    /// How long an answer is still waited for after the client ended its sending side. Envoy's way is zero.
    pub half_close_grace: Duration,
    /// Makes the answer to a request that cannot be read; the default is Envoy's: status, reason as text.
    #[expect(clippy::type_complexity, reason = "an alias would only hide what is to be given")]
    pub refusal: Option<Rc<dyn Fn(&Refusal) -> Response>>,
}

/// A request that could not be read.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Why.
    pub error: Error,
    /// The status it is answered with; it may differ from the reason's (501 for an unknown transfer coding).
    pub status: StatusCode,
}

/// Why a connection ended.
#[derive(Debug, Clone)]
pub enum End {
    /// The client closed it between requests, or within a head.
    ClientClosed,
    /// No request came within `idle_timeout`.
    Idle,
    /// No request came while draining.
    Drained,
    /// The drain was stopped; a request in progress was cut.
    Stopped,
    /// After a response that announced it: asked for by either side, or the request count is reached.
    Closed,
    /// A tunnel came to its end.
    Tunnel,
    /// A request could not be read; it was answered and the connection closed.
    Refused(Error),
    /// A response was cut short: the client went away, or the response's body failed.
    Cut(Error),
}

impl Default for H1Settings {
    fn default() -> Self {
        Self {
            accept_http_10: false,
            default_host_for_http_10: None,
            idle_timeout: Some(Duration::from_secs(3600)),
            request_headers_timeout: None,
            max_requests_per_connection: None,
            head_bytes_max: HEAD_BYTES_MAX,
            headers_count_max: HEADERS_COUNT_MAX,
            enable_trailers: false,
            delayed_close: DELAYED_CLOSE,
            half_close_grace: HALF_CLOSE_GRACE,
            refusal: None,
        }
    }
}

impl fmt::Debug for H1Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("H1Settings")
            .field("accept_http_10", &self.accept_http_10)
            .field("default_host_for_http_10", &self.default_host_for_http_10)
            .field("idle_timeout", &self.idle_timeout)
            .field("request_headers_timeout", &self.request_headers_timeout)
            .field("max_requests_per_connection", &self.max_requests_per_connection)
            .field("head_bytes_max", &self.head_bytes_max)
            .field("headers_count_max", &self.headers_count_max)
            .field("enable_trailers", &self.enable_trailers)
            .field("delayed_close", &self.delayed_close)
            .field("half_close_grace", &self.half_close_grace)
            .field("refusal", &self.refusal.as_ref().map(|_| "…"))
            .finish()
    }
}

impl H1Settings {
    /// The answer to a request that cannot be read.
    #[must_use]
    pub fn answer(&self, refusal: &Refusal) -> Response {
        if let Some(answer) = &self.refusal {
            return answer(refusal);
        }
        let mut headers = Fields::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        let text = refusal.status.canonical_reason().unwrap_or_default();
        let head = ResponseHead { status: refusal.status, headers };
        Response { head, body: Body::full(text), close: true }
    }
}
