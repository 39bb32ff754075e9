//! Faults on purpose (`envoy.extensions.filters.http.fault.v3.HTTPFault`).

use std::time::Duration;

use http::StatusCode;

use crate::model::{Fraction, HeaderMatcher};

/// Which requests suffer what.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// Waits before requests go on.
    pub delay: Option<FaultDelay>,
    /// Answers in place of the upstream.
    pub abort: Option<FaultAbort>,
    /// Slow responses.
    pub response_rate_limit: Option<FaultRateLimit>,
    /// Only requests to this cluster; empty: any.
    pub upstream_cluster: String,
    /// Only requests that pass all of these.
    pub headers: Vec<HeaderMatcher>,
    /// Only requests of these nodes (`x-envoy-downstream-service-node`); empty: any.
    pub downstream_nodes: Vec<String>,
    /// Most faults at once; `None`: no limit.
    pub max_active_faults: Option<u32>,
}

/// A wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultDelay {
    /// How many requests.
    pub percentage: Fraction,
    /// How long; `None`: `x-envoy-fault-delay-request` says it.
    pub fixed: Option<Duration>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultAbort {
    /// How many requests.
    pub percentage: Fraction,
    /// Which answer.
    pub kind: FaultAbortKind,
    /// Its text; empty: Envoy's.
    pub response_body: String,
}

/// Which answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultAbortKind {
    /// This status, 200 to 599.
    Http(StatusCode),
    /// This status of gRPC.
    Grpc(u32),
    /// `x-envoy-fault-abort-request` or `x-envoy-fault-abort-grpc-request` says it.
    Header,
}

/// A slow response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultRateLimit {
    /// How many responses.
    pub percentage: Fraction,
    /// KiB per second, above zero; `None`: `x-envoy-fault-throughput-response` says it.
    pub kbps: Option<u64>,
}
