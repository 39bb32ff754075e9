//! What protects a cluster: outlier detection and circuit breakers.

use envoy_types::pb::envoy::config::cluster::v3 as pb;
use envoy_types::pb::envoy::config::core::v3::RoutingPriority;
use envoy_types::pb::google::protobuf::UInt32Value;
use pb::circuit_breakers::Thresholds as PbThresholds;
use pb::circuit_breakers::thresholds::RetryBudget as PbBudget;

use super::path::{Invalid, Path, absent, off};
use super::scalar::switch;
use crate::model::{CircuitBreakers, OutlierDetection, RetryBudget, Thresholds};

/// Ejection by how requests end.
pub(super) fn outlier_detection(
    path: &Path<'_>,
    outlier: &pb::OutlierDetection,
) -> Result<OutlierDetection, Invalid> {
    #[rustfmt::skip]
    let pb::OutlierDetection {
        consecutive_5xx, interval, base_ejection_time, max_ejection_percent, enforcing_consecutive_5xx,
        enforcing_success_rate, success_rate_minimum_hosts, success_rate_request_volume,
        success_rate_stdev_factor, consecutive_gateway_failure, enforcing_consecutive_gateway_failure,
        split_external_local_origin_errors, consecutive_local_origin_failure,
        enforcing_consecutive_local_origin_failure, enforcing_local_origin_success_rate,
        failure_percentage_threshold, enforcing_failure_percentage, enforcing_failure_percentage_local_origin,
        failure_percentage_minimum_hosts, failure_percentage_request_volume, max_ejection_time,
        max_ejection_time_jitter, successful_active_health_check_uneject_host, monitors,
        always_eject_one_host, detect_degraded_hosts,
    } = outlier;
    absent!(path; monitors);
    off!(path; detect_degraded_hosts);
    let envoy = OutlierDetection::default();
    let count = |name, value: &Option<UInt32Value>, default| {
        Ok::<u32, Invalid>(path.field(name).ranged(value, 0..=u32::MAX)?.unwrap_or(default))
    };
    let percent = |name, value: &Option<UInt32Value>, default| {
        Ok::<u32, Invalid>(path.field(name).ranged(value, 0..=100)?.unwrap_or(default))
    };
    let span = |name, value| path.field(name).optional_positive(value);
    let base = span("base_ejection_time", base_ejection_time)?.unwrap_or(envoy.base_ejection_time);
    // Envoy's default is never below the base.
    let longest = span("max_ejection_time", max_ejection_time)?.unwrap_or(envoy.max_ejection_time.max(base));
    let jitter =
        path.field("max_ejection_time_jitter").optional(max_ejection_time_jitter)?.unwrap_or_default();
    #[rustfmt::skip]
    let detection = OutlierDetection {
        consecutive_5xx: count("consecutive_5xx", consecutive_5xx, envoy.consecutive_5xx)?,
        enforcing_consecutive_5xx: percent("enforcing_consecutive_5xx", enforcing_consecutive_5xx, envoy.enforcing_consecutive_5xx)?,
        consecutive_gateway_failure: count("consecutive_gateway_failure", consecutive_gateway_failure, envoy.consecutive_gateway_failure)?,
        enforcing_consecutive_gateway_failure: percent("enforcing_consecutive_gateway_failure", enforcing_consecutive_gateway_failure, envoy.enforcing_consecutive_gateway_failure)?,
        split_external_local_origin_errors: *split_external_local_origin_errors,
        consecutive_local_origin_failure: count("consecutive_local_origin_failure", consecutive_local_origin_failure, envoy.consecutive_local_origin_failure)?,
        enforcing_consecutive_local_origin_failure: percent("enforcing_consecutive_local_origin_failure", enforcing_consecutive_local_origin_failure, envoy.enforcing_consecutive_local_origin_failure)?,
        interval: span("interval", interval)?.unwrap_or(envoy.interval),
        base_ejection_time: base,
        max_ejection_time: longest,
        max_ejection_time_jitter: jitter,
        max_ejection_percent: percent("max_ejection_percent", max_ejection_percent, envoy.max_ejection_percent)?,
        always_eject_one_host: switch(always_eject_one_host, envoy.always_eject_one_host),
        enforcing_success_rate: percent("enforcing_success_rate", enforcing_success_rate, envoy.enforcing_success_rate)?,
        success_rate_minimum_hosts: count("success_rate_minimum_hosts", success_rate_minimum_hosts, envoy.success_rate_minimum_hosts)?,
        success_rate_request_volume: count("success_rate_request_volume", success_rate_request_volume, envoy.success_rate_request_volume)?,
        success_rate_stdev_factor: count("success_rate_stdev_factor", success_rate_stdev_factor, envoy.success_rate_stdev_factor)?,
        enforcing_local_origin_success_rate: percent("enforcing_local_origin_success_rate", enforcing_local_origin_success_rate, envoy.enforcing_local_origin_success_rate)?,
        failure_percentage_threshold: percent("failure_percentage_threshold", failure_percentage_threshold, envoy.failure_percentage_threshold)?,
        enforcing_failure_percentage: percent("enforcing_failure_percentage", enforcing_failure_percentage, envoy.enforcing_failure_percentage)?,
        enforcing_failure_percentage_local_origin: percent("enforcing_failure_percentage_local_origin", enforcing_failure_percentage_local_origin, envoy.enforcing_failure_percentage_local_origin)?,
        failure_percentage_minimum_hosts: count("failure_percentage_minimum_hosts", failure_percentage_minimum_hosts, envoy.failure_percentage_minimum_hosts)?,
        failure_percentage_request_volume: count("failure_percentage_request_volume", failure_percentage_request_volume, envoy.failure_percentage_request_volume)?,
        successful_active_health_check_uneject_host: switch(successful_active_health_check_uneject_host, envoy.successful_active_health_check_uneject_host),
    };
    if detection.max_ejection_time < detection.base_ejection_time {
        return path.field("max_ejection_time").refuse("is below base_ejection_time");
    }
    Ok(detection)
}

/// Limits on connections, requests and retries.
pub(super) fn circuit_breakers(
    path: &Path<'_>,
    breakers: &Option<pb::CircuitBreakers>,
) -> Result<CircuitBreakers, Invalid> {
    let mut out = CircuitBreakers::default();
    let Some(pb::CircuitBreakers { thresholds, per_host_thresholds }) = breakers else { return Ok(out) };
    let (mut default, mut high) = (false, false);
    for (index, threshold) in thresholds.iter().enumerate() {
        let at = path.field("thresholds").index(index);
        let (priority, limits) = self::thresholds(&at, threshold)?;
        let (slot, seen) = match priority {
            RoutingPriority::Default => (&mut out.default, &mut default),
            RoutingPriority::High => (&mut out.high, &mut high),
        };
        if std::mem::replace(seen, true) {
            return at.field("priority").refuse(format!("{} is given twice", priority.as_str_name()));
        }
        *slot = limits;
    }
    let at = path.field("per_host_thresholds");
    out.per_host_max_connections = match per_host_thresholds.as_slice() {
        [] => None,
        [threshold] => per_host(&at.index(0), threshold)?,
        _ => return at.index(1).refuse("is one too many; only one for the DEFAULT priority is accepted"),
    };
    Ok(out)
}

fn thresholds(path: &Path<'_>, thresholds: &PbThresholds) -> Result<(RoutingPriority, Thresholds), Invalid> {
    let PbThresholds {
        priority,
        max_connections,
        max_pending_requests,
        max_requests,
        max_retries,
        retry_budget,
        track_remaining,
        max_connection_pools,
    } = thresholds;
    absent!(path; max_connection_pools);
    let envoy = Thresholds::default();
    let or = |value: &Option<UInt32Value>, default| value.as_ref().map_or(default, |limit| limit.value);
    let at = path.field("retry_budget");
    let limits = Thresholds {
        max_connections: or(max_connections, envoy.max_connections),
        max_pending_requests: or(max_pending_requests, envoy.max_pending_requests),
        max_requests: or(max_requests, envoy.max_requests),
        max_retries: or(max_retries, envoy.max_retries),
        retry_budget: retry_budget.as_ref().map(|budget| self::retry_budget(&at, budget)).transpose()?,
        track_remaining: *track_remaining,
    };
    Ok((path.field("priority").known(*priority)?, limits))
}

fn retry_budget(path: &Path<'_>, budget: &PbBudget) -> Result<RetryBudget, Invalid> {
    let PbBudget { budget_percent, budget_interval, min_retry_concurrency } = budget;
    absent!(path; budget_interval);
    Ok(RetryBudget {
        budget_percent: path.field("budget_percent").percent(budget_percent, 20.0)?,
        min_retry_concurrency: min_retry_concurrency.as_ref().map_or(3, |least| least.value),
    })
}

fn per_host(path: &Path<'_>, threshold: &PbThresholds) -> Result<Option<u32>, Invalid> {
    let PbThresholds {
        priority,
        max_connections,
        max_pending_requests,
        max_requests,
        max_retries,
        retry_budget,
        track_remaining,
        max_connection_pools,
    } = threshold;
    absent!(path; priority, max_pending_requests, max_requests, max_retries, retry_budget, track_remaining,
        max_connection_pools);
    Ok(max_connections.as_ref().map(|limit| limit.value))
}
