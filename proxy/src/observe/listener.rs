//! What is counted for a listener, under Envoy's names (`listener.ADDRESS.*`).

use std::sync::Arc;

use super::metrics::{Counters, Kind, Metric, MetricSet, Registry, Scope};

/// The metrics of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerMetric {
    /// Connections accepted.
    CxTotal,
    /// Connections open.
    CxActive,
    /// Connections closed.
    CxDestroy,
    /// Connections closed because a limit was reached.
    CxOverflow,
    /// Listener filters that did not finish in time.
    PreCxTimeout,
    /// Listener filters that refused a connection.
    PreCxError,
    /// Connections that matched no chain.
    NoFilterChainMatch,
    /// TLS handshakes done.
    SslHandshake,
    /// TLS handshakes failed.
    SslConnectionError,
    /// TLS handshakes that took too long.
    SslHandshakeTimeout,
    /// Accepts the system refused.
    AcceptError,
    /// Connections closed by a bug here.
    CxPanicked,
    /// Datagrams that are too long.
    UdpRxDatagramDropped,
}

impl MetricSet for ListenerMetric {
    const METRICS: &'static [Metric] = &[
        Metric { name: "downstream_cx_total", kind: Kind::Counter, help: "Connections accepted." },
        Metric { name: "downstream_cx_active", kind: Kind::Gauge, help: "Connections open." },
        Metric { name: "downstream_cx_destroy", kind: Kind::Counter, help: "Connections closed." },
        Metric { name: "downstream_cx_overflow", kind: Kind::Counter, help: "Connections over a limit." },
        Metric {
            name: "downstream_pre_cx_timeout",
            kind: Kind::Counter,
            help: "Listener filters out of time.",
        },
        Metric {
            name: "downstream_pre_cx_error",
            kind: Kind::Counter,
            help: "Listener filters that refused.",
        },
        Metric { name: "no_filter_chain_match", kind: Kind::Counter, help: "Connections without a chain." },
        Metric { name: "ssl.handshake", kind: Kind::Counter, help: "TLS handshakes done." },
        Metric { name: "ssl.connection_error", kind: Kind::Counter, help: "TLS handshakes failed." },
        Metric { name: "ssl.handshake_timeout", kind: Kind::Counter, help: "TLS handshakes out of time." },
        Metric { name: "downstream_accept_error", kind: Kind::Counter, help: "Accepts the system refused." },
        Metric {
            name: "downstream_cx_panicked",
            kind: Kind::Counter,
            help: "Connections closed by a bug here.",
        },
        Metric {
            name: "udp.downstream_rx_datagram_dropped",
            kind: Kind::Counter,
            help: "Datagrams that are too long.",
        },
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// A listener's counters.
#[derive(Debug)]
pub struct ListenerStats {
    counters: Arc<Counters<ListenerMetric>>,
}

impl ListenerStats {
    /// Counters shown in `registry` under the listener's name as long as they live.
    #[must_use]
    pub fn register(name: &str, registry: &Registry) -> Self {
        let counters = Arc::new(Counters::new());
        let scope = Scope::new("listener", "envoy_listener_address", name);
        registry.add_counters(scope, &counters);
        Self { counters }
    }

    /// The counters.
    #[must_use]
    pub fn counters(&self) -> &Arc<Counters<ListenerMetric>> {
        &self.counters
    }
}
