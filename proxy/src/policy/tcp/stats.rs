//! Metrics of TCP proxies (`tcp.STAT_PREFIX.`), by Envoy's names.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::observe::metrics::{Counters, Kind, Metric, MetricSet, Registry, Scope};

/// The metrics.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum TcpMetric {
    CxTotal,
    CxActive,
    CxNoRoute,
    CxRxBytesTotal,
    CxTxBytesTotal,
    IdleTimeout,
    MaxDuration,
}

impl MetricSet for TcpMetric {
    const METRICS: &'static [Metric] = &[
        counter("downstream_cx_total", "Connections handed to the proxy."),
        Metric { name: "downstream_cx_active", kind: Kind::Gauge, help: "Connections open." },
        counter("downstream_cx_no_route", "Connections whose cluster does not exist."),
        counter("downstream_cx_rx_bytes_total", "Bytes received from clients."),
        counter("downstream_cx_tx_bytes_total", "Bytes sent to clients."),
        counter("idle_timeout", "Connections closed because nobody sent anything."),
        counter("max_downstream_connection_duration", "Connections closed because they lasted too long."),
    ];

    fn index(self) -> usize {
        self as usize
    }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help }
}

/// The metrics of every `stat_prefix` in use.
#[derive(Debug)]
pub struct TcpScopes {
    registry: Arc<Registry>,
    known: Mutex<HashMap<String, Weak<Counters<TcpMetric>>>>,
}

impl TcpScopes {
    /// Metrics are shown in `registry`.
    #[must_use]
    pub fn new(registry: Arc<Registry>) -> Self {
        Self { registry, known: Mutex::default() }
    }

    /// The metrics of `stat_prefix`: the same as long as anyone holds them, so that a swap resets nothing.
    #[must_use]
    pub fn stats(&self, stat_prefix: &str) -> Arc<Counters<TcpMetric>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stats) = known.get(stat_prefix).and_then(Weak::upgrade) {
            return stats;
        }
        let stats = Arc::new(Counters::new());
        let scope = Scope::new("tcp", "envoy_tcp_prefix", stat_prefix);
        self.registry.add_counters(scope, &stats);
        known.retain(|_, stats| stats.strong_count() > 0);
        known.insert(stat_prefix.to_owned(), Arc::downgrade(&stats));
        stats
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_prefix_has_one_set_of_counters() {
        let registry = Arc::new(Registry::default());
        let scopes = TcpScopes::new(Arc::clone(&registry));
        let (first, again, other) = (scopes.stats("a"), scopes.stats("a"), scopes.stats("b"));
        first.inc(TcpMetric::CxTotal);
        assert_eq!((again.get(TcpMetric::CxTotal), other.get(TcpMetric::CxTotal)), (1, 0));
        assert_eq!(registry.samples().len(), 2 * TcpMetric::METRICS.len());
    }
}
