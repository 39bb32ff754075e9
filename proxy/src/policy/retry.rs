//! When an attempt's end allows another, and how long to wait before it.

use std::time::Duration;

use http::{HeaderName, StatusCode};
use xds::model::{self, BackOff, RetryCondition};

use super::facts;
use super::header_tests::HeaderTests;
use crate::body::RequestHead;
use crate::error::{Invalid, Reason};
use crate::fields::Fields;
use crate::limits::ATTEMPTS_MAX;

/// A compiled retry policy.
#[derive(Debug)]
pub struct RetryRule {
    on: Conditions,
    num_retries: u32,
    statuses: Vec<StatusCode>,
    response_headers: HeaderTests,
    request_headers: HeaderTests,
    back_off: BackOff,
    /// How long one attempt may take.
    pub per_try_timeout: Option<Duration>,
    /// How long an attempt may be silent.
    pub per_try_idle_timeout: Option<Duration>,
    /// Whether endpoints tried before are avoided.
    pub avoid_previous_hosts: bool,
    /// How often another endpoint is drawn to avoid one.
    pub host_selection_attempts: u32,
    /// Whether priorities tried before are avoided, after this many attempts each.
    pub avoid_previous_priorities: Option<u32>,
}

/// A set of conditions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Conditions(u32);

impl Conditions {
    fn insert(&mut self, condition: RetryCondition) {
        self.0 |= 1 << condition as u32;
    }

    fn has(self, condition: RetryCondition) -> bool {
        self.0 & (1 << condition as u32) != 0
    }

    fn any(self, conditions: &[RetryCondition]) -> bool {
        conditions.iter().any(|condition| self.has(*condition))
    }
}

impl RetryRule {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the header that cannot be matched.
    pub fn compile(model: &model::RetryPolicy) -> Result<Self, Invalid> {
        let model::RetryPolicy {
            on,
            num_retries,
            per_try_timeout,
            per_try_idle_timeout,
            retriable_status_codes,
            retriable_headers,
            retriable_request_headers,
            back_off,
            avoid_previous_hosts,
            host_selection_retry_max_attempts,
            avoid_previous_priorities,
        } = model;
        let mut conditions = Conditions::default();
        on.iter().for_each(|condition| conditions.insert(*condition));
        Ok(Self {
            on: conditions,
            num_retries: *num_retries,
            statuses: retriable_status_codes.clone(),
            response_headers: HeaderTests::compile(retriable_headers)
                .map_err(|invalid| invalid.within("retriable_headers"))?,
            request_headers: HeaderTests::compile(retriable_request_headers)
                .map_err(|invalid| invalid.within("retriable_request_headers"))?,
            back_off: *back_off,
            per_try_timeout: *per_try_timeout,
            per_try_idle_timeout: *per_try_idle_timeout,
            avoid_previous_hosts: *avoid_previous_hosts,
            host_selection_attempts: *host_selection_retry_max_attempts,
            avoid_previous_priorities: *avoid_previous_priorities,
        })
    }
}

/// The retries of one request: what its route and its `x-envoy-*` fields allow.
#[derive(Debug)]
pub struct Retries<'a> {
    rule: Option<&'a RetryRule>,
    on: Conditions,
    remaining: u32,
    made: u32,
    statuses: Vec<StatusCode>,
    header_names: Vec<HeaderName>,
}

/// Envoy's defaults for requests that ask for retries by header on a route without policy.
const DEFAULT_BACK_OFF: BackOff =
    BackOff { base_interval: Duration::from_millis(25), max_interval: Duration::from_millis(250) };

/// Request fields that ask for retries; none of them goes upstream.
const ASKING: [&[u8]; 7] = [
    b"x-envoy-retry-on",
    b"x-envoy-retry-grpc-on",
    b"x-envoy-max-retries",
    b"x-envoy-hedge-on-per-try-timeout",
    b"x-envoy-retriable-header-names",
    b"x-envoy-retriable-status-codes",
    b"x-envoy-upstream-rq-per-try-timeout-ms",
];

impl<'a> Retries<'a> {
    /// The retries of a request; `None` if there can be none. Takes the fields that ask for retries off the head.
    pub fn begin(rule: Option<&'a RetryRule>, head: &mut RequestHead) -> Option<Self> {
        let mut retries = Self {
            rule,
            on: rule.map(|rule| rule.on).unwrap_or_default(),
            remaining: rule.map_or(1, |rule| rule.num_retries),
            made: 0,
            statuses: Vec::new(),
            header_names: Vec::new(),
        };
        if facts::has_envoy_fields(&head.headers, |name| ASKING.contains(&name)) {
            retries.read_fields(head);
            facts::remove_envoy_fields(&mut head.headers, |name| ASKING.contains(&name));
        }
        retries.remaining = retries.remaining.min(ATTEMPTS_MAX - 1);
        let barred = rule
            .is_some_and(|rule| !rule.request_headers.is_empty() && !rule.request_headers.any_passes(head));
        (retries.on != Conditions::default() && !barred).then_some(retries)
    }

    fn read_fields(&mut self, head: &RequestHead) {
        for name in ["x-envoy-retry-on", "x-envoy-retry-grpc-on"] {
            list(facts::text(&head.headers, name).unwrap_or_default())
                .filter_map(RetryCondition::named)
                .for_each(|condition| self.on.insert(condition));
        }
        if let Some(most) = facts::text(&head.headers, "x-envoy-max-retries").and_then(|n| n.parse().ok()) {
            self.remaining = most;
        }
        if let Some(codes) = facts::text(&head.headers, "x-envoy-retriable-status-codes") {
            self.statuses.extend(list(codes).filter_map(|code| code.parse::<StatusCode>().ok()));
        }
        if let Some(names) = facts::text(&head.headers, "x-envoy-retriable-header-names") {
            self.header_names.extend(list(names).filter_map(|name| name.parse::<HeaderName>().ok()));
        }
    }

    /// Whether an attempt that ended without response calls for another.
    #[must_use]
    pub fn wants_after_error(&self, reason: Reason) -> bool {
        use RetryCondition as C;
        let connecting =
            matches!(reason, Reason::ConnectFailed | Reason::ConnectTimeout | Reason::UpstreamTls);
        let refused = reason == Reason::UpstreamRefused;
        let broken = matches!(
            reason,
            Reason::UpstreamClosed | Reason::UpstreamReset | Reason::UpstreamProtocol | Reason::PerTryTimeout
        );
        if !(connecting || refused || broken) {
            return false;
        }
        self.on.any(&[C::Reset, C::ServerError, C::GatewayError])
            || (refused && self.on.has(C::RefusedStream))
            || (connecting && self.on.any(&[C::ConnectFailure, C::ResetBeforeRequest]))
    }

    /// Whether a response calls for another attempt.
    #[must_use]
    pub fn wants_after_response(&self, status: StatusCode, headers: &Fields) -> bool {
        use RetryCondition as C;
        if headers.contains_key("x-envoy-ratelimited") {
            return self.on.has(C::EnvoyRateLimited);
        }
        let code = status.as_u16();
        (self.on.has(C::ServerError) && status.is_server_error())
            || (self.on.has(C::GatewayError) && (502..=504).contains(&code))
            || (self.on.has(C::Retriable4xx) && code == 409)
            || (self.on.has(C::RetriableStatusCodes) && self.lists(status))
            || (self.on.has(C::RetriableHeaders) && self.marks(headers))
            || self.wants_grpc(headers)
    }

    fn lists(&self, status: StatusCode) -> bool {
        self.statuses.contains(&status) || self.rule.is_some_and(|rule| rule.statuses.contains(&status))
    }

    fn marks(&self, headers: &Fields) -> bool {
        self.header_names.iter().any(|name| headers.contains_key(name))
            || self.rule.is_some_and(|rule| rule.response_headers.any_passes_response(headers))
    }

    fn wants_grpc(&self, headers: &Fields) -> bool {
        use RetryCondition as C;
        let condition = match headers.get("grpc-status").map(http::HeaderValue::as_bytes) {
            Some(b"1") => C::GrpcCancelled,
            Some(b"4") => C::GrpcDeadlineExceeded,
            Some(b"8") => C::GrpcResourceExhausted,
            Some(b"13") => C::GrpcInternal,
            Some(b"14") => C::GrpcUnavailable,
            _ => return false,
        };
        self.on.has(condition)
    }

    /// Whether any is left; taking it counts.
    pub fn take(&mut self) -> bool {
        let left = self.remaining > 0;
        if left {
            self.remaining -= 1;
            self.made += 1;
        }
        left
    }

    /// Whether any is left.
    #[must_use]
    pub fn left(&self) -> bool {
        self.remaining > 0
    }

    /// How long to wait before the retry just taken: exponential with full jitter, as Envoy. `random` is uniform.
    #[must_use]
    pub fn back_off(&self, random: u64) -> Duration {
        let back_off = self.rule.map_or(DEFAULT_BACK_OFF, |rule| rule.back_off);
        let doubled = back_off.base_interval.saturating_mul(1 << self.made.saturating_sub(1).min(20));
        let bound = doubled.min(back_off.max_interval).as_micros().max(1);
        Duration::from_micros(random % u64::try_from(bound).unwrap_or(u64::MAX))
    }

    /// The rule, if the route has one.
    #[must_use]
    pub fn rule(&self) -> Option<&'a RetryRule> {
        self.rule
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests;
