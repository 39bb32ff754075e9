//! What is counted about control planes, under Envoy's name `control_plane.*`.

use std::sync::Arc;

use super::metrics::{Counters, Kind, Metric, MetricSet, Registry, Scope};

/// The metrics of the connection to control planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlPlaneMetric {
    /// Streams that are connected.
    Connected,
    /// Streams opened.
    Connects,
    /// Responses received.
    Updates,
    /// Resources refused.
    ResourcesRejected,
}

impl MetricSet for ControlPlaneMetric {
    const METRICS: &'static [Metric] = &[
        Metric { name: "connected_state", kind: Kind::Gauge, help: "Whether a control plane is connected." },
        Metric { name: "connects", kind: Kind::Counter, help: "Streams opened." },
        Metric { name: "updates", kind: Kind::Counter, help: "Responses received." },
        Metric { name: "resources_rejected", kind: Kind::Counter, help: "Resources refused." },
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// The counters, and whether a stream is connected.
#[derive(Debug)]
pub struct ControlPlaneStats {
    counters: Arc<Counters<ControlPlaneMetric>>,
}

impl ControlPlaneStats {
    /// Counters shown in `registry` as long as they live.
    #[must_use]
    pub fn register(registry: &Registry) -> Self {
        let counters = Arc::new(Counters::new());
        registry.add_counters(Scope::new("control_plane", "", ""), &counters);
        Self { counters }
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &Counters<ControlPlaneMetric> {
        &self.counters
    }

    /// Notes whether a control plane answers.
    pub fn set_connected(&self, connected: bool) {
        match (connected, self.counters.get(ControlPlaneMetric::Connected)) {
            (true, 0) => self.counters.inc(ControlPlaneMetric::Connected),
            (false, 1..) => self.counters.dec(ControlPlaneMetric::Connected),
            (true, _) | (false, _) => {}
        }
    }
}
