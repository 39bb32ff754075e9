//! Models of the rate limit filter, and what it and its service say to each other.

use envoy_types::pb::envoy::config::core::v3::HeaderValue;
use envoy_types::pb::envoy::service::ratelimit::v3 as service;
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{Struct, Value as PbValue};
use http::StatusCode;
use prost::Message;
use service::rate_limit_response::{Code, DescriptorStatus, RateLimit};

use super::choices::Choices;
use super::{filter, route};
use crate::model::{
    ClusterName, GrpcService, RateLimitAnswer, RateLimitFilter, RateLimitPerRoute, RateLimitQuestion,
    RateLimitQuota, RateLimitedRequests, Value, VhRateLimits,
};
use crate::{decode, encode};

/// The filter in a chain.
pub(super) fn filter(from: &mut Choices<'_>) -> RateLimitFilter {
    let statuses = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE];
    let requests = [RateLimitedRequests::Both, RateLimitedRequests::Internal, RateLimitedRequests::External];
    RateLimitFilter {
        domain: from.name(),
        stage: from.between(0, 10),
        request_type: from.one_of(&requests),
        timeout: from.duration(),
        failure_mode_deny: from.flag(),
        failure_mode_deny_percent: from.maybe(filter::runtime_fraction),
        as_resource_exhausted: from.flag(),
        service: grpc_service(from),
        x_ratelimit_headers: from.flag(),
        disable_x_envoy_ratelimited: from.flag(),
        status: from.one_of(&statuses),
        status_on_error: from.one_of(&statuses),
        response_headers: from.list(2, route::header_add),
        filter_enabled: from.maybe(filter::runtime_fraction),
        filter_enforced: from.maybe(filter::runtime_fraction),
        rate_limits: from.list(2, filter::rate_limit_rule),
        metadata_namespace: from.name(),
    }
}

pub(super) fn grpc_service(from: &mut Choices<'_>) -> GrpcService {
    GrpcService {
        cluster: ClusterName::new(from.name()),
        authority: from.text(),
        timeout: from.maybe(Choices::positive),
        initial_metadata: from.list(2, |from| (from.name(), from.text())),
    }
}

/// The filter on a host or route.
pub(super) fn per_route(from: &mut Choices<'_>) -> RateLimitPerRoute {
    RateLimitPerRoute {
        vh_rate_limits: from.one_of(&[VhRateLimits::Override, VhRateLimits::Include, VhRateLimits::Ignore]),
        rate_limits: from.list(2, filter::rate_limit_rule),
        domain: from.text(),
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_question_says_what_is_asked() {
    let question = RateLimitQuestion {
        domain: "shop".to_owned(),
        descriptors: vec![pairs(&[("a", "1"), ("b", "")]), pairs(&[("c", "2")])],
    };
    let message = service::RateLimitRequest::decode(&*encode::rate_limit_question(&question)).unwrap();
    assert_eq!((message.domain.as_str(), message.hits_addend), ("shop", 0));
    let told = message.descriptors.iter().map(|descriptor| {
        descriptor.entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect::<Vec<_>>()
    });
    assert_eq!(told.collect::<Vec<_>>(), question.descriptors);
}

fn read(message: &service::RateLimitResponse) -> Result<RateLimitAnswer, String> {
    decode::rate_limit_answer(&message.encode_to_vec()).map_err(|refused| refused.to_string())
}

fn field(key: &str, value: &str) -> HeaderValue {
    HeaderValue { key: key.to_owned(), value: value.to_owned(), ..Default::default() }
}

#[test]
fn an_answer_is_read_whole() {
    let limit = RateLimit { name: "x".to_owned(), requests_per_unit: 9, unit: 2 };
    let quota = DescriptorStatus {
        current_limit: Some(limit),
        limit_remaining: 4,
        duration_until_reset: Some(envoy_types::pb::google::protobuf::Duration { seconds: 7, nanos: 9 }),
        ..Default::default()
    };
    let who = PbValue { kind: Some(Kind::StringValue("ann".to_owned())) };
    let raw = HeaderValue { key: "c".to_owned(), raw_value: b"3".to_vec(), ..Default::default() };
    let answer = read(&service::RateLimitResponse {
        overall_code: Code::OverLimit.into(),
        statuses: vec![DescriptorStatus::default(), quota],
        response_headers_to_add: vec![field("A", "1")],
        request_headers_to_add: vec![field("b", "2"), raw],
        raw_body: b"no".to_vec(),
        dynamic_metadata: Some(Struct { fields: [("who".to_owned(), who)].into() }),
        ..Default::default()
    });
    let quota = RateLimitQuota { limit: 9, window: 60, name: "x".to_owned(), remaining: 4, reset: 7 };
    let expected = RateLimitAnswer {
        over_limit: Some(true),
        quotas: vec![quota],
        request_headers: pairs(&[("b", "2"), ("c", "3")]),
        response_headers: pairs(&[("a", "1")]),
        body: b"no".to_vec(),
        metadata: [("who".to_owned(), Value::String("ann".to_owned()))].into(),
    };
    assert_eq!(answer, Ok(expected));
}

#[test]
fn a_code_that_is_not_known_says_nothing() {
    for code in [0, 3, 77, -1] {
        let answer = read(&service::RateLimitResponse { overall_code: code, ..Default::default() });
        assert_eq!(answer.unwrap().over_limit, None, "{code}");
    }
}

#[test]
fn an_answer_that_lies_is_refused() {
    let with = |response_headers_to_add| {
        read(&service::RateLimitResponse { response_headers_to_add, ..Default::default() }).unwrap_err()
    };
    let refused = [
        (with(vec![field("a b", "1")]), "response_headers_to_add[0].key: "),
        (with(vec![field("a", "1"), field(":status", "1")]), "response_headers_to_add[1].key: "),
        (with(vec![field("a", "x\ny")]), "response_headers_to_add[0].value: "),
        (with(vec![field("a", "1"); 101]), "response_headers_to_add: has 101 fields; at most 100"),
        (decode::rate_limit_answer(b"\xff").unwrap_err().to_string(), "decode"),
    ];
    for (found, expected) in refused {
        assert!(found.contains(expected), "{found}: {expected}");
    }
}
