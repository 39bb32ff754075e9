//! Answers to health checks (`envoy.extensions.filters.http.health_check.v3.HealthCheck`).

use std::time::Duration;

use crate::model::HeaderMatcher;

/// Which requests are health checks, and who answers them.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthCheckFilter {
    /// What the fields of a health check have to be, all of it.
    pub headers: Vec<HeaderMatcher>,
    /// Who answers.
    pub mode: HealthCheckMode,
}

/// Who answers health checks.
#[derive(Debug, Clone, PartialEq)]
pub enum HealthCheckMode {
    /// The upstream, as long as this proxy is not told to fail.
    PassThrough {
        /// How long an answer is given again; `None`: never.
        cache_time: Option<Duration>,
    },
    /// This proxy.
    Answer {
        /// How many of these clusters' endpoints have to be healthy, in whole percent.
        clusters: Vec<(String, u32)>,
    },
}
