//! A connection between requests.

use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::codec::h1::wire::Wire;
use crate::codec::io::Stream;
use crate::limits::{HEAD_BYTES_MAX, HEADERS_COUNT_MAX};

/// What is accepted from a backend.
#[derive(Debug, Clone)]
pub struct H1ClientSettings {
    /// Largest response head, bytes.
    pub head_bytes_max: usize,
    /// Most fields in a response head.
    pub headers_count_max: usize,
    /// Whether trailers pass, in both directions (Envoy `http_protocol_options.enable_trailers`); otherwise they
    /// are dropped.
    pub enable_trailers: bool,
}

impl Default for H1ClientSettings {
    fn default() -> Self {
        Self { head_bytes_max: HEAD_BYTES_MAX, headers_count_max: HEADERS_COUNT_MAX, enable_trailers: false }
    }
}

/// A connection to a backend that can take a request.
#[derive(Debug)]
pub struct H1Connection {
    pub(super) wire: Box<Wire>,
    pub(super) settings: Rc<H1ClientSettings>,
    pub(super) served: u64,
}

impl H1Connection {
    /// A connection that has served nothing yet.
    #[must_use]
    pub fn new(stream: Stream, settings: Rc<H1ClientSettings>) -> Self {
        Self { wire: Box::new(Wire::new(stream)), settings, served: 0 }
    }

    /// How many requests it has served (Envoy `max_requests_per_connection` counts them).
    #[must_use]
    pub fn served(&self) -> u64 {
        self.served
    }

    /// The stream below.
    #[must_use]
    pub fn stream(&self) -> &Stream {
        self.wire.stream()
    }

    /// Ready once an idle connection is of no more use: the backend closed it, or sent bytes that nobody asked
    /// for (a 408, or an attempt to answer the next request beforehand).
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.wire.poll_fill(0, cx).map(|_read| ())
    }

    /// Whether the connection is fit for a request as far as is known without waiting.
    pub fn is_open(&mut self) -> bool {
        self.poll_closed(&mut Context::from_waker(Waker::noop())).is_pending()
    }
}
