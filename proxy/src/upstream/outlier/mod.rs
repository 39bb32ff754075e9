//! Outlier detection: endpoints whose requests fail are left out for a while.
//!
//! Workers count (`monitor`), the cluster's background task judges here, `decide` does the arithmetic. One rule:
//! `now` and randomness are passed in, so that every judgement can be replayed.

pub mod decide;

pub mod monitor;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use xds::model::OutlierDetection;

use super::host::Host;
use super::state::HealthFlag;
use super::stats::ClusterMetric;
use crate::observe::metrics::Counters;
use monitor::{Monitor, Run};

/// Why an endpoint is ejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Run(Run),
    SuccessRate,
    LocalOriginSuccessRate,
    FailurePercentage,
    LocalOriginFailurePercentage,
}

/// The judge of one cluster.
#[derive(Debug, Clone, Copy)]
pub struct Detector<'a> {
    /// The rules.
    pub config: &'a OutlierDetection,
    /// The cluster's endpoints.
    pub hosts: &'a [Arc<Host>],
    /// The cluster's counters.
    pub stats: &'a Counters<ClusterMetric>,
    /// The time.
    pub now: Instant,
}

impl Detector<'_> {
    /// Judges the runs of failures that workers completed; whether any endpoint's health changed.
    pub fn judge_runs(&self, rng: &mut fastrand::Rng) -> bool {
        let mut changed = false;
        for host in self.hosts {
            for run in host.state().monitor().take_runs() {
                if !is_ejected(host) {
                    changed |= self.detected(host, Cause::Run(run), rng);
                }
            }
        }
        changed
    }

    /// What happens every `interval`: endpoints come back, success rates are judged; whether any endpoint's
    /// health changed.
    pub fn tick(&self, rng: &mut fastrand::Rng) -> bool {
        let mut changed = false;
        for host in self.hosts {
            changed |= self.uneject_if_over(host);
        }
        changed |= self.judge_rates(
            &self.rates(|monitor| monitor.external().take()),
            [Cause::SuccessRate, Cause::FailurePercentage],
            rng,
        );
        changed |= self.judge_rates(
            &self.rates(|monitor| monitor.local().take()),
            [Cause::LocalOriginSuccessRate, Cause::LocalOriginFailurePercentage],
            rng,
        );
        for host in self.hosts.iter().filter(|host| !is_ejected(host)) {
            let mut ejection = host.state().monitor().ejection();
            let calm = ejection.until.is_some_and(|until| self.now - until >= self.config.interval);
            if calm {
                ejection.backoff = ejection.backoff.saturating_sub(1);
            }
        }
        changed
    }

    fn uneject_if_over(&self, host: &Host) -> bool {
        let over = {
            let ejection = host.state().monitor().ejection();
            let time = decide::ejection_time(self.config, ejection.backoff, ejection.jitter);
            ejection.since.is_some_and(|since| self.now.saturating_duration_since(since) >= time)
        };
        over && uneject(host, self.now)
    }

    /// Success rate (percent) and volume of every endpoint that is not ejected and had requests.
    fn rates(&self, take: impl Fn(&Monitor) -> (u64, u64)) -> Vec<(&Arc<Host>, f64, u64)> {
        let rate = |host| -> Option<(&Arc<Host>, f64, u64)> {
            let host: &Arc<Host> = host;
            let (total, success) = take(host.state().monitor());
            let judged = total > 0 && !is_ejected(host);
            judged.then(|| (host, 100.0 * success as f64 / total as f64, total))
        };
        self.hosts.iter().filter_map(rate).collect()
    }

    fn judge_rates(
        &self,
        rates: &[(&Arc<Host>, f64, u64)],
        [by_deviation, by_share]: [Cause; 2],
        rng: &mut fastrand::Rng,
    ) -> bool {
        let config = self.config;
        let with_volume = |least: u32| -> Vec<(&Arc<Host>, f64)> {
            rates
                .iter()
                .filter(|(_, _, volume)| *volume >= u64::from(least))
                .map(|(host, rate, _)| (*host, *rate))
                .collect()
        };
        let mut changed = false;
        let valid = with_volume(config.success_rate_request_volume);
        if !valid.is_empty() && valid.len() >= config.success_rate_minimum_hosts as usize {
            let only_rates: Vec<_> = valid.iter().map(|(_, rate)| *rate).collect();
            let threshold = decide::success_rate_threshold(&only_rates, config.success_rate_stdev_factor);
            for (host, _) in valid.iter().filter(|(_, rate)| *rate < threshold) {
                changed |= self.detected(host, by_deviation, rng);
            }
        }
        let valid = with_volume(config.failure_percentage_request_volume);
        if !valid.is_empty() && valid.len() >= config.failure_percentage_minimum_hosts as usize {
            let threshold = f64::from(config.failure_percentage_threshold);
            for (host, _) in valid.iter().filter(|(_, rate)| 100.0 - rate >= threshold) {
                if !is_ejected(host) {
                    changed |= self.detected(host, by_share, rng);
                }
            }
        }
        changed
    }

    fn detected(&self, host: &Host, cause: Cause, rng: &mut fastrand::Rng) -> bool {
        let (detected, enforced, percent) = self.terms(cause);
        self.stats.inc(detected);
        let ejected = self.hosts.iter().filter(|host| is_ejected(host)).count();
        if !decide::may_eject(self.config, ejected, self.hosts.len()) {
            self.stats.inc(ClusterMetric::EjectionsOverflow);
            return false;
        }
        let enforce = rng.u32(..100) < percent;
        tracing::info!(
            name: "outlier_ejection", endpoint = %host.address(), ?cause, enforced = enforce,
            "endpoint is an outlier"
        );
        if !enforce {
            return false;
        }
        self.stats.inc(ClusterMetric::EjectionsEnforcedTotal);
        self.stats.inc(enforced);
        host.state().set(HealthFlag::FailedOutlierCheck, true);
        let mut ejection = host.state().monitor().ejection();
        ejection.since = Some(self.now);
        ejection.count += 1;
        ejection.jitter = jitter(self.config.max_ejection_time_jitter, rng);
        ejection.backoff = decide::next_backoff(self.config, ejection.backoff);
        true
    }

    /// The counters of a cause, and how often it is enforced, percent.
    fn terms(&self, cause: Cause) -> (ClusterMetric, ClusterMetric, u32) {
        use ClusterMetric as M;
        let config = self.config;
        match cause {
            Cause::Run(Run::Consecutive5xx) => (
                M::EjectionsDetectedConsecutive5xx,
                M::EjectionsEnforcedConsecutive5xx,
                config.enforcing_consecutive_5xx,
            ),
            Cause::Run(Run::ConsecutiveGatewayFailure) => (
                M::EjectionsDetectedConsecutiveGatewayFailure,
                M::EjectionsEnforcedConsecutiveGatewayFailure,
                config.enforcing_consecutive_gateway_failure,
            ),
            Cause::Run(Run::ConsecutiveLocalOriginFailure) => (
                M::EjectionsDetectedConsecutiveLocalOriginFailure,
                M::EjectionsEnforcedConsecutiveLocalOriginFailure,
                config.enforcing_consecutive_local_origin_failure,
            ),
            Cause::SuccessRate => (
                M::EjectionsDetectedSuccessRate,
                M::EjectionsEnforcedSuccessRate,
                config.enforcing_success_rate,
            ),
            Cause::LocalOriginSuccessRate => (
                M::EjectionsDetectedLocalOriginSuccessRate,
                M::EjectionsEnforcedLocalOriginSuccessRate,
                config.enforcing_local_origin_success_rate,
            ),
            Cause::FailurePercentage => (
                M::EjectionsDetectedFailurePercentage,
                M::EjectionsEnforcedFailurePercentage,
                config.enforcing_failure_percentage,
            ),
            Cause::LocalOriginFailurePercentage => (
                M::EjectionsDetectedLocalOriginFailurePercentage,
                M::EjectionsEnforcedLocalOriginFailurePercentage,
                config.enforcing_failure_percentage_local_origin,
            ),
        }
    }
}

/// Brings an ejected endpoint back; whether it was ejected.
pub fn uneject(host: &Host, now: Instant) -> bool {
    let monitor = host.state().monitor();
    monitor.forget_runs();
    let mut ejection = monitor.ejection();
    ejection.since = None;
    ejection.until = Some(now);
    tracing::info!(name: "outlier_unejection", endpoint = %host.address(), "endpoint is back");
    host.state().set(HealthFlag::FailedOutlierCheck, false)
}

fn is_ejected(host: &Host) -> bool {
    host.state().has(HealthFlag::FailedOutlierCheck)
}

fn jitter(most: Duration, rng: &mut fastrand::Rng) -> Duration {
    let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(rng.u64(..=millis))
}

#[cfg(test)]
mod tests;
