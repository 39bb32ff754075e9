//! Limits of this proxy's own (`envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit`).

use http::StatusCode;

use crate::model::{HeaderAdd, RateLimit, RuntimeFraction, TokenBucket};

/// Which requests are limited, and to how many.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalRateLimit {
    /// Name in metrics.
    pub stat_prefix: String,
    /// The status of a request that is over the limit; 429 unless said otherwise, and at least 400.
    pub status: StatusCode,
    /// For all requests together; `None`: no limit.
    pub token_bucket: Option<TokenBucket>,
    /// Requests that are looked at; `None`: none.
    pub filter_enabled: Option<RuntimeFraction>,
    /// Requests over the limit that are refused; `None`: none.
    pub filter_enforced: Option<RuntimeFraction>,
    /// Added to requests over the limit that are not refused.
    pub request_headers_when_not_enforced: Vec<HeaderAdd>,
    /// Added to the answer of those that are.
    pub response_headers: Vec<HeaderAdd>,
    /// Limits for requests with these descriptors.
    pub descriptors: Vec<LocalDescriptor>,
    /// The stage of the rules that are read from hosts and routes.
    pub stage: u32,
    /// Whether responses carry `x-ratelimit-*`.
    pub x_ratelimit_headers: bool,
    /// When a host's rules hold beside a route's.
    pub vh_rate_limits: VhRateLimits,
    /// Whether requests with a descriptor's limit count for all requests' limit, too.
    pub always_consume_default: bool,
    /// Whether gRPC requests over the limit end in RESOURCE_EXHAUSTED instead of UNAVAILABLE.
    pub as_resource_exhausted: bool,
    /// Rules of the filter's own; with any, those of hosts and routes are not read.
    pub rate_limits: Vec<RateLimit>,
    /// Whether refusals carry `retry-after`.
    pub retry_after: bool,
}

/// A limit for requests with a descriptor.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalDescriptor {
    /// Keys and values; an empty value stands for any, each with a limit of its own.
    pub entries: Vec<(String, String)>,
    /// How many.
    pub token_bucket: TokenBucket,
}

/// When a host's rules hold beside a route's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VhRateLimits {
    /// Where the route has none, or says so.
    #[default]
    Override,
    /// Always.
    Include,
    /// Never.
    Ignore,
}
