//! Circuit breakers: how much of a cluster may be in use at once, by routing priority.
//!
//! Counts are shared by all workers. One rule: whoever uses something holds a permit, and dropping the permit
//! gives it back, so that no early return can leak.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use xds::model::{RoutingPriority, Thresholds};

use super::stats::ClusterMetric;
use crate::error::{Error, Reason};
use crate::observe::metrics::Counters;

/// The breakers of a cluster at one routing priority.
#[derive(Debug)]
pub struct Circuit {
    thresholds: Thresholds,
    gates: [Gate; 4],
    stats: Arc<Counters<ClusterMetric>>,
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
    open: ClusterMetric,
    remaining: ClusterMetric,
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
    /// The breakers of `priority`, nothing in use.
    #[must_use]
    pub fn new(
        priority: RoutingPriority,
        thresholds: Thresholds,
        stats: Arc<Counters<ClusterMetric>>,
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
        let gates = metrics.map(|(open, remaining)| Gate { in_use: AtomicU64::new(0), open, remaining });
        let circuit = Self { thresholds, gates, stats };
        for resource in Resource::ALL {
            let limit = circuit.fixed_limit(resource);
            if circuit.thresholds.track_remaining {
                circuit.stats.add(circuit.gate(resource).remaining, limit);
            }
            if limit == 0 {
                circuit.stats.inc(circuit.gate(resource).open);
            }
        }
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
        if before + 1 == self.fixed_limit(resource) {
            self.stats.inc(gate.open);
        }
        if self.thresholds.track_remaining && before < self.fixed_limit(resource) {
            self.stats.dec(gate.remaining);
        }
        Permit { circuit: Arc::clone(self), resource }
    }

    fn leave(&self, resource: Resource) {
        let gate = self.gate(resource);
        let before = gate.in_use.fetch_sub(1, Ordering::Relaxed);
        if before == self.fixed_limit(resource) {
            self.stats.dec(gate.open);
        }
        if self.thresholds.track_remaining && before <= self.fixed_limit(resource) {
            self.stats.inc(gate.remaining);
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

    /// The limit as configured; a retry budget's floor, for the metrics.
    fn fixed_limit(&self, resource: Resource) -> u64 {
        let thresholds = &self.thresholds;
        u64::from(match resource {
            Resource::Connections => thresholds.max_connections,
            Resource::Pending => thresholds.max_pending_requests,
            Resource::Requests => thresholds.max_requests,
            Resource::Retries => {
                thresholds.retry_budget.map_or(thresholds.max_retries, |budget| budget.min_retry_concurrency)
            }
        })
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
    use xds::model::RetryBudget;

    use super::*;

    fn circuit(thresholds: Thresholds) -> (Arc<Circuit>, Arc<Counters<ClusterMetric>>) {
        let stats = Arc::new(Counters::new());
        (Circuit::new(RoutingPriority::Default, thresholds, Arc::clone(&stats)), stats)
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
