//! Retry policies.

use envoy_types::pb::envoy::config::route::v3 as pb;
use envoy_types::pb::envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate;
use envoy_types::pb::envoy::extensions::retry::priority::previous_priorities::v3::PreviousPrioritiesConfig;
use pb::retry_policy::{
    RetryBackOff, RetryHostPredicate, RetryPriority, retry_host_predicate, retry_priority,
};

use super::matcher;
use super::scalar;
use crate::model::{BackOff, RetryCondition, RetryPolicy};

pub(super) fn retry_policy(policy: &RetryPolicy) -> pb::RetryPolicy {
    let RetryPolicy {
        on,
        num_retries,
        per_try_timeout,
        per_try_idle_timeout,
        retriable_status_codes,
        retriable_headers,
        retriable_request_headers,
        back_off: BackOff { base_interval, max_interval },
        avoid_previous_hosts,
        host_selection_retry_max_attempts,
        avoid_previous_priorities,
    } = policy;
    let hosts = RetryHostPredicate {
        name: "envoy.retry_host_predicates.previous_hosts".to_owned(),
        config_type: Some(retry_host_predicate::ConfigType::TypedConfig(scalar::any(
            &PreviousHostsPredicate {},
        ))),
    };
    let priorities = |frequency: &u32| {
        // Frequencies beyond 31 bits cannot be told from never.
        let update_frequency = i32::try_from(*frequency).unwrap_or(i32::MAX);
        RetryPriority {
            name: "envoy.retry_priorities.previous_priorities".to_owned(),
            config_type: Some(retry_priority::ConfigType::TypedConfig(scalar::any(
                &PreviousPrioritiesConfig { update_frequency },
            ))),
        }
    };
    pb::RetryPolicy {
        retry_on: on.iter().copied().map(condition).collect::<Vec<_>>().join(","),
        num_retries: scalar::uint32(*num_retries),
        per_try_timeout: per_try_timeout.and_then(scalar::span),
        per_try_idle_timeout: per_try_idle_timeout.and_then(scalar::span),
        retry_priority: avoid_previous_priorities.as_ref().map(priorities),
        retry_host_predicate: avoid_previous_hosts.then_some(hosts).into_iter().collect(),
        host_selection_retry_max_attempts: i64::from(*host_selection_retry_max_attempts),
        retriable_status_codes: retriable_status_codes.iter().map(|code| u32::from(code.as_u16())).collect(),
        retry_back_off: Some(RetryBackOff {
            base_interval: scalar::span(*base_interval),
            max_interval: scalar::span(*max_interval),
        }),
        retriable_headers: retriable_headers.iter().map(matcher::header).collect(),
        retriable_request_headers: retriable_request_headers.iter().map(matcher::header).collect(),
        ..Default::default()
    }
}

fn condition(condition: RetryCondition) -> &'static str {
    let named = RetryCondition::ALL.iter().find(|(_, known)| *known == condition);
    named.map(|(name, _)| *name).expect("RetryCondition::ALL holds every condition")
}
