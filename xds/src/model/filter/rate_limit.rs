//! Limits that a service keeps for all proxies (`envoy.extensions.filters.http.ratelimit.v3`).

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;

use crate::model::{GrpcService, HeaderAdd, RateLimit, RuntimeFraction, Value, VhRateLimits};

/// The filter in a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimitFilter {
    /// The domain of the service's rules.
    pub domain: String,
    /// The stage of the rules that are read from hosts and routes.
    pub stage: u32,
    /// Which requests.
    pub request_type: RateLimitedRequests,
    /// How long the service may take; Envoy's default is 20 ms, zero is no limit.
    pub timeout: Duration,
    /// Whether requests are refused while the service cannot be asked.
    pub failure_mode_deny: bool,
    /// How many of those; `None`: by `failure_mode_deny`.
    pub failure_mode_deny_percent: Option<RuntimeFraction>,
    /// Whether gRPC requests over the limit end in RESOURCE_EXHAUSTED instead of UNAVAILABLE.
    pub as_resource_exhausted: bool,
    /// Who is asked.
    pub service: GrpcService,
    /// Whether responses carry `x-ratelimit-*`.
    pub x_ratelimit_headers: bool,
    /// Whether refusals lack `x-envoy-ratelimited`.
    pub disable_x_envoy_ratelimited: bool,
    /// The status of a request over the limit; 429 unless said otherwise, and at least 400.
    pub status: StatusCode,
    /// The status of a request that is refused because the service cannot be asked; 500 unless said otherwise.
    pub status_on_error: StatusCode,
    /// Added to refusals.
    pub response_headers: Vec<HeaderAdd>,
    /// Requests that are looked at; `None`: all.
    pub filter_enabled: Option<RuntimeFraction>,
    /// Requests over the limit that are refused; `None`: all.
    pub filter_enforced: Option<RuntimeFraction>,
    /// Rules of the filter's own; with any, those of hosts and routes are not read.
    pub rate_limits: Vec<RateLimit>,
    /// Where in dynamic metadata it is put what answers say of it.
    pub metadata_namespace: String,
}

/// Which requests are limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RateLimitedRequests {
    /// All.
    #[default]
    Both,
    /// Those with `x-envoy-internal: true`.
    Internal,
    /// The others.
    External,
}

/// The filter on a host or route.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimitPerRoute {
    /// When a host's rules hold beside a route's.
    pub vh_rate_limits: VhRateLimits,
    /// Rules in place of all others; none: the others hold.
    pub rate_limits: Vec<RateLimit>,
    /// The domain in place of the chain's; empty for that.
    pub domain: String,
}

/// What a service is asked (`envoy.service.ratelimit.v3.RateLimitRequest`).
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimitQuestion {
    /// The domain of its rules.
    pub domain: String,
    /// Keys with their values.
    pub descriptors: Vec<Vec<(String, String)>>,
}

/// What it answers (`RateLimitResponse`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RateLimitAnswer {
    /// Whether the request is over a limit; `None`: it cannot tell.
    pub over_limit: Option<bool>,
    /// How it stands with each descriptor that has a limit.
    pub quotas: Vec<RateLimitQuota>,
    /// Added to the request if it goes on; names in lower case.
    pub request_headers: Vec<(String, String)>,
    /// Added to the response, whoever makes it.
    pub response_headers: Vec<(String, String)>,
    /// The body of a refusal.
    pub body: Vec<u8>,
    /// Put into the request's dynamic metadata.
    pub metadata: BTreeMap<String, Value>,
}

/// What is left for a descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimitQuota {
    /// How many are allowed in a window.
    pub limit: u32,
    /// How long a window is, seconds; zero where that is not known.
    pub window: u32,
    /// The limit's name; may be empty.
    pub name: String,
    /// How many are left.
    pub remaining: u32,
    /// Until a new window begins, whole seconds.
    pub reset: u64,
}
