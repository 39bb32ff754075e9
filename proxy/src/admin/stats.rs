//! `/stats` as Envoy prints it: `cluster.NAME.upstream_rq_total: 5`.

use std::fmt::Write as _;

use crate::observe::metrics::{BUCKETS_MILLIS, HistogramSum, Registry, Sample, Value};

/// What a client asked to see.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// Only names that match.
    pub(super) filter: Option<regex::Regex>,
    /// Only values that are not zero.
    pub(super) used_only: bool,
}

/// One line per metric, sorted by name.
pub(super) fn text(registry: &Registry, selection: &Selection) -> String {
    let mut out = String::new();
    for (name, sample) in selected(registry, selection) {
        // Writing to a String does not fail.
        let _ = match &sample.value {
            Value::Counter(value) | Value::Gauge(value) => writeln!(out, "{name}: {value}"),
            Value::Histogram(sum) => writeln!(out, "{name}: {}", summary(sum)),
        };
    }
    out
}

/// The JSON form of `/stats?format=json`.
pub(super) fn json(registry: &Registry, selection: &Selection) -> serde_json::Value {
    let stats: Vec<_> = selected(registry, selection)
        .into_iter()
        .map(|(name, sample)| match sample.value {
            Value::Counter(value) | Value::Gauge(value) => serde_json::json!({"name": name, "value": value}),
            Value::Histogram(sum) => {
                serde_json::json!({"name": name, "count": sum.count(), "sum_ms": sum.sum_micros as f64 / 1e3})
            }
        })
        .collect();
    serde_json::json!({ "stats": stats })
}

fn selected(registry: &Registry, selection: &Selection) -> Vec<(String, Sample)> {
    let mut all: Vec<_> = registry
        .samples()
        .into_iter()
        .map(|sample| (sample.dotted(), sample))
        .filter(|(name, sample)| {
            selection.filter.as_ref().is_none_or(|filter| filter.is_match(name))
                && (!selection.used_only || is_used(&sample.value))
        })
        .collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    all
}

fn is_used(value: &Value) -> bool {
    match value {
        Value::Counter(value) | Value::Gauge(value) => *value > 0,
        Value::Histogram(sum) => sum.count() > 0,
    }
}

fn summary(sum: &HistogramSum) -> String {
    if sum.count() == 0 {
        return "No recorded values".to_owned();
    }
    let quantile = |share: f64| {
        let rank = (sum.count() as f64 * share).ceil() as u64;
        let mut seen = 0;
        let at = sum.buckets.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        at.and_then(|index| BUCKETS_MILLIS.get(index)).copied().unwrap_or(f64::INFINITY)
    };
    let shares =
        [("P0", 0.0), ("P25", 0.25), ("P50", 0.5), ("P75", 0.75), ("P90", 0.9), ("P99", 0.99), ("P100", 1.0)];
    shares.map(|(name, share)| format!("{name}(<={})", quantile(share))).join(" ")
}
