//! When a request is tried again (`envoy.config.route.v3.RetryPolicy`).

use std::time::Duration;

use http::StatusCode;

use super::HeaderMatcher;

/// A retry policy.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// Any of these.
    pub on: Vec<RetryCondition>,
    /// How often at most; Envoy's default is 1.
    pub num_retries: u32,
    /// How long one attempt may take; `None`: the route's timeout.
    pub per_try_timeout: Option<Duration>,
    /// How long an attempt may be silent.
    pub per_try_idle_timeout: Option<Duration>,
    /// For [`RetryCondition::RetriableStatusCodes`].
    pub retriable_status_codes: Vec<StatusCode>,
    /// For [`RetryCondition::RetriableHeaders`]: any response header passes.
    pub retriable_headers: Vec<HeaderMatcher>,
    /// When there are any, one request header must pass for retries to be on.
    pub retriable_request_headers: Vec<HeaderMatcher>,
    /// Waiting between attempts.
    pub back_off: BackOff,
    /// Whether endpoints tried before are avoided (`previous_hosts`).
    pub avoid_previous_hosts: bool,
    /// How often another endpoint is drawn to avoid one; Envoy's default is 1.
    pub host_selection_retry_max_attempts: u32,
    /// Whether priorities tried before are avoided, after this many attempts each (`previous_priorities`).
    pub avoid_previous_priorities: Option<u32>,
}

/// Exponential back-off with full jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackOff {
    /// Envoy's default is 25 ms.
    pub base_interval: Duration,
    /// Ten times the base unless given.
    pub max_interval: Duration,
}

/// When an attempt's end allows another (`retry_on`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is Envoy's retry_on value of the same name")]
pub enum RetryCondition {
    ServerError,
    GatewayError,
    Reset,
    ResetBeforeRequest,
    ConnectFailure,
    EnvoyRateLimited,
    Retriable4xx,
    RefusedStream,
    RetriableStatusCodes,
    RetriableHeaders,
    Http3PostConnectFailure,
    GrpcCancelled,
    GrpcDeadlineExceeded,
    GrpcInternal,
    GrpcResourceExhausted,
    GrpcUnavailable,
}

impl RetryCondition {
    /// Every condition with its name in `retry_on` and `x-envoy-retry-on`.
    pub const ALL: [(&'static str, Self); 16] = [
        ("5xx", Self::ServerError),
        ("gateway-error", Self::GatewayError),
        ("reset", Self::Reset),
        ("reset-before-request", Self::ResetBeforeRequest),
        ("connect-failure", Self::ConnectFailure),
        ("envoy-ratelimited", Self::EnvoyRateLimited),
        ("retriable-4xx", Self::Retriable4xx),
        ("refused-stream", Self::RefusedStream),
        ("retriable-status-codes", Self::RetriableStatusCodes),
        ("retriable-headers", Self::RetriableHeaders),
        ("http3-post-connect-failure", Self::Http3PostConnectFailure),
        ("cancelled", Self::GrpcCancelled),
        ("deadline-exceeded", Self::GrpcDeadlineExceeded),
        ("internal", Self::GrpcInternal),
        ("resource-exhausted", Self::GrpcResourceExhausted),
        ("unavailable", Self::GrpcUnavailable),
    ];

    /// The condition called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, condition)| *condition)
    }
}
