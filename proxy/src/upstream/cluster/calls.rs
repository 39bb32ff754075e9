//! gRPC calls of a cluster, counted by method (`cluster.NAME.grpc.*`).
//!
//! One rule: so many methods have counts of their own, and the others share those of the cluster.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;

use crate::limits::GRPC_METHODS_MAX;
use crate::observe::metrics::{Counters, Histogram, Kind, Metric, MetricSet, Registry, Sample, Scope, Value};

/// What is counted of calls; the statuses are those of gRPC, 0 to 16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum CallMetric {
    Success,
    Failure,
    Total,
    RequestMessages,
    ResponseMessages,
    Status(u8),
}

/// gRPC's highest status.
const STATUS_MAX: u8 = 16;
const STATUS_HELP: &str = "Calls that ended with this status.";

impl MetricSet for CallMetric {
    const METRICS: &'static [Metric] = &[
        counter("success", "Calls that ended with status 0."),
        counter("failure", "Calls that ended with another status."),
        counter("total", "Calls that ended with a status."),
        counter("request_message_count", "Messages of requests."),
        counter("response_message_count", "Messages of responses."),
        counter("0", STATUS_HELP),
        counter("1", STATUS_HELP),
        counter("2", STATUS_HELP),
        counter("3", STATUS_HELP),
        counter("4", STATUS_HELP),
        counter("5", STATUS_HELP),
        counter("6", STATUS_HELP),
        counter("7", STATUS_HELP),
        counter("8", STATUS_HELP),
        counter("9", STATUS_HELP),
        counter("10", STATUS_HELP),
        counter("11", STATUS_HELP),
        counter("12", STATUS_HELP),
        counter("13", STATUS_HELP),
        counter("14", STATUS_HELP),
        counter("15", STATUS_HELP),
        counter("16", STATUS_HELP),
    ];

    fn index(self) -> usize {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Total => 2,
            Self::RequestMessages => 3,
            Self::ResponseMessages => 4,
            Self::Status(status) => 5 + usize::from(status.min(STATUS_MAX)),
        }
    }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help }
}

/// The counts of one method, or of all that have none of their own.
#[derive(Debug)]
pub struct Call {
    scope: Arc<Scope>,
    counters: Counters<CallMetric>,
    /// Milliseconds from a request's last byte to its response's, once one was measured.
    time: OnceLock<Histogram>,
}

impl Call {
    fn new(scope: Scope) -> Arc<Self> {
        Arc::new(Self { scope: Arc::new(scope), counters: Counters::new(), time: OnceLock::new() })
    }

    /// Adds `amount`.
    pub fn add(&self, metric: CallMetric, amount: u64) {
        self.counters.add(metric, amount);
    }

    /// A call has ended with `status`, as it stands in the response.
    pub fn end(&self, status: &[u8]) {
        let known = std::str::from_utf8(status).ok().and_then(|text| text.parse().ok());
        if let Some(status) = known.filter(|status| *status <= STATUS_MAX) {
            self.add(CallMetric::Status(status), 1);
        }
        self.add(if status == b"0" { CallMetric::Success } else { CallMetric::Failure }, 1);
        self.add(CallMetric::Total, 1);
    }

    /// The upstream took `time`.
    pub fn took(&self, time: Duration) {
        self.time.get_or_init(Histogram::new).record(time);
    }

    fn collect(&self, out: &mut Vec<Sample>) {
        Sample::collect(&self.scope, &self.counters, out);
        if let Some(time) = self.time.get() {
            let (scope, name) = (Arc::clone(&self.scope), "upstream_rq_time");
            let help = "Milliseconds from a call's last byte to its response's.";
            out.push(Sample { scope, name, help, value: Value::Histogram(Box::new(time.sum())) });
        }
    }
}

/// The calls of a cluster.
#[derive(Debug)]
pub struct Calls {
    scope: Scope,
    /// By `service/method`; empty for those that have none of their own. Read without a lock, replaced under one.
    known: ArcSwap<HashMap<Box<str>, Arc<Call>, RandomState>>,
    adding: Mutex<()>,
}

impl Calls {
    /// None yet; they are shown in `registry` under the cluster's `scope`.
    pub(super) fn new(scope: Scope, registry: &Registry) -> Arc<Self> {
        let calls = Arc::new(Self { scope, known: ArcSwap::default(), adding: Mutex::default() });
        registry.add_source(&calls, |calls, out| {
            calls.known.load().values().for_each(|call| call.collect(out));
        });
        calls
    }

    /// The counts of a method; without one, or when there are too many, those that methods share.
    #[must_use]
    pub fn of(&self, method: Option<(&str, &str)>) -> Arc<Call> {
        let key = method.map_or_else(String::new, |(service, method)| format!("{service}/{method}"));
        match self.known.load().get(key.as_str()) {
            Some(call) => Arc::clone(call),
            None => self.add(&key, method),
        }
    }

    fn add(&self, key: &str, method: Option<(&str, &str)>) -> Arc<Call> {
        let adding = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.known.load();
        if let Some(call) = known.get(key) {
            return Arc::clone(call);
        }
        if method.is_some() && known.len() >= GRPC_METHODS_MAX {
            drop(adding);
            return self.of(None);
        }
        let scope = self.scope.clone().part("grpc");
        let call = Call::new(match method {
            None => scope,
            Some((service, method)) => scope
                .labelled("envoy_grpc_bridge_service", service)
                .labelled("envoy_grpc_bridge_method", method),
        });
        let mut next = HashMap::clone(&known);
        next.insert(key.into(), Arc::clone(&call));
        self.known.store(Arc::new(next));
        call
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls() -> (Registry, Arc<Calls>) {
        let registry = Registry::default();
        let calls = Calls::new(Scope::new("cluster", "envoy_cluster_name", "c"), &registry);
        (registry, calls)
    }

    fn shown(registry: &Registry) -> Vec<(String, u64)> {
        let value = |sample: &Sample| match sample.value {
            Value::Counter(value) | Value::Gauge(value) => value,
            Value::Histogram(ref sum) => sum.count(),
        };
        let samples = registry.samples();
        let mut shown: Vec<_> =
            samples.iter().filter(|sample| value(sample) > 0).map(|it| (it.dotted(), value(it))).collect();
        shown.sort();
        shown
    }

    #[test]
    fn a_status_counts_for_its_method() {
        let (registry, calls) = calls();
        calls.of(Some(("shop.Cart", "Add"))).end(b"0");
        calls.of(Some(("shop.Cart", "Add"))).end(b"5");
        calls.of(None).end(b"99");
        let expected = [
            ("cluster.c.grpc.failure", 1),
            ("cluster.c.grpc.shop.Cart.Add.0", 1),
            ("cluster.c.grpc.shop.Cart.Add.5", 1),
            ("cluster.c.grpc.shop.Cart.Add.failure", 1),
            ("cluster.c.grpc.shop.Cart.Add.success", 1),
            ("cluster.c.grpc.shop.Cart.Add.total", 2),
            ("cluster.c.grpc.total", 1),
        ];
        assert_eq!(shown(&registry), expected.map(|(name, value)| (name.to_owned(), value)));
    }

    #[test]
    fn methods_beyond_the_limit_share_the_clusters_counts() {
        let (registry, calls) = calls();
        for number in 0..GRPC_METHODS_MAX + 50 {
            calls.of(Some(("s", &format!("m{number}")))).add(CallMetric::RequestMessages, 1);
        }
        let shown = shown(&registry);
        assert_eq!(shown.len(), GRPC_METHODS_MAX + 1, "each method once, and those that share");
        assert!(shown.contains(&("cluster.c.grpc.request_message_count".to_owned(), 50)));
    }

    #[test]
    fn a_time_is_shown_once_there_is_one() {
        let (registry, calls) = calls();
        let call = calls.of(None);
        assert!(shown(&registry).is_empty());
        call.took(Duration::from_millis(3));
        assert_eq!(shown(&registry), [("cluster.c.grpc.upstream_rq_time".to_owned(), 1)]);
    }
}
