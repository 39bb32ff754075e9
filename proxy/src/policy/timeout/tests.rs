use std::time::Duration;

use xds::model::{BackOff, MaxStreamDuration, RetryPolicy};

use super::{Defaults, RouteTimeouts, Timeouts, grpc_timeout};
use crate::policy::retry::RetryRule;
use crate::policy::samples::get;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn per_try(timeout: Duration) -> RetryRule {
    let policy = RetryPolicy {
        on: Vec::new(),
        num_retries: 1,
        per_try_timeout: Some(timeout),
        per_try_idle_timeout: None,
        retriable_status_codes: Vec::new(),
        retriable_headers: Vec::new(),
        retriable_request_headers: Vec::new(),
        back_off: BackOff { base_interval: millis(25), max_interval: millis(250) },
        avoid_previous_hosts: false,
        host_selection_retry_max_attempts: 1,
        avoid_previous_priorities: None,
    };
    RetryRule::compile(&policy).unwrap()
}

#[test]
fn fields_of_the_request_win_over_the_route() {
    let route = RouteTimeouts::new(Some(millis(1000)), None, MaxStreamDuration::default());
    let rule = per_try(millis(100));
    let none: &[(&str, &str)] = &[];
    for (headers, whole, each) in [
        (none, Some(1000), Some(100)),
        (&[("x-envoy-upstream-rq-timeout-ms", "500")], Some(500), Some(100)),
        (&[("x-envoy-upstream-rq-timeout-ms", "0")], None, Some(100)),
        (&[("x-envoy-upstream-rq-timeout-ms", "50")], Some(50), None),
        (&[("x-envoy-upstream-rq-per-try-timeout-ms", "7")], Some(1000), Some(7)),
        (&[("x-envoy-upstream-rq-timeout-ms", "soon")], Some(1000), Some(100)),
    ] {
        let mut head = get("h", "/", headers);
        let timeouts = route.decide(Some(&rule), Defaults::default(), &mut head);
        assert_eq!((timeouts.whole, timeouts.per_try), (whole.map(millis), each.map(millis)), "{headers:?}");
        assert!(head.headers.is_empty(), "the fields do not go upstream");
    }
}

#[test]
fn streams_are_limited_by_route_then_connection_manager_or_by_grpc_timeout() {
    let defaults = Defaults { idle: Some(millis(300)), stream: Some(millis(5000)) };
    let limits = |max: Option<u64>, header_max: Option<u64>, offset: u64| MaxStreamDuration {
        max_stream_duration: max.map(millis),
        grpc_timeout_header_max: header_max.map(millis),
        grpc_timeout_header_offset: millis(offset),
    };
    for (stream, header, expected) in [
        (limits(None, None, 0), None, Some(5000)),
        (limits(Some(70), None, 0), None, Some(70)),
        (limits(Some(0), None, 0), None, None),
        (limits(Some(70), None, 0), Some("1S"), Some(70)),
        (limits(Some(70), Some(0), 0), Some("1S"), Some(1000)),
        (limits(Some(70), Some(400), 0), Some("1S"), Some(400)),
        (limits(Some(70), Some(400), 150), Some("1S"), Some(250)),
        (limits(None, Some(400), 150), Some("100m"), Some(0)),
        (limits(None, Some(400), 0), None, Some(5000)),
    ] {
        let route = RouteTimeouts::new(Some(millis(15_000)), None, stream);
        let headers: Vec<_> = header.map(|value| ("grpc-timeout", value)).into_iter().collect();
        let timeouts = route.decide(None, defaults, &mut get("h", "/", &headers));
        assert_eq!(timeouts.stream, expected.map(millis), "{stream:?} with {header:?}");
        let by_stream = stream != MaxStreamDuration::default();
        assert_eq!(timeouts.whole.is_none(), by_stream, "max_stream_duration replaces timeout");
    }
}

#[test]
fn a_route_may_turn_the_idle_timeout_off() {
    let defaults = Defaults { idle: Some(millis(300)), stream: None };
    for (route, expected) in [
        (None, Some(300)),
        (Some(None), None),
        (Some(Some(millis(5))), Some(5)),
        (Some(Some(millis(0))), None),
    ] {
        let route = RouteTimeouts::new(None, route, MaxStreamDuration::default());
        let timeouts = route.decide(None, defaults, &mut get("h", "/", &[]));
        assert_eq!(timeouts.idle, expected.map(millis));
    }
}

#[test]
fn the_upstream_is_told_what_is_left() {
    let timeouts = |whole: Option<u64>, each: Option<u64>| Timeouts {
        whole: whole.map(millis),
        per_try: each.map(millis),
        ..Timeouts::default()
    };
    for (timeouts, elapsed, expected) in [
        (timeouts(None, None), 0, None),
        (timeouts(Some(1000), None), 0, Some("1000")),
        (timeouts(Some(1000), None), 400, Some("600")),
        (timeouts(Some(1000), Some(300)), 400, Some("300")),
        (timeouts(Some(1000), Some(300)), 900, Some("100")),
        (timeouts(Some(1000), None), 1000, Some("1")),
        (timeouts(None, Some(300)), 900, Some("300")),
    ] {
        let mut head = get("h", "/", &[]);
        timeouts.announce(&mut head, millis(elapsed));
        let told = head.headers.get("x-envoy-expected-rq-timeout-ms").map(|value| value.to_str().unwrap());
        assert_eq!(told, expected, "{timeouts:?} after {elapsed} ms");
    }
}

#[test]
fn grpc_timeouts_have_eight_digits_and_a_unit() {
    for (text, expected) in [
        ("1H", Some(Duration::from_secs(3600))),
        ("2M", Some(Duration::from_secs(120))),
        ("100m", Some(millis(100))),
        ("5u", Some(Duration::from_micros(5))),
        ("5n", Some(Duration::from_nanos(5))),
        ("123456789S", None),
        ("S", None),
        ("-1S", None),
        ("1", None),
        ("", None),
    ] {
        assert_eq!(grpc_timeout(text), expected, "{text:?}");
    }
}
