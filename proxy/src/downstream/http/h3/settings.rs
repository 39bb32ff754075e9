//! How a listener speaks HTTP/3, above what QUIC itself does.

use std::rc::Rc;
use std::time::Duration;

use crate::body::Response;
use crate::codec::h2::HeadLimit;
use crate::downstream::http::h1::Refusal;

/// How a listener speaks HTTP/3; Envoy's `common_http_protocol_options` and its neighbours.
#[derive(Clone)]
pub struct H3Settings {
    /// The largest request head accepted.
    pub head_limit: HeadLimit,
    /// How long a head may take.
    pub request_headers_timeout: Duration,
    /// A connection without requests is ended after this (`idle_timeout`).
    pub idle_timeout: Option<Duration>,
    /// A connection takes no more requests after this (`max_connection_duration`).
    pub max_connection_duration: Option<Duration>,
    /// A connection takes no more requests after this many (`max_requests_per_connection`).
    pub max_requests: Option<u64>,
    /// Makes the answer to a request that cannot be read.
    #[allow(clippy::type_complexity, reason = "one closure, called in one place")]
    pub refusal: Rc<dyn Fn(&Refusal) -> Response>,
}
