//! Limits that a service keeps for all proxies, and the questions to it.

use common::RateLimitDescriptor;
use common::rate_limit_descriptor::Entry;
use envoy_types::pb::envoy::config::core::v3::ApiVersion;
use envoy_types::pb::envoy::config::ratelimit::v3::RateLimitServiceConfig;
use envoy_types::pb::envoy::extensions::common::ratelimit::v3 as common;
use envoy_types::pb::envoy::extensions::filters::http::ratelimit::v3 as pb;
use envoy_types::pb::envoy::service::ratelimit::v3::RateLimitRequest;
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use http::StatusCode;
use pb::rate_limit::XRateLimitHeadersRfcVersion;
use pb::rate_limit_per_route::VhRateLimitsOptions;

use super::super::{grpc_service, headers, rate_limit, scalar};
use crate::model::{
    RateLimitFilter, RateLimitPerRoute, RateLimitQuestion, RateLimitedRequests, VhRateLimits,
};

pub(super) fn filter(filter: &RateLimitFilter) -> pb::RateLimit {
    let RateLimitFilter {
        domain,
        stage,
        request_type,
        timeout,
        failure_mode_deny,
        failure_mode_deny_percent,
        as_resource_exhausted,
        service,
        x_ratelimit_headers,
        disable_x_envoy_ratelimited,
        status,
        status_on_error,
        response_headers,
        filter_enabled,
        filter_enforced,
        rate_limits,
        metadata_namespace,
    } = filter;
    let request_type = match request_type {
        RateLimitedRequests::Both => "both",
        RateLimitedRequests::Internal => "internal",
        RateLimitedRequests::External => "external",
    };
    let version = match x_ratelimit_headers {
        true => XRateLimitHeadersRfcVersion::DraftVersion03,
        false => XRateLimitHeadersRfcVersion::Off,
    };
    let code = |status: &StatusCode| Some(HttpStatus { code: i32::from(status.as_u16()) });
    pb::RateLimit {
        domain: domain.clone(),
        stage: *stage,
        request_type: request_type.to_owned(),
        timeout: scalar::span(*timeout),
        failure_mode_deny: *failure_mode_deny,
        failure_mode_deny_percent: failure_mode_deny_percent.as_ref().map(scalar::runtime_fraction),
        rate_limited_as_resource_exhausted: *as_resource_exhausted,
        rate_limit_service: Some(RateLimitServiceConfig {
            grpc_service: Some(grpc_service::grpc_service(service)),
            transport_api_version: ApiVersion::V3.into(),
        }),
        enable_x_ratelimit_headers: version.into(),
        disable_x_envoy_ratelimited_header: *disable_x_envoy_ratelimited,
        rate_limited_status: code(status),
        status_on_error: code(status_on_error),
        response_headers_to_add: headers::add(response_headers),
        filter_enabled: filter_enabled.as_ref().map(scalar::runtime_fraction),
        filter_enforced: filter_enforced.as_ref().map(scalar::runtime_fraction),
        rate_limits: rate_limits.iter().map(rate_limit::rate_limit).collect(),
        metadata_namespace: metadata_namespace.clone(),
        ..Default::default()
    }
}

pub(super) fn per_route(settings: &RateLimitPerRoute) -> pb::RateLimitPerRoute {
    let RateLimitPerRoute { vh_rate_limits, rate_limits, domain } = settings;
    let vh_rate_limits = match vh_rate_limits {
        VhRateLimits::Override => VhRateLimitsOptions::Override,
        VhRateLimits::Include => VhRateLimitsOptions::Include,
        VhRateLimits::Ignore => VhRateLimitsOptions::Ignore,
    };
    pb::RateLimitPerRoute {
        vh_rate_limits: vh_rate_limits.into(),
        rate_limits: rate_limits.iter().map(rate_limit::rate_limit).collect(),
        domain: domain.clone(),
        ..Default::default()
    }
}

/// A question to the service.
pub(in crate::encode) fn question(question: &RateLimitQuestion) -> RateLimitRequest {
    let RateLimitQuestion { domain, descriptors } = question;
    let entry = |(key, value): &(String, String)| Entry { key: key.clone(), value: value.clone() };
    let descriptor = |entries: &Vec<(String, String)>| RateLimitDescriptor {
        entries: entries.iter().map(entry).collect(),
        ..Default::default()
    };
    RateLimitRequest {
        domain: domain.clone(),
        descriptors: descriptors.iter().map(descriptor).collect(),
        ..Default::default()
    }
}
