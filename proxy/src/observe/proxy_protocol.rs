//! What is counted of PROXY protocol headers on listeners (`proxy_proto.`), by Envoy's names.

use super::metrics::{Kind, Metric, MetricSet};

/// The metrics.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum ProxyProtocolMetric {
    NotFoundDisallowed,
    NotFoundAllowed,
    V1Found,
    V1Disallowed,
    V1Error,
    V2Found,
    V2Disallowed,
    V2Error,
}

impl MetricSet for ProxyProtocolMetric {
    const METRICS: &'static [Metric] = &[
        counter("not_found_disallowed", "Connections without a header, closed."),
        counter("not_found_allowed", "Connections without a header, served."),
        counter("versions.v1.found", "Headers of version 1."),
        counter("versions.v1.disallowed", "Headers of version 1 that are not wanted."),
        counter("versions.v1.error", "Headers of version 1 that are broken."),
        counter("versions.v2.found", "Headers of version 2."),
        counter("versions.v2.disallowed", "Headers of version 2 that are not wanted."),
        counter("versions.v2.error", "Headers of version 2 that are broken."),
    ];

    fn index(self) -> usize {
        self as usize
    }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help }
}
