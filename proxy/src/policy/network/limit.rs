//! How many connections of a chain may be open (`envoy.filters.network.connection_limit`).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use xds::model::{self, RuntimeSwitch};

use crate::observe::metrics::{Counters, Kind, Metric, MetricSet, Scope};
use crate::policy::http::Shared;

/// What is counted.
#[derive(Debug, Clone, Copy)]
enum LimitMetric {
    Active,
    Limited,
}

impl MetricSet for LimitMetric {
    const METRICS: &'static [Metric] = &[
        Metric { name: "active_connections", kind: Kind::Gauge, help: "Connections that the limit counts." },
        Metric { name: "limited_connections", kind: Kind::Counter, help: "Connections over the limit." },
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// The limit; all workers share it.
#[derive(Debug)]
pub(super) struct OpenLimit {
    max: u64,
    delay: Duration,
    enabled: RuntimeSwitch,
    open: AtomicU64,
    stats: Arc<Counters<LimitMetric>>,
}

/// A connection in the count.
#[derive(Debug)]
pub(super) struct Place(Arc<OpenLimit>);

impl OpenLimit {
    pub(super) fn new(model: &model::ConnectionLimit, shared: &Shared) -> Self {
        let model::ConnectionLimit { stat_prefix, max_connections, delay, enabled } = model;
        let scope = Scope::new("connection_limit", "envoy_connection_limit_prefix", stat_prefix.as_str());
        let stats = shared.counters(scope);
        Self {
            max: *max_connections,
            delay: *delay,
            enabled: enabled.clone(),
            open: AtomicU64::new(0),
            stats,
        }
    }

    pub(super) fn enabled(&self) -> &RuntimeSwitch {
        &self.enabled
    }

    /// A place for one more connection. One that is refused counts until it is closed, as in Envoy.
    pub(super) fn enter(self: &Arc<Self>) -> Result<Place, Refusal> {
        self.stats.inc(LimitMetric::Active);
        let before = self.open.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(self));
        if before < self.max {
            return Ok(place);
        }
        self.stats.inc(LimitMetric::Limited);
        Err(Refusal { delay: self.delay, _place: Some(place) })
    }
}

/// A connection that is not let in. Keep it until the connection is closed: it counts as open until then.
#[derive(Debug)]
pub struct Refusal {
    delay: Duration,
    _place: Option<Place>,
}

impl Refusal {
    pub(super) fn at_once() -> Self {
        Self { delay: Duration::ZERO, _place: None }
    }

    /// How long the connection is kept, unread.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.delay
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
        self.0.stats.dec(LimitMetric::Active);
    }
}
