//! How fast connections of a chain may come (`envoy.filters.network.local_ratelimit`).

use std::sync::Arc;
use std::time::Duration;

use xds::model::{self, RuntimeSwitch};

use super::limit::Refusal;
use crate::observe::metrics::{Counters, Kind, Metric, MetricSet, Scope};
use crate::policy::http::Shared;
use crate::policy::token_bucket::TokenBucket;

/// What is counted.
#[derive(Debug, Clone, Copy)]
enum RateMetric {
    RateLimited,
}

impl MetricSet for RateMetric {
    const METRICS: &'static [Metric] =
        &[Metric { name: "rate_limited", kind: Kind::Counter, help: "Connections over the limit." }];

    fn index(self) -> usize {
        self as usize
    }
}

/// The limit; all workers share it.
#[derive(Debug)]
pub(super) struct PaceLimit {
    bucket: Arc<TokenBucket>,
    enabled: RuntimeSwitch,
    stats: Arc<Counters<RateMetric>>,
}

impl PaceLimit {
    pub(super) fn new(model: &model::ConnectionRateLimit, shared: &Shared) -> Self {
        let model::ConnectionRateLimit { stat_prefix, token_bucket, enabled, share_key } = model;
        let bucket = if share_key.is_empty() {
            Arc::new(TokenBucket::new(*token_bucket))
        } else {
            shared.bucket(share_key, *token_bucket)
        };
        let scope =
            Scope::new("local_rate_limit", "envoy_local_network_ratelimit_prefix", stat_prefix.as_str());
        Self { bucket, enabled: enabled.clone(), stats: shared.counters(scope) }
    }

    pub(super) fn enabled(&self) -> &RuntimeSwitch {
        &self.enabled
    }

    /// Takes a token at `now`.
    pub(super) fn take(&self, now: Duration) -> Result<(), Refusal> {
        if self.bucket.take(now) {
            return Ok(());
        }
        self.stats.inc(RateMetric::RateLimited);
        Err(Refusal::at_once())
    }
}
