//! Faults on purpose (`envoy.filters.http.fault`): waits, answers in place of the upstream's, slow responses.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use xds::model::{self, FaultAbort, FaultAbortKind, FaultDelay, FaultRateLimit, Fraction};

use crate::body::RequestHead;
use crate::error::{Invalid, Reason};
use crate::observe::metrics::{Counters, Kind, Metric, MetricSet};
use crate::policy::facts;
use crate::policy::header_tests::HeaderTests;
use crate::policy::reply::Reply;

/// What is counted.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum FaultMetric {
    AbortsInjected,
    DelaysInjected,
    FaultsOverflow,
    ResponseRlInjected,
    ActiveFaults,
}

impl MetricSet for FaultMetric {
    const METRICS: &'static [Metric] = &[
        Metric { name: "fault.aborts_injected", kind: Kind::Counter, help: "Requests answered here." },
        Metric { name: "fault.delays_injected", kind: Kind::Counter, help: "Requests that had to wait." },
        Metric {
            name: "fault.faults_overflow",
            kind: Kind::Counter,
            help: "Faults left out for max_active_faults.",
        },
        Metric { name: "fault.response_rl_injected", kind: Kind::Counter, help: "Responses made slow." },
        Metric { name: "fault.active_faults", kind: Kind::Gauge, help: "Requests with a fault, in flight." },
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// The filter in a chain.
#[derive(Debug)]
pub struct Fault {
    /// The chain's rule.
    pub rule: FaultRule,
    /// What it has counted.
    pub stats: Arc<Counters<FaultMetric>>,
}

/// Which requests suffer what.
#[derive(Debug)]
pub struct FaultRule {
    delay: Option<FaultDelay>,
    abort: Option<FaultAbort>,
    limit: Option<FaultRateLimit>,
    cluster: Option<String>,
    headers: HeaderTests,
    nodes: Vec<String>,
    active_max: Option<u64>,
    active: Arc<AtomicU64>,
}

/// A request's place among those with a fault, until it is dropped.
#[derive(Debug)]
pub struct Active {
    active: Arc<AtomicU64>,
    stats: Arc<Counters<FaultMetric>>,
}

impl Active {
    /// Whether the place was given by the filter that counts with `stats`.
    #[must_use]
    pub fn is_of(&self, stats: &Arc<Counters<FaultMetric>>) -> bool {
        Arc::ptr_eq(&self.stats, stats)
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.active.fetch_sub(1, Ordering::Relaxed);
        self.stats.dec(FaultMetric::ActiveFaults);
    }
}

impl FaultRule {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the header test that cannot be used.
    pub fn compile(model: &model::Fault) -> Result<Self, Invalid> {
        let model::Fault {
            delay,
            abort,
            response_rate_limit,
            upstream_cluster,
            headers,
            downstream_nodes,
            max_active_faults,
        } = model;
        Ok(Self {
            delay: *delay,
            abort: abort.clone(),
            limit: *response_rate_limit,
            cluster: Some(upstream_cluster.clone()).filter(|name| !name.is_empty()),
            headers: HeaderTests::compile(headers)?,
            nodes: downstream_nodes.clone(),
            active_max: max_active_faults.map(u64::from),
            active: Arc::default(),
        })
    }

    /// Whether a request to `cluster` may suffer at all.
    #[must_use]
    pub fn concerns(&self, head: &RequestHead, cluster: Option<&str>) -> bool {
        let node = || facts::text(&head.headers, "x-envoy-downstream-service-node");
        self.cluster.as_deref().is_none_or(|wanted| cluster == Some(wanted))
            && (self.nodes.is_empty() || node().is_some_and(|node| self.nodes.iter().any(|one| one == node)))
            && self.headers.all_pass(head)
    }

    /// How long the request has to wait.
    #[must_use]
    pub fn delay(&self, head: &RequestHead, random: u64) -> Option<Duration> {
        let FaultDelay { percentage, fixed } = self.delay?;
        let percentage = match fixed {
            Some(_) => percentage,
            None => asked(percentage, head, "x-envoy-fault-delay-request-percentage"),
        };
        if !percentage.contains(random) {
            return None;
        }
        let duration =
            fixed.or_else(|| number(head, "x-envoy-fault-delay-request").map(Duration::from_millis));
        duration.filter(|duration| !duration.is_zero())
    }

    /// The answer in place of the upstream's.
    #[must_use]
    pub fn abort(&self, head: &RequestHead, random: u64) -> Option<Reply> {
        let FaultAbort { percentage, kind, response_body } = self.abort.as_ref()?;
        let percentage = match kind {
            FaultAbortKind::Header => asked(*percentage, head, "x-envoy-fault-abort-request-percentage"),
            FaultAbortKind::Http(_) | FaultAbortKind::Grpc(_) => *percentage,
        };
        if !percentage.contains(random) {
            return None;
        }
        let (status, grpc_status) = match kind {
            FaultAbortKind::Http(status) => (*status, None),
            FaultAbortKind::Grpc(status) => (StatusCode::OK, Some(*status)),
            FaultAbortKind::Header => header_abort(head)?,
        };
        let body = if response_body.is_empty() { "fault filter abort" } else { response_body };
        Some(Reply {
            body: body.to_owned().into(),
            reason: Some(Reason::FaultInjected),
            grpc_status,
            ..Reply::status(status, "fault_filter_abort")
        })
    }

    /// KiB per second of the response.
    #[must_use]
    pub fn limit(&self, head: &RequestHead, random: u64) -> Option<u64> {
        let FaultRateLimit { percentage, kbps } = self.limit?;
        let percentage = match kbps {
            Some(_) => percentage,
            None => asked(percentage, head, "x-envoy-fault-throughput-response-percentage"),
        };
        if !percentage.contains(random) {
            return None;
        }
        kbps.or_else(|| number(head, "x-envoy-fault-throughput-response")).filter(|kbps| *kbps > 0)
    }

    /// A place among the requests with a fault; `None` if there are enough.
    #[must_use]
    pub fn enter(&self, stats: &Arc<Counters<FaultMetric>>) -> Option<Active> {
        let max = self.active_max.unwrap_or(u64::MAX);
        let enter = |active: u64| (active < max).then_some(active + 1);
        if self.active.fetch_update(Ordering::Relaxed, Ordering::Relaxed, enter).is_err() {
            stats.inc(FaultMetric::FaultsOverflow);
            return None;
        }
        stats.inc(FaultMetric::ActiveFaults);
        Some(Active { active: Arc::clone(&self.active), stats: Arc::clone(stats) })
    }
}

/// The share that a request asks for, at most the configured one.
fn asked(percentage: Fraction, head: &RequestHead, name: &str) -> Fraction {
    match number(head, name).and_then(|asked| u32::try_from(asked).ok()) {
        Some(asked) => Fraction { numerator: asked.min(percentage.numerator), ..percentage },
        None => percentage,
    }
}

fn number(head: &RequestHead, name: &str) -> Option<u64> {
    facts::text(&head.headers, name)?.parse().ok()
}

fn header_abort(head: &RequestHead) -> Option<(StatusCode, Option<u32>)> {
    let status = number(head, "x-envoy-fault-abort-request").filter(|status| (200..600).contains(status));
    let status = status.and_then(|status| StatusCode::from_u16(u16::try_from(status).ok()?).ok());
    if let Some(status) = status {
        return Some((status, None));
    }
    let grpc = number(head, "x-envoy-fault-abort-grpc-request")?;
    Some((StatusCode::OK, Some(u32::try_from(grpc).ok()?)))
}
