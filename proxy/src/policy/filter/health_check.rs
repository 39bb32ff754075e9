//! Answers to health checks (`envoy.filters.http.health_check`): which requests are, who answers them, and with what.
//!
//! One rule: as long as the operator says so, this proxy is not healthy, whatever its upstreams are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use xds::model::{HealthCheckFilter, HealthCheckMode};

use crate::body::{RequestHead, ResponseHead};
use crate::error::Invalid;
use crate::observe::metrics::{Counters, Kind, Metric, MetricSet};
use crate::policy::header_tests::HeaderTests;
use crate::policy::reply::Reply;
use crate::standing::Standing;
use crate::upstream::{Cluster, Clusters};

const CHECKED_CLUSTER: HeaderName = HeaderName::from_static("x-envoy-upstream-healthchecked-cluster");
const IMMEDIATE_FAIL: HeaderName = HeaderName::from_static("x-envoy-immediate-health-check-fail");
const DEGRADED: HeaderName = HeaderName::from_static("x-envoy-degraded");

/// What is counted.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum HealthCheckMetric {
    Total,
    Failed,
    Ok,
    Cached,
    ClusterNotFound,
    ClusterEmpty,
    ClusterUnhealthy,
    Degraded,
}

impl MetricSet for HealthCheckMetric {
    const METRICS: &'static [Metric] = &[
        counter("health_check.request_total", "Health checks."),
        counter("health_check.failed", "Those answered with a failure."),
        counter("health_check.ok", "Those answered with a success."),
        counter("health_check.cached_response", "Those answered as the one before."),
        counter("health_check.failed_cluster_not_found", "Those failed by a cluster that does not exist."),
        counter("health_check.failed_cluster_empty", "Those failed by a cluster without endpoints."),
        counter("health_check.failed_cluster_unhealthy", "Those failed by a cluster's unhealthy endpoints."),
        counter("health_check.degraded", "Those answered as degraded."),
    ];

    fn index(self) -> usize {
        self as usize
    }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help }
}

/// The filter in a chain.
#[derive(Debug)]
pub struct HealthCheck {
    tests: HeaderTests,
    mode: Mode,
    standing: Arc<Standing>,
    /// What this proxy's own cluster is called.
    cluster: HeaderValue,
    stats: Arc<Counters<HealthCheckMetric>>,
}

#[derive(Debug)]
enum Mode {
    PassThrough(Option<Cache>),
    Answer(Vec<(String, u32)>),
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Verdict {
    /// It is no health check.
    Other,
    /// The upstream answers.
    PassOn,
    /// This is the answer.
    Reply(Box<Reply>),
}

/// An answer that is given again for a time.
#[derive(Debug)]
struct Cache {
    time: Duration,
    /// Until when, in milliseconds, then the status, then whether it is degraded; zero: there is none.
    kept: AtomicU64,
}

/// An answer, as far as it is given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    status: StatusCode,
    degraded: bool,
    details: &'static str,
}

impl HealthCheck {
    /// Compiles `model`; the proxy is of the `cluster` and as healthy as its `standing` says.
    ///
    /// # Errors
    /// Names the matcher that cannot be used.
    pub fn compile(
        model: &HealthCheckFilter,
        standing: Arc<Standing>,
        cluster: &str,
        stats: Arc<Counters<HealthCheckMetric>>,
    ) -> Result<Self, Invalid> {
        let HealthCheckFilter { headers, mode } = model;
        Ok(Self {
            tests: HeaderTests::compile(headers)?,
            mode: match mode {
                HealthCheckMode::PassThrough { cache_time } => Mode::PassThrough(cache_time.map(Cache::new)),
                HealthCheckMode::Answer { clusters } => Mode::Answer(clusters.clone()),
            },
            standing,
            cluster: HeaderValue::try_from(cluster).unwrap_or(HeaderValue::from_static("")),
            stats,
        })
    }

    /// What becomes of a request `now`.
    pub fn judge(&self, head: &RequestHead, clusters: &Clusters, now: Duration) -> Verdict {
        if !self.tests.all_pass(head) {
            return Verdict::Other;
        }
        let known = if self.standing.is_failing() {
            Known::failed("health_check_failed")
        } else {
            match &self.mode {
                Mode::Answer(wanted) => self.of_clusters(wanted, clusters),
                Mode::PassThrough(cache) => {
                    let Some(known) = cache.as_ref().and_then(|cache| cache.answer(now)) else {
                        return Verdict::PassOn;
                    };
                    self.stats.inc(HealthCheckMetric::Cached);
                    known
                }
            }
        };
        self.count(known);
        let mut reply = Reply::status(known.status, known.details);
        if known.degraded {
            reply.headers.insert(DEGRADED, HeaderValue::from_static(""));
        }
        Verdict::Reply(Box::new(reply))
    }

    /// A response to a health check that was passed on (`Some(true)`) or answered here, or to another request.
    pub fn respond(&self, check: Option<bool>, head: &mut ResponseHead, now: Duration) {
        let Some(passed_on) = check else {
            if self.standing.is_failing() {
                head.headers.insert(IMMEDIATE_FAIL, HeaderValue::from_static("true"));
            }
            return;
        };
        if let (true, Mode::PassThrough(cache)) = (passed_on, &self.mode) {
            let degraded = head.headers.contains_key(DEGRADED);
            if let Some(cache) = cache {
                cache.keep(Known { status: head.status, degraded, details: "" }, now);
            }
        }
        head.headers.insert(CHECKED_CLUSTER, self.cluster.clone());
    }

    /// Counts an answer; what upstreams answer is not counted, as in Envoy.
    fn count(&self, known: Known) {
        self.stats.inc(HealthCheckMetric::Total);
        self.stats.inc(match known.status.is_success() {
            true => HealthCheckMetric::Ok,
            false => HealthCheckMetric::Failed,
        });
        if known.degraded {
            self.stats.inc(HealthCheckMetric::Degraded);
        }
    }

    /// Whether enough of each cluster's endpoints may be used.
    fn of_clusters(&self, wanted: &[(String, u32)], clusters: &Clusters) -> Known {
        for (name, percent_min) in wanted {
            let (metric, details) = match lack(clusters.get(name).map(|cluster| &**cluster), *percent_min) {
                None => continue,
                Some(Lack::Cluster) => {
                    (HealthCheckMetric::ClusterNotFound, "health_check_failed_no_cluster_found")
                }
                Some(Lack::Endpoints) => {
                    (HealthCheckMetric::ClusterEmpty, "health_check_failed_cluster_empty")
                }
                Some(Lack::Health) => {
                    (HealthCheckMetric::ClusterUnhealthy, "health_check_failed_cluster_unhealthy")
                }
            };
            self.stats.inc(metric);
            return Known::failed(details);
        }
        let details = if wanted.is_empty() { "health_check_ok" } else { "health_check_ok_cluster_healthy" };
        Known { status: StatusCode::OK, degraded: false, details }
    }
}

/// What a cluster has too little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    Cluster,
    Endpoints,
    Health,
}

fn lack(cluster: Option<&Cluster>, percent_min: u32) -> Option<Lack> {
    let Some(cluster) = cluster else { return Some(Lack::Cluster) };
    let tally = cluster.endpoints().tally();
    if tally.total == 0 {
        return (percent_min > 0).then_some(Lack::Endpoints);
    }
    let enough = 100 * (tally.healthy + tally.degraded) >= tally.total * u64::from(percent_min);
    (!enough).then_some(Lack::Health)
}

impl Known {
    fn failed(details: &'static str) -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, degraded: false, details }
    }
}

impl Cache {
    fn new(time: Duration) -> Self {
        Self { time, kept: AtomicU64::new(0) }
    }

    fn keep(&self, known: Known, now: Duration) {
        let until = u64::try_from((now + self.time).as_millis()).unwrap_or(u64::MAX);
        let kept = until << 17 | u64::from(known.status.as_u16()) << 1 | u64::from(known.degraded);
        self.kept.store(kept, Ordering::Relaxed);
    }

    fn answer(&self, now: Duration) -> Option<Known> {
        let kept = self.kept.load(Ordering::Relaxed);
        if now.as_millis() >= u128::from(kept >> 17) {
            return None;
        }
        let status = u16::try_from(kept >> 1 & 0xffff).ok()?;
        let status = StatusCode::from_u16(status).ok()?;
        Some(Known { status, degraded: kept & 1 == 1, details: "health_check_cached" })
    }
}

#[cfg(test)]
mod tests;
