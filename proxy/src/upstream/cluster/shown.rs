//! Under which names a cluster's metrics are shown.

use std::sync::Arc;

use xds::model;

use super::super::stats::ClusterMetric;
use super::durations::ClusterHistograms;
use crate::observe::metrics::{Counters, Registry, Scope};

/// Under which name its metrics stand.
pub(super) fn scope(model: &model::Cluster) -> Scope {
    let name = if model.alt_stat_name.is_empty() { model.name.as_str() } else { &model.alt_stat_name };
    Scope::new("cluster", "envoy_cluster_name", name)
}

/// Shows them.
pub(super) fn register(
    model: &model::Cluster,
    registry: &Registry,
    stats: &Arc<Counters<ClusterMetric>>,
    histograms: &ClusterHistograms,
) {
    registry.add_counters(scope(model), stats);
    for (name, help, histogram) in [
        ("upstream_rq_time", "From a request's start to its response's end.", &histograms.upstream_rq_time),
        (
            "upstream_cx_connect_ms",
            "From a connection's start to its being established.",
            &histograms.upstream_cx_connect_ms,
        ),
        ("upstream_cx_length_ms", "From a connection's start to its end.", &histograms.upstream_cx_length_ms),
    ] {
        registry.add_histogram(scope(model), name, help, histogram);
    }
}
