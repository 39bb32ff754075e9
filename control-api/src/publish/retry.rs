//! When a request is tried again.
//!
//! One rule: a method that is not idempotent (RFC 9110, section 9.2.2) is tried again only when no
//! instance can have seen the request.

use std::time::Duration;

use envoy_types::pb::envoy::config::route::v3 as route;
use envoy_types::pb::envoy::extensions::retry::host::previous_hosts::v3::PreviousHostsPredicate;
use envoy_types::pb::envoy::extensions::retry::priority::previous_priorities::v3::PreviousPrioritiesConfig;
use route::retry_policy::{RetryHostPredicate, RetryPriority, retry_host_predicate, retry_priority};

use super::pack;
use crate::resource::service_policy::Retry;

/// Which requests a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Methods {
    /// GET, HEAD, OPTIONS, TRACE, PUT and DELETE.
    Idempotent,
    /// All others.
    Other,
}

/// The idempotent methods as a regular expression.
pub const IDEMPOTENT: &str = "GET|HEAD|OPTIONS|TRACE|PUT|DELETE";

/// How often at most a host is drawn again that was tried already.
const HOST_DRAWS: i64 = 5;

impl Methods {
    /// The kind that a method is of.
    pub fn of(method: &str) -> Self {
        if IDEMPOTENT.split('|').any(|m| m == method) { Self::Idempotent } else { Self::Other }
    }
}

/// The policy of a gateway towards instances everywhere: a second try may stay at the site, the
/// third leaves it, so a site whose instances all die at once costs no idempotent request.
pub fn everywhere(
    wanted: &Retry,
    methods: Methods,
    per_try_timeout: Option<Duration>,
) -> Option<route::RetryPolicy> {
    if wanted.attempts() == 0 {
        return None;
    }
    let mut on = match methods {
        Methods::Idempotent => "connect-failure,refused-stream,reset,retriable-status-codes".to_string(),
        Methods::Other => "connect-failure,refused-stream".to_string(),
    };
    for status in wanted.grpc_statuses.iter().flatten() {
        on.push(',');
        on.push_str(status.name());
    }
    let previous = PreviousPrioritiesConfig { update_frequency: 2 };
    Some(route::RetryPolicy {
        retry_priority: Some(RetryPriority {
            name: "envoy.retry_priorities.previous_priorities".into(),
            config_type: Some(retry_priority::ConfigType::TypedConfig(pack::any(&previous))),
        }),
        retriable_status_codes: match methods {
            Methods::Idempotent => vec![503],
            Methods::Other => Vec::new(),
        },
        per_try_timeout: per_try_timeout
            .or(wanted.per_try_timeout.map(|span| span.0))
            .filter(|timeout| !timeout.is_zero())
            .and_then(pack::duration),
        ..elsewhere(on, wanted.attempts())
    })
}

/// The policy of a gateway towards its local instances on behalf of another gateway, which has a
/// policy of its own: only what costs nothing.
pub fn among_local_instances() -> route::RetryPolicy {
    elsewhere("connect-failure,refused-stream".into(), 2)
}

fn elsewhere(retry_on: String, retries: u32) -> route::RetryPolicy {
    route::RetryPolicy {
        retry_on,
        num_retries: pack::number(retries),
        retry_host_predicate: vec![RetryHostPredicate {
            name: "envoy.retry_host_predicates.previous_hosts".into(),
            config_type: Some(retry_host_predicate::ConfigType::TypedConfig(pack::any(
                &PreviousHostsPredicate {},
            ))),
        }],
        host_selection_retry_max_attempts: HOST_DRAWS,
        ..Default::default()
    }
}
