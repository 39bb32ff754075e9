//! What compiled policies share and what outlives them: counters, log outputs, the environment.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use xds::model;

use super::stats::HttpStats;
use crate::observe::access_log::{Environment, Outputs};
use crate::observe::metrics::{Counters, Histogram, MetricSet, Registry, Scope};
use crate::policy::token_bucket::TokenBucket;
use crate::standing::Standing;

/// Counters that are alive, by their type and scope.
type FilterCounters = HashMap<(TypeId, String, String), Weak<dyn Any + Send + Sync>>;

/// Made once for a process and handed to every compilation.
#[derive(Debug)]
pub struct Shared {
    registry: Arc<Registry>,
    outputs: Arc<Outputs>,
    standing: Arc<Standing>,
    cluster: String,
    http: Mutex<HashMap<String, Weak<HttpStats>>>,
    filters: Mutex<FilterCounters>,
    buckets: Mutex<Vec<(String, model::TokenBucket, Weak<TokenBucket>)>>,
}

impl Shared {
    /// Metrics go to `registry`, access logs to `outputs`.
    #[must_use]
    pub fn new(registry: Arc<Registry>, outputs: Arc<Outputs>) -> Self {
        Self {
            registry,
            outputs,
            standing: Arc::default(),
            cluster: String::new(),
            http: Mutex::default(),
            filters: Mutex::default(),
            buckets: Mutex::default(),
        }
    }

    /// The same for a proxy that says it is of `cluster` and has that `standing`.
    #[must_use]
    pub fn of(self, cluster: &str, standing: &Arc<Standing>) -> Self {
        Self { cluster: cluster.to_owned(), standing: Arc::clone(standing), ..self }
    }

    /// Whether the operator lets the proxy be found healthy.
    #[must_use]
    pub fn standing(&self) -> &Arc<Standing> {
        &self.standing
    }

    /// The cluster that the proxy says it is of.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Where metrics are shown.
    #[must_use]
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Where access logs go.
    #[must_use]
    pub fn outputs(&self) -> &Arc<Outputs> {
        &self.outputs
    }

    /// What formats may know about the machine.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        self.outputs.environment()
    }

    /// The metrics of `stat_prefix`: the same as long as anyone holds them, so that a swap resets nothing.
    #[must_use]
    pub fn http_stats(&self, stat_prefix: &str) -> Arc<HttpStats> {
        let mut known = self.http.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stats) = known.get(stat_prefix).and_then(Weak::upgrade) {
            return stats;
        }
        let stats = Arc::new(HttpStats {
            counters: Arc::new(Counters::new()),
            rq_time: Arc::new(Histogram::new()),
            cx_length: Arc::new(Histogram::new()),
        });
        let scope = || scope(stat_prefix);
        self.registry.add_counters(scope(), &stats.counters);
        let help = "Milliseconds from a request's start to its response's end.";
        self.registry.add_histogram(scope(), "downstream_rq_time", help, &stats.rq_time);
        let help = "Milliseconds that connections lived.";
        self.registry.add_histogram(scope(), "downstream_cx_length_ms", help, &stats.cx_length);
        known.retain(|_, stats| stats.strong_count() > 0);
        known.insert(stat_prefix.to_owned(), Arc::downgrade(&stats));
        stats
    }

    /// The bucket that all who ask with this key and model have together.
    #[must_use]
    pub fn bucket(&self, key: &str, model: model::TokenBucket) -> Arc<TokenBucket> {
        let mut known = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, _, bucket)| bucket.strong_count() > 0);
        let same = known.iter().find(|(name, of, _)| name == key && *of == model);
        if let Some(bucket) = same.and_then(|(_, _, bucket)| bucket.upgrade()) {
            return bucket;
        }
        let bucket = Arc::new(TokenBucket::new(model));
        known.push((key.to_owned(), model, Arc::downgrade(&bucket)));
        bucket
    }

    /// The metrics of a filter under `stat_prefix` of a connection manager, by the same rule.
    #[must_use]
    pub fn filter_counters<S: MetricSet>(&self, stat_prefix: &str) -> Arc<Counters<S>> {
        self.counters(scope(stat_prefix))
    }

    /// The metrics of a filter's part, by the same rule.
    #[must_use]
    pub fn part_counters<S: MetricSet>(&self, stat_prefix: &str, part: String) -> Arc<Counters<S>> {
        self.counters(scope(stat_prefix).part(part))
    }

    /// The metrics of `scope`, by the same rule.
    #[must_use]
    pub fn counters<S: MetricSet>(&self, scope: Scope) -> Arc<Counters<S>> {
        let mut known = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (TypeId::of::<S>(), scope.name.clone(), scope.part.clone());
        let alive = known.get(&key).and_then(Weak::upgrade);
        if let Some(counters) = alive.and_then(|counters| counters.downcast::<Counters<S>>().ok()) {
            return counters;
        }
        let counters = Arc::new(Counters::<S>::new());
        self.registry.add_counters(scope, &counters);
        known.retain(|_, counters| counters.strong_count() > 0);
        let held: Arc<dyn Any + Send + Sync> = Arc::clone(&counters) as _;
        known.insert(key, Arc::downgrade(&held));
        counters
    }
}

fn scope(stat_prefix: &str) -> Scope {
    Scope::new("http", "envoy_http_conn_manager_prefix", stat_prefix)
}
