//! Outlier detection and circuit breakers.

use envoy_types::pb::envoy::config::cluster::v3 as pb;
use envoy_types::pb::envoy::config::core::v3::RoutingPriority;
use pb::circuit_breakers::Thresholds as PbThresholds;
use pb::circuit_breakers::thresholds::RetryBudget as PbBudget;

use super::scalar;
use crate::model::{CircuitBreakers, OutlierDetection, RetryBudget, Thresholds};

pub(super) fn outlier_detection(outlier: &OutlierDetection) -> pb::OutlierDetection {
    #[rustfmt::skip]
    let OutlierDetection {
        consecutive_5xx, enforcing_consecutive_5xx, consecutive_gateway_failure,
        enforcing_consecutive_gateway_failure, split_external_local_origin_errors,
        consecutive_local_origin_failure, enforcing_consecutive_local_origin_failure, interval,
        base_ejection_time, max_ejection_time, max_ejection_time_jitter, max_ejection_percent,
        always_eject_one_host, enforcing_success_rate, success_rate_minimum_hosts,
        success_rate_request_volume, success_rate_stdev_factor, enforcing_local_origin_success_rate,
        failure_percentage_threshold, enforcing_failure_percentage, enforcing_failure_percentage_local_origin,
        failure_percentage_minimum_hosts, failure_percentage_request_volume,
        successful_active_health_check_uneject_host,
    } = outlier;
    pb::OutlierDetection {
        consecutive_5xx: scalar::uint32(*consecutive_5xx),
        interval: scalar::span(*interval),
        base_ejection_time: scalar::span(*base_ejection_time),
        max_ejection_percent: scalar::uint32(*max_ejection_percent),
        enforcing_consecutive_5xx: scalar::uint32(*enforcing_consecutive_5xx),
        enforcing_success_rate: scalar::uint32(*enforcing_success_rate),
        success_rate_minimum_hosts: scalar::uint32(*success_rate_minimum_hosts),
        success_rate_request_volume: scalar::uint32(*success_rate_request_volume),
        success_rate_stdev_factor: scalar::uint32(*success_rate_stdev_factor),
        consecutive_gateway_failure: scalar::uint32(*consecutive_gateway_failure),
        enforcing_consecutive_gateway_failure: scalar::uint32(*enforcing_consecutive_gateway_failure),
        split_external_local_origin_errors: *split_external_local_origin_errors,
        consecutive_local_origin_failure: scalar::uint32(*consecutive_local_origin_failure),
        enforcing_consecutive_local_origin_failure: scalar::uint32(
            *enforcing_consecutive_local_origin_failure,
        ),
        enforcing_local_origin_success_rate: scalar::uint32(*enforcing_local_origin_success_rate),
        failure_percentage_threshold: scalar::uint32(*failure_percentage_threshold),
        enforcing_failure_percentage: scalar::uint32(*enforcing_failure_percentage),
        enforcing_failure_percentage_local_origin: scalar::uint32(*enforcing_failure_percentage_local_origin),
        failure_percentage_minimum_hosts: scalar::uint32(*failure_percentage_minimum_hosts),
        failure_percentage_request_volume: scalar::uint32(*failure_percentage_request_volume),
        max_ejection_time: scalar::span(*max_ejection_time),
        max_ejection_time_jitter: scalar::unless_zero(*max_ejection_time_jitter),
        successful_active_health_check_uneject_host: scalar::switch(
            *successful_active_health_check_uneject_host,
        ),
        always_eject_one_host: scalar::if_on(*always_eject_one_host),
        ..Default::default()
    }
}

pub(super) fn circuit_breakers(breakers: &CircuitBreakers) -> pb::CircuitBreakers {
    let CircuitBreakers { default, high, per_host_max_connections } = breakers;
    let per_host = per_host_max_connections
        .map(|limit| PbThresholds { max_connections: scalar::uint32(limit), ..Default::default() });
    pb::CircuitBreakers {
        thresholds: vec![
            thresholds(RoutingPriority::Default, default),
            thresholds(RoutingPriority::High, high),
        ],
        per_host_thresholds: per_host.into_iter().collect(),
    }
}

fn thresholds(priority: RoutingPriority, thresholds: &Thresholds) -> PbThresholds {
    let Thresholds {
        max_connections,
        max_pending_requests,
        max_requests,
        max_retries,
        retry_budget,
        track_remaining,
    } = thresholds;
    let budget = |budget: &RetryBudget| {
        let RetryBudget { budget_percent, min_retry_concurrency } = budget;
        PbBudget {
            budget_percent: scalar::percent(*budget_percent),
            min_retry_concurrency: scalar::uint32(*min_retry_concurrency),
            ..Default::default()
        }
    };
    PbThresholds {
        priority: priority.into(),
        max_connections: scalar::uint32(*max_connections),
        max_pending_requests: scalar::uint32(*max_pending_requests),
        max_requests: scalar::uint32(*max_requests),
        max_retries: scalar::uint32(*max_retries),
        retry_budget: retry_budget.as_ref().map(budget),
        track_remaining: *track_remaining,
        ..Default::default()
    }
}
