//! When a request is tried again (`RetryPolicy`).

use std::time::Duration;

use envoy_types::pb::envoy::config::route::v3 as pb;
use envoy_types::pb::envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate;
use envoy_types::pb::envoy::extensions::retry::priority::previous_priorities::v3::PreviousPrioritiesConfig;
use http::StatusCode;
use pb::retry_policy::{
    RetryBackOff, RetryHostPredicate, RetryPriority, retry_host_predicate, retry_priority,
};

use super::any;
use super::matcher;
use super::path::{Invalid, Path, absent};
use crate::model::{BackOff, RetryCondition, RetryPolicy};

/// Envoy's back-off between attempts.
const BACK_OFF: BackOff =
    BackOff { base_interval: Duration::from_millis(25), max_interval: Duration::from_millis(250) };

/// A retry policy.
pub(super) fn retry_policy(path: &Path<'_>, policy: &pb::RetryPolicy) -> Result<RetryPolicy, Invalid> {
    let pb::RetryPolicy {
        retry_on,
        num_retries,
        per_try_timeout,
        per_try_idle_timeout,
        retry_priority,
        retry_host_predicate,
        retry_options_predicates,
        host_selection_retry_max_attempts,
        retriable_status_codes,
        retry_back_off,
        rate_limited_retry_back_off,
        retriable_headers,
        retriable_request_headers,
        refresh_cluster_on_retry,
    } = policy;
    absent!(path; retry_options_predicates, rate_limited_retry_back_off, refresh_cluster_on_retry);
    let hosts = path.field("retry_host_predicate").each(retry_host_predicate, previous_hosts)?;
    let priority = path.field("retry_priority");
    let draws = match host_selection_retry_max_attempts {
        0 => 1,
        draws => u32::try_from(*draws).map_err(|_| {
            let at = path.field("host_selection_retry_max_attempts");
            at.invalid(format!("{draws} is not accepted; 0 to {} are", u32::MAX))
        })?,
    };
    let back_off = path.field("retry_back_off");
    Ok(RetryPolicy {
        on: conditions(&path.field("retry_on"), retry_on)?,
        num_retries: num_retries.as_ref().map_or(1, |retries| retries.value),
        per_try_timeout: path.field("per_try_timeout").limit(per_try_timeout, None)?,
        per_try_idle_timeout: path.field("per_try_idle_timeout").limit(per_try_idle_timeout, None)?,
        retriable_status_codes: path.field("retriable_status_codes").each(retriable_status_codes, status)?,
        retriable_headers: path.field("retriable_headers").each(retriable_headers, matcher::header)?,
        retriable_request_headers: path
            .field("retriable_request_headers")
            .each(retriable_request_headers, matcher::header)?,
        back_off: match retry_back_off {
            Some(intervals) => self::back_off(&back_off, intervals)?,
            None => BACK_OFF,
        },
        avoid_previous_hosts: !hosts.is_empty(),
        host_selection_retry_max_attempts: draws,
        avoid_previous_priorities: retry_priority
            .as_ref()
            .map(|config| previous_priorities(&priority, config))
            .transpose()?,
    })
}

fn conditions(path: &Path<'_>, retry_on: &str) -> Result<Vec<RetryCondition>, Invalid> {
    let names = retry_on.split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| {
            RetryCondition::named(name).ok_or_else(|| {
                let known: Vec<&str> = RetryCondition::ALL.iter().map(|(name, _)| *name).collect();
                path.invalid(format!("{name:?} is not a retry condition; accepted: {}", known.join(", ")))
            })
        })
        .collect()
}

fn status(path: &Path<'_>, code: &u32) -> Result<StatusCode, Invalid> {
    let code = path.within(*code, &(100..=599))?;
    let status = u16::try_from(code).ok().and_then(|code| StatusCode::from_u16(code).ok());
    status.ok_or_else(|| path.invalid(format!("{code} is not a status")))
}

fn back_off(path: &Path<'_>, intervals: &RetryBackOff) -> Result<BackOff, Invalid> {
    let RetryBackOff { base_interval, max_interval } = intervals;
    let at = path.field("base_interval");
    let base = at.positive(at.required(base_interval)?)?;
    let at = path.field("max_interval");
    let max = at.optional_positive(max_interval)?.unwrap_or_else(|| base.saturating_mul(10));
    if max < base {
        return at.refuse(format!("{max:?} is below the base_interval {base:?}"));
    }
    Ok(BackOff { base_interval: base, max_interval: max })
}

fn previous_hosts(path: &Path<'_>, predicate: &RetryHostPredicate) -> Result<(), Invalid> {
    let RetryHostPredicate { name, config_type } = predicate;
    let path = path.field("typed_config");
    let retry_host_predicate::ConfigType::TypedConfig(config) = path.required(config_type)?;
    match any::unpack_if(&path, config)? {
        Some(PreviousHostsPredicate {}) => Ok(()),
        None => any::unknown(&path, name, config, "PreviousHostsPredicate"),
    }
}

fn previous_priorities(path: &Path<'_>, priority: &RetryPriority) -> Result<u32, Invalid> {
    let RetryPriority { name, config_type } = priority;
    let path = path.field("typed_config");
    let retry_priority::ConfigType::TypedConfig(config) = path.required(config_type)?;
    let Some(PreviousPrioritiesConfig { update_frequency }) = any::unpack_if(&path, config)? else {
        return any::unknown(&path, name, config, "PreviousPrioritiesConfig");
    };
    match u32::try_from(update_frequency) {
        Ok(frequency) if frequency > 0 => Ok(frequency),
        _ => path
            .field("update_frequency")
            .refuse(format!("{update_frequency} is not accepted; it must be 1 or more")),
    }
}
