//! Limits of this proxy's own.

use common::rate_limit_descriptor::Entry;
use common::{VhRateLimitsOptions, XRateLimitHeadersRfcVersion};
use envoy_types::pb::envoy::extensions::common::ratelimit::v3 as common;
use envoy_types::pb::envoy::extensions::filters::http::local_ratelimit::v3 as pb;
use envoy_types::pb::envoy::r#type::v3::HttpStatus;

use super::super::{headers, rate_limit, scalar};
use crate::model::{LocalDescriptor, LocalRateLimit, VhRateLimits};

pub(super) fn filter(filter: &LocalRateLimit) -> pb::LocalRateLimit {
    let LocalRateLimit {
        stat_prefix,
        status,
        token_bucket,
        filter_enabled,
        filter_enforced,
        request_headers_when_not_enforced,
        response_headers,
        descriptors,
        stage,
        x_ratelimit_headers,
        vh_rate_limits,
        always_consume_default,
        as_resource_exhausted,
        rate_limits,
        retry_after,
    } = filter;
    let version = match x_ratelimit_headers {
        true => XRateLimitHeadersRfcVersion::DraftVersion03,
        false => XRateLimitHeadersRfcVersion::Off,
    };
    let vh_rate_limits = match vh_rate_limits {
        VhRateLimits::Override => VhRateLimitsOptions::Override,
        VhRateLimits::Include => VhRateLimitsOptions::Include,
        VhRateLimits::Ignore => VhRateLimitsOptions::Ignore,
    };
    pb::LocalRateLimit {
        stat_prefix: stat_prefix.clone(),
        status: Some(HttpStatus { code: i32::from(status.as_u16()) }),
        token_bucket: token_bucket.map(rate_limit::token_bucket),
        filter_enabled: filter_enabled.as_ref().map(scalar::runtime_fraction),
        filter_enforced: filter_enforced.as_ref().map(scalar::runtime_fraction),
        request_headers_to_add_when_not_enforced: headers::add(request_headers_when_not_enforced),
        response_headers_to_add: headers::add(response_headers),
        descriptors: descriptors.iter().map(descriptor).collect(),
        stage: *stage,
        enable_x_ratelimit_headers: version.into(),
        vh_rate_limits: vh_rate_limits.into(),
        always_consume_default_token_bucket: scalar::switch(*always_consume_default),
        rate_limited_as_resource_exhausted: *as_resource_exhausted,
        rate_limits: rate_limits.iter().map(rate_limit::rate_limit).collect(),
        enable_retry_after_header: *retry_after,
        ..Default::default()
    }
}

fn descriptor(descriptor: &LocalDescriptor) -> common::LocalRateLimitDescriptor {
    let LocalDescriptor { entries, token_bucket } = descriptor;
    let entry = |(key, value): &(String, String)| Entry { key: key.clone(), value: value.clone() };
    common::LocalRateLimitDescriptor {
        entries: entries.iter().map(entry).collect(),
        token_bucket: Some(rate_limit::token_bucket(*token_bucket)),
        ..Default::default()
    }
}
