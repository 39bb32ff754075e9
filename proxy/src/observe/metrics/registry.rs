//! What a scrape sees: every living block of metrics with its scope.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{Counters, Histogram, HistogramSum, Kind, MetricSet};

/// Whose metrics they are: `cluster.NAME.` in Envoy's dotted form, a label in Prometheus'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `cluster`, `http`, `listener`, `tcp`, `server` …
    pub family: &'static str,
    /// The label's key in Prometheus, e.g. `envoy_cluster_name`; empty when there is only one of the family.
    pub label: &'static str,
    /// The thing's name; empty when there is only one.
    pub name: String,
    /// The part of the thing that they are about, dotted, e.g. `grpc.shop.Cart.Add`; empty for all of it.
    pub part: String,
    /// What of the part, each under a label of its own in Prometheus, e.g. `envoy_grpc_bridge_service`.
    pub labels: Vec<(&'static str, String)>,
}

impl Scope {
    /// All of the `family`'s thing called `name`.
    #[must_use]
    pub fn new(family: &'static str, label: &'static str, name: impl Into<String>) -> Self {
        Self { family, label, name: name.into(), part: String::new(), labels: Vec::new() }
    }

    /// A part of it.
    #[must_use]
    pub fn part(self, part: impl Into<String>) -> Self {
        Self { part: part.into(), ..self }
    }

    /// What of it.
    #[must_use]
    pub fn labelled(mut self, label: &'static str, value: &str) -> Self {
        self.labels.push((label, value.to_owned()));
        self
    }
}

/// One value of a scrape.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Whose.
    pub scope: Arc<Scope>,
    /// The metric's name within its scope.
    pub name: &'static str,
    /// One line about it.
    pub help: &'static str,
    /// The value.
    pub value: Value,
}

impl Sample {
    /// Every metric of `counters`, which are `scope`'s.
    pub fn collect<S: MetricSet>(scope: &Arc<Scope>, counters: &Counters<S>, out: &mut Vec<Self>) {
        counters.visit(|metric, value| {
            let value = match metric.kind {
                Kind::Counter => Value::Counter(value),
                Kind::Gauge => Value::Gauge(value),
            };
            out.push(Self { scope: Arc::clone(scope), name: metric.name, help: metric.help, value });
        });
    }

    /// Envoy's name of the metric, e.g. `cluster.a.upstream_rq_total`.
    #[must_use]
    pub fn dotted(&self) -> String {
        let Scope { family, label: _, name, part, labels } = &*self.scope;
        let labels = labels.iter().map(|(_, value)| value.as_str());
        let words = [*family, name, part].into_iter().chain(labels).chain([self.name]);
        words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(".")
    }
}

/// A sample's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Only grows.
    Counter(u64),
    /// Goes up and down.
    Gauge(u64),
    /// Durations.
    Histogram(Box<HistogramSum>),
}

type Collect = Box<dyn Fn(&Arc<Scope>, &mut Vec<Sample>) -> bool + Send + Sync>;

/// All blocks of metrics of a process. A block that is dropped disappears from the next scrape.
#[derive(Default)]
pub struct Registry {
    entries: Mutex<Vec<(Arc<Scope>, Collect)>>,
}

impl Registry {
    /// Shows `counters` under `scope` as long as somebody else holds them.
    pub fn add_counters<S: MetricSet>(&self, scope: Scope, counters: &Arc<Counters<S>>) {
        let weak: Weak<Counters<S>> = Arc::downgrade(counters);
        self.push(
            scope,
            Box::new(move |scope, out| {
                let Some(counters) = weak.upgrade() else { return false };
                Sample::collect(scope, &counters, out);
                true
            }),
        );
    }

    /// Shows `histogram` as `name` under `scope` as long as somebody else holds it.
    pub fn add_histogram(
        &self,
        scope: Scope,
        name: &'static str,
        help: &'static str,
        histogram: &Arc<Histogram>,
    ) {
        let weak = Arc::downgrade(histogram);
        self.push(
            scope,
            Box::new(move |scope, out| {
                let Some(histogram) = weak.upgrade() else { return false };
                let value = Value::Histogram(Box::new(histogram.sum()));
                out.push(Sample { scope: Arc::clone(scope), name, help, value });
                true
            }),
        );
    }

    /// Shows what `collect` finds in `source`, each under a scope of its own, as long as somebody else holds it.
    pub fn add_source<T: Send + Sync + 'static>(&self, source: &Arc<T>, collect: fn(&T, &mut Vec<Sample>)) {
        let weak = Arc::downgrade(source);
        self.push(
            Scope::new("", "", ""),
            Box::new(move |_, out| {
                let Some(source) = weak.upgrade() else { return false };
                collect(&source, out);
                true
            }),
        );
    }

    /// Every value now, in the order of registration.
    #[must_use]
    pub fn samples(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|(scope, collect)| collect(scope, &mut samples));
        samples
    }

    fn push(&self, scope: Scope, collect: Collect) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push((Arc::new(scope), collect));
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}
