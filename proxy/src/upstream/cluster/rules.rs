//! The rules of a cluster's outlier detection: the configuration's, or what the runtime keys `outlier_detection.…` say
//! instead.
//!
//! One rule: they are made anew only when runtime values have changed, so that asking for them costs two loads.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use xds::model::OutlierDetection;

use crate::runtime::{LiveRuntime, RuntimeSnapshot};

/// The rules of one cluster.
#[derive(Debug)]
pub(super) struct Rules {
    configured: OutlierDetection,
    current: ArcSwap<Current>,
    runtime: Arc<LiveRuntime>,
}

/// The rules in force, and with which runtime values they were made.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) rules: OutlierDetection,
    generation: u64,
}

impl Rules {
    pub(super) fn new(configured: OutlierDetection, runtime: Arc<LiveRuntime>) -> Self {
        let current = ArcSwap::from_pointee(made(&configured, &runtime));
        Self { configured, current, runtime }
    }

    /// The rules in force.
    pub(super) fn load(&self) -> Guard<Arc<Current>> {
        let current = self.current.load();
        if current.generation == self.runtime.generation() {
            return current;
        }
        self.current.store(Arc::new(made(&self.configured, &self.runtime)));
        self.current.load()
    }
}

fn made(configured: &OutlierDetection, runtime: &LiveRuntime) -> Current {
    // The number is read first: values that change meanwhile are looked at again next time.
    let generation = runtime.generation();
    Current { rules: overruled(configured, &runtime.load()), generation }
}

fn overruled(configured: &OutlierDetection, runtime: &RuntimeSnapshot) -> OutlierDetection {
    let mut rules = configured.clone();
    for (key, number) in [
        ("consecutive_5xx", &mut rules.consecutive_5xx),
        ("enforcing_consecutive_5xx", &mut rules.enforcing_consecutive_5xx),
        ("consecutive_gateway_failure", &mut rules.consecutive_gateway_failure),
        ("enforcing_consecutive_gateway_failure", &mut rules.enforcing_consecutive_gateway_failure),
        ("consecutive_local_origin_failure", &mut rules.consecutive_local_origin_failure),
        ("enforcing_consecutive_local_origin_failure", &mut rules.enforcing_consecutive_local_origin_failure),
        ("max_ejection_percent", &mut rules.max_ejection_percent),
        ("enforcing_success_rate", &mut rules.enforcing_success_rate),
        ("success_rate_minimum_hosts", &mut rules.success_rate_minimum_hosts),
        ("success_rate_request_volume", &mut rules.success_rate_request_volume),
        ("success_rate_stdev_factor", &mut rules.success_rate_stdev_factor),
        ("enforcing_local_origin_success_rate", &mut rules.enforcing_local_origin_success_rate),
        ("failure_percentage_threshold", &mut rules.failure_percentage_threshold),
        ("enforcing_failure_percentage", &mut rules.enforcing_failure_percentage),
        ("enforcing_failure_percentage_local_origin", &mut rules.enforcing_failure_percentage_local_origin),
        ("failure_percentage_minimum_hosts", &mut rules.failure_percentage_minimum_hosts),
        ("failure_percentage_request_volume", &mut rules.failure_percentage_request_volume),
    ] {
        let said = runtime.integer(&format!("outlier_detection.{key}"), (*number).into());
        *number = u32::try_from(said).unwrap_or(u32::MAX);
    }
    for (key, duration) in [
        ("interval_ms", &mut rules.interval),
        ("base_ejection_time_ms", &mut rules.base_ejection_time),
        ("max_ejection_time_ms", &mut rules.max_ejection_time),
        ("max_ejection_time_jitter_ms", &mut rules.max_ejection_time_jitter),
    ] {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let said = runtime.integer(&format!("outlier_detection.{key}"), millis);
        if said != millis {
            // A moment at least: what happens every interval takes time itself.
            *duration = Duration::from_millis(said.clamp(1, MILLIS_MAX));
        }
    }
    rules
}

/// The longest time that a runtime value may say: a hundred years, which clocks can still add.
const MILLIS_MAX: u64 = 100 * 365 * 24 * 3600 * 1000;

#[cfg(test)]
mod tests {
    use xds::model::{RuntimeLayer, RuntimeSource};

    use super::*;

    #[test]
    fn runtime_values_stand_in_for_rules_while_they_are_set() {
        let admin = RuntimeLayer { name: "a".to_owned(), source: RuntimeSource::Admin };
        let live = Arc::new(LiveRuntime::new(&[admin]));
        let configured = OutlierDetection::default();
        let rules = Rules::new(configured.clone(), Arc::clone(&live));
        let set = |pairs: &[(&str, &str)]| {
            let pair = |(key, text): &(&str, &str)| (format!("outlier_detection.{key}"), (*text).to_owned());
            live.modify(&pairs.iter().map(pair).collect()).unwrap();
        };
        set(&[("consecutive_5xx", "2"), ("max_ejection_percent", "100"), ("interval_ms", "250")]);
        set(&[("enforcing_success_rate", "5000000000"), ("base_ejection_time_ms", "0")]);
        let expected = OutlierDetection {
            consecutive_5xx: 2,
            max_ejection_percent: 100,
            interval: Duration::from_millis(250),
            enforcing_success_rate: u32::MAX,
            base_ejection_time: Duration::from_millis(1),
            ..configured.clone()
        };
        assert_eq!(rules.load().rules, expected);
        set(&[("consecutive_5xx", ""), ("max_ejection_percent", "many"), ("interval_ms", "")]);
        set(&[("enforcing_success_rate", ""), ("base_ejection_time_ms", "")]);
        assert_eq!(rules.load().rules, configured);
    }
}
