//! Metrics of UDP proxies (`udp.STAT_PREFIX.`), by Envoy's names.

use crate::observe::metrics::{Kind, Metric, MetricSet};

/// The metrics.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum UdpMetric {
    SessTotal,
    SessActive,
    SessNoRoute,
    RxBytes,
    RxDatagrams,
    RxErrors,
    TxBytes,
    TxDatagrams,
    TxErrors,
    IdleTimeout,
}

impl MetricSet for UdpMetric {
    const METRICS: &'static [Metric] = &[
        counter("downstream_sess_total", "Sessions begun."),
        Metric { name: "downstream_sess_active", kind: Kind::Gauge, help: "Sessions open." },
        counter("downstream_sess_no_route", "Datagrams whose cluster does not exist."),
        counter("downstream_sess_rx_bytes", "Bytes received from clients."),
        counter("downstream_sess_rx_datagrams", "Datagrams received from clients."),
        counter("downstream_sess_rx_errors", "Errors while receiving from clients."),
        counter("downstream_sess_tx_bytes", "Bytes sent to clients."),
        counter("downstream_sess_tx_datagrams", "Datagrams sent to clients."),
        counter("downstream_sess_tx_errors", "Errors while sending to clients."),
        counter("idle_timeout", "Sessions ended because nobody sent anything."),
    ];

    fn index(self) -> usize {
        self as usize
    }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help }
}
