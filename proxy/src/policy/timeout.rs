//! How long a request, an attempt and a silence may last.

use std::time::Duration;

use http::HeaderName;
use xds::model::MaxStreamDuration;

use super::facts;
use super::retry::RetryRule;
use crate::body::RequestHead;
use crate::fields::number;

const REQUEST_TIMEOUT: HeaderName = HeaderName::from_static("x-envoy-upstream-rq-timeout-ms");
const PER_TRY_TIMEOUT: HeaderName = HeaderName::from_static("x-envoy-upstream-rq-per-try-timeout-ms");
const EXPECTED_TIMEOUT: HeaderName = HeaderName::from_static("x-envoy-expected-rq-timeout-ms");

/// A route's settings.
#[derive(Debug)]
pub struct RouteTimeouts {
    whole: Option<Duration>,
    idle: Option<Option<Duration>>,
    stream: MaxStreamDuration,
}

/// The connection manager's settings, which hold where a route has none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Defaults {
    /// `stream_idle_timeout`.
    pub idle: Option<Duration>,
    /// `max_stream_duration`.
    pub stream: Option<Duration>,
}

/// What holds for one request; `None` is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// From the request's end to the response's end.
    pub whole: Option<Duration>,
    /// From an attempt's start, the request being complete, to its response head.
    pub per_try: Option<Duration>,
    /// Silence from the upstream during an attempt.
    pub per_try_idle: Option<Duration>,
    /// Silence from either side.
    pub idle: Option<Duration>,
    /// From the request's start to the response's end.
    pub stream: Option<Duration>,
}

impl RouteTimeouts {
    /// The settings of a route.
    #[must_use]
    pub fn new(whole: Option<Duration>, idle: Option<Option<Duration>>, stream: MaxStreamDuration) -> Self {
        Self { whole, idle, stream }
    }

    /// A route with `max_stream_duration` counts by it alone: Envoy then ignores `timeout`, its default included.
    fn counts_by_stream(&self) -> bool {
        self.stream != MaxStreamDuration::default()
    }

    /// What holds for a request. Takes the fields that ask for other timeouts off the head.
    pub fn decide(&self, rule: Option<&RetryRule>, defaults: Defaults, head: &mut RequestHead) -> Timeouts {
        let whole = if self.counts_by_stream() { None } else { self.whole };
        let asked_per_try = take_millis(head, &PER_TRY_TIMEOUT);
        let whole = match take_millis(head, &REQUEST_TIMEOUT) {
            Some(asked) => some_if_positive(asked),
            None => whole.and_then(some_if_positive),
        };
        let per_try = match asked_per_try {
            Some(asked) => some_if_positive(asked),
            None => rule.and_then(|rule| rule.per_try_timeout).and_then(some_if_positive),
        };
        Timeouts {
            whole,
            // One that is not shorter than the whole says nothing.
            per_try: per_try.filter(|per_try| whole.is_none_or(|whole| *per_try < whole)),
            per_try_idle: rule.and_then(|rule| rule.per_try_idle_timeout).and_then(some_if_positive),
            idle: self.idle.unwrap_or(defaults.idle).and_then(some_if_positive),
            stream: self.stream_limit(defaults, head),
        }
    }

    fn stream_limit(&self, defaults: Defaults, head: &RequestHead) -> Option<Duration> {
        let asked = facts::text(&head.headers, "grpc-timeout").and_then(grpc_timeout);
        let Some((asked, most)) = asked.zip(self.stream.grpc_timeout_header_max) else {
            // An explicit zero lifts the connection manager's limit.
            return self.stream.max_stream_duration.or(defaults.stream).and_then(some_if_positive);
        };
        let capped = if most.is_zero() { asked } else { asked.min(most) };
        // A call whose time is over before it began still gets a timer, as in Envoy: it ends at once.
        Some(capped.saturating_sub(self.stream.grpc_timeout_header_offset))
    }
}

impl Timeouts {
    /// Tells the upstream how long it has (`x-envoy-expected-rq-timeout-ms`), `elapsed` being spent already.
    pub fn announce(&self, head: &mut RequestHead, elapsed: Duration) {
        let Some(expected) = self.per_try.or(self.whole) else { return };
        // Whole milliseconds, as Envoy counts: what began this very moment has all its time.
        let elapsed = Duration::from_millis(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        let left = match self.whole {
            // 0 would mean "for ever"; the timer that is over fires anyway.
            Some(whole) if elapsed >= whole => Duration::from_millis(1),
            Some(whole) => expected.min(whole - elapsed),
            None => expected,
        };
        let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        head.headers.insert(EXPECTED_TIMEOUT, number(millis));
    }
}

fn take_millis(head: &mut RequestHead, name: &HeaderName) -> Option<Duration> {
    let value = head.headers.remove(name)?;
    std::str::from_utf8(value.as_bytes()).ok()?.parse().ok().map(Duration::from_millis)
}

fn some_if_positive(duration: Duration) -> Option<Duration> {
    (!duration.is_zero()).then_some(duration)
}

/// `grpc-timeout`: at most eight digits and a unit (gRPC over HTTP/2, "Timeout").
#[must_use]
pub fn grpc_timeout(text: &str) -> Option<Duration> {
    let unit = *text.as_bytes().last()?;
    let digits = text.get(..text.len() - 1)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        b'H' => Duration::from_secs(amount * 3600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
