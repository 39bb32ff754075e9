//! The Prometheus scrape, under the names that Envoy's dashboards know.
//!
//! A counter keeps Envoy's name: no `_total` is appended, so it is encoded by value like a gauge while its type
//! line says counter (text format 0.0.4 allows that, OpenMetrics would not).

use std::collections::{BTreeMap, HashMap};
use std::fmt::{Error, Write as _};
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet, text,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::exemplar::Exemplar;
use prometheus_client::registry::Registry as Exposition;

use crate::observe::metrics::{BUCKETS_MILLIS, HistogramSum, Registry, Sample, Scope, Value};

/// The text of a scrape now.
///
/// # Errors
/// Never in practice: writing to a `String` does not fail.
pub(super) fn scrape(registry: &Arc<Registry>) -> Result<String, Error> {
    let mut exposition = Exposition::with_prefix("envoy");
    exposition.register_collector(Box::new(Scrape(Arc::clone(registry))));
    let mut out = String::new();
    text::encode_registry(&mut out, &exposition)?;
    Ok(out)
}

#[derive(Debug)]
struct Scrape(Arc<Registry>);

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut metrics: BTreeMap<String, Vec<(Sample, Option<char>)>> = BTreeMap::new();
        for sample in self.0.samples() {
            let (name, class) = status_class(sample.name);
            let words = [sample.scope.family, &sample.scope.part, &name];
            let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
            let full = words.join("_").replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
            metrics.entry(full).or_default().push((sample, class));
        }
        for (name, samples) in metrics {
            let (first, _) = &samples[0];
            let kind = match first.value {
                Value::Counter(_) => MetricType::Counter,
                Value::Gauge(_) => MetricType::Gauge,
                Value::Histogram(_) => MetricType::Histogram,
            };
            let mut family = encoder.encode_descriptor(&name, first.help, None, kind)?;
            for (sample, class) in &samples {
                encode(sample, *class, &mut family)?;
            }
        }
        Ok(())
    }
}

/// `upstream_rq_2xx` is `upstream_rq_xx` with a label, as in Envoy's scrape.
fn status_class(name: &'static str) -> (String, Option<char>) {
    match name.rsplit_once('_') {
        Some((stem, class)) if class.len() == 3 && class.ends_with("xx") => {
            (format!("{stem}_xx"), class.chars().next())
        }
        _ => (name.to_owned(), None),
    }
}

fn encode(sample: &Sample, class: Option<char>, family: &mut MetricEncoder<'_>) -> Result<(), Error> {
    let labels = Labels { scope: &sample.scope, class };
    match &sample.value {
        Value::Counter(value) | Value::Gauge(value) => family.encode_family(&labels)?.encode_gauge(value),
        Value::Histogram(sum) => encode_histogram(sum, &mut family.encode_family(&labels)?),
    }
}

fn encode_histogram(sum: &HistogramSum, encoder: &mut MetricEncoder<'_>) -> Result<(), Error> {
    let bounds = BUCKETS_MILLIS.into_iter().chain([f64::MAX]);
    let buckets: Vec<(f64, u64)> = bounds.zip(sum.buckets).collect();
    let no_exemplars: Option<&HashMap<usize, Exemplar<NoLabelSet, f64>>> = None;
    encoder.encode_histogram(sum.sum_micros as f64 / 1e3, sum.count(), &buckets, no_exemplars)
}

struct Labels<'a> {
    scope: &'a Scope,
    class: Option<char>,
}

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), Error> {
        use prometheus_client::encoding::EncodeLabel as _;
        let Scope { family: _, label, name, part: _, labels } = self.scope;
        if !label.is_empty() {
            (*label, name.as_str()).encode(encoder.encode_label())?;
        }
        for (label, value) in labels {
            (*label, value.as_str()).encode(encoder.encode_label())?;
        }
        if let Some(class) = self.class {
            let mut text = String::new();
            write!(text, "{class}")?;
            ("envoy_response_code_class", text.as_str()).encode(encoder.encode_label())?;
        }
        Ok(())
    }
}
