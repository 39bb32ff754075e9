//! How long things take in a cluster.

use std::sync::Arc;

use crate::observe::metrics::Histogram;

/// Durations of a cluster.
#[derive(Debug)]
pub struct ClusterHistograms {
    /// From a request's start to its response's end.
    pub upstream_rq_time: Arc<Histogram>,
    /// From a connection's start to its being established.
    pub upstream_cx_connect_ms: Arc<Histogram>,
    /// From a connection's start to its end.
    pub upstream_cx_length_ms: Arc<Histogram>,
}

impl ClusterHistograms {
    /// Empty.
    pub(super) fn new() -> Self {
        Self {
            upstream_rq_time: Arc::new(Histogram::new()),
            upstream_cx_connect_ms: Arc::new(Histogram::new()),
            upstream_cx_length_ms: Arc::new(Histogram::new()),
        }
    }
}
