use std::time::Duration;

use http::StatusCode;
use xds::model::{BackOff, HeaderMatcher, HeaderTest, RetryCondition as C, RetryPolicy};

use super::{Retries, RetryRule};
use crate::error::Reason;
use crate::policy::samples::{fields, get};

fn policy(on: &[C]) -> RetryPolicy {
    RetryPolicy {
        on: on.to_vec(),
        num_retries: 1,
        per_try_timeout: None,
        per_try_idle_timeout: None,
        retriable_status_codes: vec![StatusCode::IM_A_TEAPOT],
        retriable_headers: vec![present("x-again")],
        retriable_request_headers: Vec::new(),
        back_off: BackOff {
            base_interval: Duration::from_millis(25),
            max_interval: Duration::from_millis(80),
        },
        avoid_previous_hosts: false,
        host_selection_retry_max_attempts: 1,
        avoid_previous_priorities: None,
    }
}

fn present(name: &str) -> HeaderMatcher {
    HeaderMatcher {
        name: name.to_owned(),
        test: HeaderTest::Present(true),
        invert: false,
        treat_missing_header_as_empty: false,
    }
}

#[test]
fn errors_are_retried_by_their_kind() {
    use Reason as R;
    let never = [R::Overflow, R::NoHealthyUpstream, R::UpstreamTimeout, R::DownstreamClosed, R::MaxDuration];
    for (on, yes, no) in [
        (
            C::ConnectFailure,
            &[R::ConnectFailed, R::ConnectTimeout, R::UpstreamTls][..],
            &[R::UpstreamReset][..],
        ),
        (C::RefusedStream, &[R::UpstreamRefused], &[R::ConnectFailed, R::UpstreamClosed]),
        (C::ResetBeforeRequest, &[R::ConnectFailed], &[R::UpstreamClosed]),
        (C::Reset, &[R::UpstreamClosed, R::UpstreamReset, R::PerTryTimeout, R::ConnectFailed], &[]),
        (C::ServerError, &[R::UpstreamClosed, R::PerTryTimeout, R::ConnectTimeout], &[]),
        (C::GatewayError, &[R::UpstreamProtocol, R::UpstreamReset], &[]),
        (C::Retriable4xx, &[], &[R::UpstreamReset, R::ConnectFailed]),
    ] {
        let rule = RetryRule::compile(&policy(&[on])).unwrap();
        let retries = Retries::begin(Some(&rule), &mut get("h", "/", &[])).unwrap();
        for reason in yes {
            assert!(retries.wants_after_error(*reason), "{on:?} retries {reason:?}");
        }
        for reason in no.iter().chain(&never) {
            assert!(!retries.wants_after_error(*reason), "{on:?} does not retry {reason:?}");
        }
    }
}

#[test]
fn responses_are_retried_by_status_header_and_grpc_status() {
    let none: &[(&str, &str)] = &[];
    for (on, status, headers, expected) in [
        (C::ServerError, 500, none, true),
        (C::ServerError, 499, none, false),
        (C::GatewayError, 502, none, true),
        (C::GatewayError, 500, none, false),
        (C::Retriable4xx, 409, none, true),
        (C::Retriable4xx, 404, none, false),
        (C::RetriableStatusCodes, 418, none, true),
        (C::RetriableStatusCodes, 500, none, false),
        (C::RetriableHeaders, 200, &[("x-again", "1")], true),
        (C::RetriableHeaders, 200, none, false),
        (C::GrpcUnavailable, 200, &[("grpc-status", "14")], true),
        (C::GrpcUnavailable, 200, &[("grpc-status", "13")], false),
        (C::GrpcInternal, 200, &[("grpc-status", "13")], true),
        (C::GrpcCancelled, 200, &[("grpc-status", "1")], true),
        (C::GrpcDeadlineExceeded, 200, &[("grpc-status", "4")], true),
        (C::GrpcResourceExhausted, 200, &[("grpc-status", "8")], true),
        (C::EnvoyRateLimited, 429, &[("x-envoy-ratelimited", "true")], true),
        (C::ServerError, 503, &[("x-envoy-ratelimited", "true")], false),
        (C::Reset, 503, none, false),
    ] {
        let rule = RetryRule::compile(&policy(&[on])).unwrap();
        let retries = Retries::begin(Some(&rule), &mut get("h", "/", &[])).unwrap();
        let wants = retries.wants_after_response(StatusCode::from_u16(status).unwrap(), &fields(headers));
        assert_eq!(wants, expected, "{on:?} on {status} {headers:?}");
    }
}

#[test]
fn request_fields_widen_the_policy_and_do_not_go_upstream() {
    let asking: &[(&str, &str)] = &[
        ("x-envoy-retry-on", "gateway-error, nonsense"),
        ("x-envoy-retry-grpc-on", "unavailable"),
        ("x-envoy-max-retries", "3"),
        ("x-envoy-retriable-status-codes", "404,x"),
        ("x-kept", "1"),
    ];
    let mut head = get("h", "/", asking);
    let rule = RetryRule::compile(&policy(&[C::RetriableStatusCodes])).unwrap();
    let mut retries = Retries::begin(Some(&rule), &mut head).unwrap();
    assert_eq!(head.headers.len(), 1, "{:?}", head.headers);
    for (status, headers) in [(502, fields(&[])), (404, fields(&[])), (200, fields(&[("grpc-status", "14")]))]
    {
        let status = StatusCode::from_u16(status).unwrap();
        assert!(retries.wants_after_response(status, &headers), "{status}");
    }
    assert_eq!((0..9).filter(|_| retries.take()).count(), 3);
}

#[test]
fn without_policy_or_asking_there_are_no_retries() {
    assert!(Retries::begin(None, &mut get("h", "/", &[])).is_none());
    let asked = Retries::begin(None, &mut get("h", "/", &[("x-envoy-retry-on", "5xx")]));
    assert!(asked.is_some_and(|mut retries| retries.take() && !retries.take()), "once, as Envoy's default");
}

#[test]
fn retriable_request_headers_must_be_there() {
    let model = RetryPolicy { retriable_request_headers: vec![present("x-safe")], ..policy(&[C::Reset]) };
    let rule = RetryRule::compile(&model).unwrap();
    assert!(Retries::begin(Some(&rule), &mut get("h", "/", &[])).is_none());
    assert!(Retries::begin(Some(&rule), &mut get("h", "/", &[("x-safe", "")])).is_some());
}

#[test]
fn back_off_doubles_within_its_bound_and_is_jittered_over_all_of_it() {
    let model = RetryPolicy { num_retries: 4, ..policy(&[C::Reset]) };
    let rule = RetryRule::compile(&model).unwrap();
    let mut retries = Retries::begin(Some(&rule), &mut get("h", "/", &[])).unwrap();
    for bound in [25_000, 50_000, 80_000, 80_000] {
        assert!(retries.take());
        assert_eq!(retries.back_off(bound - 1), Duration::from_micros(bound - 1));
        assert_eq!(retries.back_off(bound), Duration::ZERO);
    }
    assert!(!retries.take());
}
