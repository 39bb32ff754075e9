//! Circuit breakers: how much of a cluster may be in use at once, by routing priority.
//!
//! Counts are shared by all workers. One rule: whoever uses something holds a permit, and dropping the permit
//! gives it back, so that no early return can leak. The limits are the configuration's, or what the runtime keys
//! `circuit_breakers.<cluster>.<priority>.max_…` say instead.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use xds::model::{RoutingPriority, Thresholds};

use super::stats::ClusterMetric;
use crate::error::{Error, Reason};
use crate::observe::metrics::Counters;
use crate::runtime::LiveRuntime;

/// The breakers of a cluster at one routing priority.
#[derive(Debug)]
pub struct Circuit {
    thresholds: Thresholds,
    gates: [Gate; 4],
    stats: Arc<Counters<ClusterMetric>>,
    runtime: Arc<LiveRuntime>,
    /// Which runtime values the limits were made with.
    generation: AtomicU64,
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resource {
    Connections,
    Pending,
    Requests,
    Retries,
}

#[derive(Debug)]
struct Gate {
    in_use: AtomicU64,
    limit: AtomicU64,
    key: String,
    open: ClusterMetric,
    remaining: ClusterMetric,
    /// What the metrics show.
    shown_open: AtomicBool,
    shown_remaining: AtomicU64,
}

/// Something of a circuit in use; given back when dropped.
#[derive(Debug)]
#[must_use = "dropping a permit gives it back"]
pub struct Permit {
    circuit: Arc<Circuit>,
    resource: Resource,
}

/// A retry in progress; given back when dropped, which is when the retried attempt has its response.
#[derive(Debug)]
#[must_use = "dropping a permit gives it back"]
pub struct RetryPermit {
    _permit: Permit,
}

impl Circuit {
    /// The breakers of a cluster for `priority`, nothing in use.
    #[must_use]
    pub fn new(
        cluster: &str,
        priority: RoutingPriority,
        thresholds: Thresholds,
        stats: Arc<Counters<ClusterMetric>>,
        runtime: Arc<LiveRuntime>,
    ) -> Arc<Self> {
        use ClusterMetric as M;
        let metrics = match priority {
            RoutingPriority::Default => [
                (M::DefaultCxOpen, M::DefaultRemainingCx),
                (M::DefaultRqPendingOpen, M::DefaultRemainingPending),
                (M::DefaultRqOpen, M::DefaultRemainingRq),
                (M::DefaultRqRetryOpen, M::DefaultRemainingRetries),
            ],
            RoutingPriority::High => [
                (M::HighCxOpen, M::HighRemainingCx),
                (M::HighRqPendingOpen, M::HighRemainingPending),
                (M::HighRqOpen, M::HighRemainingRq),
                (M::HighRqRetryOpen, M::HighRemainingRetries),
            ],
        };
        let name = match priority {
            RoutingPriority::Default => "default",
            RoutingPriority::High => "high",
        };
        let gates = Resource::ALL.map(|resource| {
            let (open, remaining) = metrics[resource as usize];
            Gate {
                in_use: AtomicU64::new(0),
                limit: AtomicU64::new(0),
                key: format!("circuit_breakers.{cluster}.{name}.{}", resource.key()),
                open,
                remaining,
                shown_open: AtomicBool::new(false),
                shown_remaining: AtomicU64::new(0),
            }
        });
        let generation = AtomicU64::new(runtime.generation());
        let circuit = Self { thresholds, gates, stats, runtime, generation };
        circuit.set_limits();
        Arc::new(circuit)
    }

    /// Takes a connection.
    ///
    /// # Errors
    /// `Overflow` when `max_connections` are open.
    pub fn try_connection(self: &Arc<Self>) -> Result<Permit, Error> {
        self.take(Resource::Connections).inspect_err(|_| self.stats.inc(ClusterMetric::UpstreamCxOverflow))
    }

    /// Takes a connection even past the limit: the first of a pool, without which its requests would wait for
    /// connections that nobody opens.
    pub fn force_connection(self: &Arc<Self>) -> Permit {
        self.enter(Resource::Connections)
    }

    /// Takes a place in the queue for a connection.
    ///
    /// # Errors
    /// `Overflow` when `max_pending_requests` wait.
    pub fn try_pending(self: &Arc<Self>) -> Result<Permit, Error> {
        self.take(Resource::Pending).inspect_err(|_| self.stats.inc(ClusterMetric::UpstreamRqPendingOverflow))
    }

    /// Takes a request.
    ///
    /// # Errors
    /// `Overflow` when `max_requests` are in flight.
    pub fn try_request(self: &Arc<Self>) -> Result<Permit, Error> {
        self.take(Resource::Requests)
            .inspect_err(|_| self.stats.inc(ClusterMetric::UpstreamRqPendingOverflow))
    }

    /// Takes a retry, and counts it (`upstream_rq_retry`, `upstream_rq_retry_overflow`).
    ///
    /// # Errors
    /// `Overflow` when `max_retries`, or the retry budget, is spent.
    pub fn try_retry(self: &Arc<Self>) -> Result<RetryPermit, Error> {
        match self.take(Resource::Retries) {
            Ok(permit) => {
                self.stats.inc(ClusterMetric::UpstreamRqRetry);
                Ok(RetryPermit { _permit: permit })
            }
            Err(error) => {
                self.stats.inc(ClusterMetric::UpstreamRqRetryOverflow);
                Err(error)
            }
        }
    }

    /// Requests in flight.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.in_use(Resource::Requests)
    }

    /// Connections open.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.in_use(Resource::Connections)
    }

    fn take(self: &Arc<Self>, resource: Resource) -> Result<Permit, Error> {
        if self.in_use(resource) >= self.limit(resource) {
            return Err(Error::new(Reason::Overflow, resource.overflow()));
        }
        // Two workers may both see the last place: one too many for a moment is Envoy's behaviour as well, and
        // cheaper than a compare-and-swap loop on every request.
        Ok(self.enter(resource))
    }

    fn enter(self: &Arc<Self>, resource: Resource) -> Permit {
        let gate = self.gate(resource);
        let before = gate.in_use.fetch_add(1, Ordering::Relaxed);
        self.show(gate, before + 1);
        Permit { circuit: Arc::clone(self), resource }
    }

    fn leave(&self, resource: Resource) {
        let gate = self.gate(resource);
        let before = gate.in_use.fetch_sub(1, Ordering::Relaxed);
        self.show(gate, before - 1);
    }

    /// Makes the metrics say what is so. Two workers may do it in the wrong order; the next one puts it right.
    fn show(&self, gate: &Gate, in_use: u64) {
        let limit = gate.limit.load(Ordering::Relaxed);
        let open = in_use >= limit;
        if gate.shown_open.load(Ordering::Relaxed) != open
            && gate.shown_open.swap(open, Ordering::Relaxed) != open
        {
            if open { self.stats.inc(gate.open) } else { self.stats.dec(gate.open) }
        }
        if self.thresholds.track_remaining {
            let remaining = limit.saturating_sub(in_use);
            let before = gate.shown_remaining.swap(remaining, Ordering::Relaxed);
            self.stats.add(gate.remaining, remaining.wrapping_sub(before));
        }
    }

    /// Takes the limits over from the configuration, or from what runtime values say.
    fn set_limits(&self) {
        let runtime = self.runtime.load();
        for resource in Resource::ALL {
            let gate = self.gate(resource);
            let limit = match (resource, self.thresholds.retry_budget) {
                // A retry budget's floor, for the metrics.
                (Resource::Retries, Some(budget)) => budget.min_retry_concurrency.into(),
                _ => runtime.integer(&gate.key, self.configured(resource).into()),
            };
            gate.limit.store(limit, Ordering::Relaxed);
            self.show(gate, gate.in_use.load(Ordering::Relaxed));
        }
    }

    fn in_use(&self, resource: Resource) -> u64 {
        self.gate(resource).in_use.load(Ordering::Relaxed)
    }

    fn gate(&self, resource: Resource) -> &Gate {
        &self.gates[resource as usize]
    }

    fn limit(&self, resource: Resource) -> u64 {
        match (resource, self.thresholds.retry_budget) {
            (Resource::Retries, Some(budget)) => retries_allowed(
                budget.budget_percent,
                budget.min_retry_concurrency,
                self.in_use(Resource::Requests) + self.in_use(Resource::Pending),
            ),
            _ => self.fixed_limit(resource),
        }
    }

    /// The limit that does not depend on what is in use.
    fn fixed_limit(&self, resource: Resource) -> u64 {
        let generation = self.runtime.generation();
        if self.generation.load(Ordering::Relaxed) != generation {
            self.set_limits();
            self.generation.store(generation, Ordering::Relaxed);
        }
        self.gate(resource).limit.load(Ordering::Relaxed)
    }

    fn configured(&self, resource: Resource) -> u32 {
        match resource {
            Resource::Connections => self.thresholds.max_connections,
            Resource::Pending => self.thresholds.max_pending_requests,
            Resource::Requests => self.thresholds.max_requests,
            Resource::Retries => self.thresholds.max_retries,
        }
    }
}

/// Retries that a budget of `percent` of the `active` requests allows, but `minimum` always.
#[must_use]
pub fn retries_allowed(percent: f64, minimum: u32, active: u64) -> u64 {
    let share = percent / 100.0 * active as f64;
    (share as u64).max(u64::from(minimum))
}

impl Resource {
    const ALL: [Self; 4] = [Self::Connections, Self::Pending, Self::Requests, Self::Retries];

    /// As the runtime keys call it.
    fn key(self) -> &'static str {
        match self {
            Self::Connections => "max_connections",
            Self::Pending => "max_pending_requests",
            Self::Requests => "max_requests",
            Self::Retries => "max_retries",
        }
    }

    fn overflow(self) -> &'static str {
        match self {
            Self::Connections => "circuit breaker: max_connections reached",
            Self::Pending => "circuit breaker: max_pending_requests reached",
            Self::Requests => "circuit breaker: max_requests reached",
            Self::Retries => "circuit breaker: max_retries or the retry budget reached",
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.circuit.leave(self.resource);
    }
}

#[cfg(test)]
mod tests {
    use xds::model::{RetryBudget, RuntimeLayer, RuntimeSource};

    use super::*;

    fn circuit(thresholds: Thresholds) -> (Arc<Circuit>, Arc<Counters<ClusterMetric>>) {
        circuit_with(thresholds, Arc::default())
    }

    fn circuit_with(
        thresholds: Thresholds,
        runtime: Arc<LiveRuntime>,
    ) -> (Arc<Circuit>, Arc<Counters<ClusterMetric>>) {
        let stats = Arc::new(Counters::new());
        (Circuit::new("c", RoutingPriority::Default, thresholds, Arc::clone(&stats), runtime), stats)
    }

    #[test]
    fn a_runtime_value_stands_in_for_a_limit_while_it_is_set() {
        let admin = RuntimeLayer { name: "a".to_owned(), source: RuntimeSource::Admin };
        let live = Arc::new(LiveRuntime::new(&[admin]));
        let set = |text: &str| {
            let key = "circuit_breakers.c.default.max_requests".to_owned();
            live.modify(&[(key, text.to_owned())].into()).unwrap();
        };
        let thresholds = Thresholds { max_requests: 2, track_remaining: true, ..Thresholds::default() };
        let (circuit, stats) = circuit_with(thresholds, Arc::clone(&live));
        let first = circuit.try_request().unwrap();
        set("1");
        assert!(circuit.try_request().is_err(), "one is in use, and one is the limit");
        assert_eq!(stats.get(ClusterMetric::DefaultRqOpen), 1, "and the breaker shows as open");
        assert_eq!(stats.get(ClusterMetric::DefaultRemainingRq), 0);
        set("5");
        drop(circuit.try_request().unwrap());
        assert_eq!(stats.get(ClusterMetric::DefaultRqOpen), 0, "and closed");
        assert_eq!(stats.get(ClusterMetric::DefaultRemainingRq), 4);
        set("");
        let second = circuit.try_request().unwrap();
        assert!(circuit.try_request().is_err(), "the configuration's limit holds again");
        drop((first, second));
        assert_eq!(stats.get(ClusterMetric::DefaultRemainingRq), 2);
    }

    #[test]
    fn a_dropped_permit_makes_room() {
        let (circuit, stats) = circuit(Thresholds { max_requests: 1, ..Thresholds::default() });
        let first = circuit.try_request().unwrap();
        let refused = circuit.try_request().unwrap_err();
        assert_eq!(refused.reason(), Reason::Overflow, "the second of one is refused");
        assert_eq!(stats.get(ClusterMetric::DefaultRqOpen), 1, "the breaker shows as open");
        drop(first);
        assert!(circuit.try_request().is_ok(), "the place is free again");
        assert_eq!(stats.get(ClusterMetric::DefaultRqOpen), 0, "and the breaker closed");
        assert_eq!(stats.get(ClusterMetric::UpstreamRqPendingOverflow), 1, "one overflow was counted");
    }

    #[test]
    fn a_retry_budget_grows_with_the_requests() {
        let budget = RetryBudget { budget_percent: 20.0, min_retry_concurrency: 3 };
        let (circuit, _) = circuit(Thresholds { retry_budget: Some(budget), ..Thresholds::default() });
        let requests: Vec<_> = (0..25).map(|_| circuit.try_request().unwrap()).collect();
        let retries: Vec<_> = (0..10).filter_map(|_| circuit.try_retry().ok()).collect();
        assert_eq!(retries.len(), 5, "20 percent of 25");
        drop((requests, retries));
        let few: Vec<_> = (0..10).filter_map(|_| circuit.try_retry().ok()).collect();
        assert_eq!(few.len(), 3, "the minimum holds without any request");
    }

    #[test]
    fn a_limit_of_zero_lets_nothing_through_and_shows_open_from_the_start() {
        let (circuit, stats) = circuit(Thresholds { max_pending_requests: 0, ..Thresholds::default() });
        assert!(circuit.try_pending().is_err());
        assert_eq!(stats.get(ClusterMetric::DefaultRqPendingOpen), 1);
    }

    #[test]
    fn remaining_is_shown_only_when_tracked() {
        let (_, silent) = circuit(Thresholds::default());
        assert_eq!(silent.get(ClusterMetric::DefaultRemainingCx), 0);
        let (circuit, shown) =
            circuit(Thresholds { max_connections: 2, track_remaining: true, ..Thresholds::default() });
        let one = circuit.try_connection().unwrap();
        let two = circuit.try_connection().unwrap();
        let forced = circuit.force_connection();
        assert_eq!(shown.get(ClusterMetric::DefaultRemainingCx), 0, "never below zero");
        drop((one, forced));
        assert_eq!(shown.get(ClusterMetric::DefaultRemainingCx), 1, "one of two is left");
        drop(two);
        assert_eq!(shown.get(ClusterMetric::DefaultRemainingCx), 2, "all are back");
    }

    #[test]
    fn budgets_by_table() {
        for (percent, minimum, active, want) in
            [(20.0, 3, 0, 3), (20.0, 3, 100, 20), (0.0, 0, 100, 0), (100.0, 3, 7, 7), (50.0, 10, 9, 10)]
        {
            let got = retries_allowed(percent, minimum, active);
            assert_eq!(got, want, "{percent} % of {active}, at least {minimum}");
        }
    }
}
