//! Limits that a service keeps for all proxies (`envoy.extensions.filters.http.ratelimit.v3`), and its answers.

use std::collections::BTreeMap;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::{ApiVersion, HeaderValue};
use envoy_types::pb::envoy::config::ratelimit::v3::RateLimitServiceConfig;
use envoy_types::pb::envoy::extensions::filters::http::ratelimit::v3 as pb;
use envoy_types::pb::envoy::service::ratelimit::v3 as service;
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use http::StatusCode;
use pb::rate_limit::XRateLimitHeadersRfcVersion;
use pb::rate_limit_per_route::{OverrideOptions, VhRateLimitsOptions};
use service::rate_limit_response::rate_limit::Unit;
use service::rate_limit_response::{Code, DescriptorStatus};

use super::super::path::{Invalid, Path, absent};
use super::super::{grpc_service, headers, metadata, rate_limit};
use crate::model::{
    GrpcService, RateLimitAnswer, RateLimitFilter, RateLimitPerRoute, RateLimitQuota, RateLimitedRequests,
    VhRateLimits,
};

/// Envoy's timeout.
const TIMEOUT: Duration = Duration::from_millis(20);
/// Envoy's namespace for what answers say.
const NAMESPACE: &str = "envoy.filters.http.ratelimit";
/// Most fields that may be added, as in Envoy.
const HEADERS_MAX: usize = 10;
/// Most fields of either kind that a service may add.
const ANSWERED_HEADERS_MAX: usize = 100;

/// The filter in a chain.
pub(super) fn filter(path: &Path<'_>, filter: &pb::RateLimit) -> Result<RateLimitFilter, Invalid> {
    #[rustfmt::skip]
    let pb::RateLimit {
        domain, stage, request_type, timeout, failure_mode_deny, rate_limited_as_resource_exhausted,
        rate_limit_service, enable_x_ratelimit_headers, disable_x_envoy_ratelimited_header,
        rate_limited_status, response_headers_to_add, status_on_error, filter_enabled, filter_enforced,
        failure_mode_deny_percent, rate_limits, metadata_namespace,
        // Refused when set.
        stat_prefix, enable_retry_after_header,
    } = filter;
    absent!(path; stat_prefix, enable_retry_after_header);
    let at = path.field("enable_x_ratelimit_headers");
    let x_ratelimit_headers = at.known::<XRateLimitHeadersRfcVersion>(*enable_x_ratelimit_headers)?
        != XRateLimitHeadersRfcVersion::Off;
    let request_type = match request_type.as_str() {
        "" | "both" => RateLimitedRequests::Both,
        "internal" => RateLimitedRequests::Internal,
        "external" => RateLimitedRequests::External,
        other => {
            let text = format!("{other:?} is not accepted; internal, external and both are");
            return path.field("request_type").refuse(text);
        }
    };
    let at = path.field("response_headers_to_add");
    if response_headers_to_add.len() > HEADERS_MAX {
        let found = response_headers_to_add.len();
        return at.refuse(format!("has {found} fields; at most {HEADERS_MAX} are accepted"));
    }
    let share = |name: &str, share: &Option<_>| path.field(name).optional_fraction(share.as_ref());
    let at_service = path.field("rate_limit_service");
    Ok(RateLimitFilter {
        domain: path.field("domain").non_empty(domain)?,
        stage: rate_limit::stage_number(&path.field("stage"), *stage)?,
        request_type,
        timeout: path.field("timeout").optional(timeout)?.unwrap_or(TIMEOUT),
        failure_mode_deny: *failure_mode_deny,
        failure_mode_deny_percent: share("failure_mode_deny_percent", failure_mode_deny_percent)?,
        as_resource_exhausted: *rate_limited_as_resource_exhausted,
        service: asked(&at_service, at_service.required(rate_limit_service)?)?,
        x_ratelimit_headers,
        disable_x_envoy_ratelimited: *disable_x_envoy_ratelimited_header,
        status: rate_limit::limited_status(&path.field("rate_limited_status"), rate_limited_status.as_ref())?,
        status_on_error: on_error(&path.field("status_on_error"), status_on_error.as_ref())?,
        response_headers: at.each(response_headers_to_add, headers::add)?,
        filter_enabled: share("filter_enabled", filter_enabled)?,
        filter_enforced: share("filter_enforced", filter_enforced)?,
        rate_limits: path.field("rate_limits").each(rate_limits, rate_limit::rate_limit)?,
        metadata_namespace: match metadata_namespace.as_str() {
            "" => NAMESPACE.to_owned(),
            namespace => namespace.to_owned(),
        },
    })
}

/// The filter on a host or route.
pub(super) fn per_route(
    path: &Path<'_>,
    settings: &pb::RateLimitPerRoute,
) -> Result<RateLimitPerRoute, Invalid> {
    let pb::RateLimitPerRoute { vh_rate_limits, override_option, rate_limits, domain } = settings;
    let at = path.field("override_option");
    if at.known::<OverrideOptions>(*override_option)? != OverrideOptions::Default {
        return at.unsupported();
    }
    Ok(RateLimitPerRoute {
        vh_rate_limits: match path.field("vh_rate_limits").known(*vh_rate_limits)? {
            VhRateLimitsOptions::Override => VhRateLimits::Override,
            VhRateLimitsOptions::Include => VhRateLimits::Include,
            VhRateLimitsOptions::Ignore => VhRateLimits::Ignore,
        },
        rate_limits: path.field("rate_limits").each(rate_limits, rate_limit::rate_limit)?,
        domain: domain.clone(),
    })
}

fn asked(path: &Path<'_>, config: &RateLimitServiceConfig) -> Result<GrpcService, Invalid> {
    let RateLimitServiceConfig { grpc_service, transport_api_version } = config;
    let at = path.field("transport_api_version");
    if at.known::<ApiVersion>(*transport_api_version)? == ApiVersion::V2 {
        return at.refuse("V2 is not supported; accepted: V3");
    }
    let at = path.field("grpc_service");
    grpc_service::grpc_service(&at, at.required(grpc_service)?)
}

fn on_error(path: &Path<'_>, status: Option<&HttpStatus>) -> Result<StatusCode, Invalid> {
    Ok(rate_limit::status(path, status)?.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

/// A service's answer.
pub(in crate::decode) fn answer(
    path: &Path<'_>,
    answer: &service::RateLimitResponse,
) -> Result<RateLimitAnswer, Invalid> {
    let service::RateLimitResponse {
        overall_code,
        statuses,
        response_headers_to_add,
        request_headers_to_add,
        raw_body,
        dynamic_metadata,
        // How long an answer may be used again; it is not.
        quota: _,
    } = answer;
    let fields = |name: &str, fields: &[HeaderValue]| {
        let at = path.field(name);
        if fields.len() > ANSWERED_HEADERS_MAX {
            let found = fields.len();
            return at.refuse(format!("has {found} fields; at most {ANSWERED_HEADERS_MAX} are accepted"));
        }
        at.each(fields, field)
    };
    Ok(RateLimitAnswer {
        // What is not known yet lets requests pass, as in Envoy.
        over_limit: match Code::try_from(*overall_code) {
            Ok(Code::OverLimit) => Some(true),
            Ok(Code::Ok) => Some(false),
            Ok(Code::Unknown) | Err(_) => None,
        },
        quotas: statuses.iter().filter_map(quota).collect(),
        request_headers: fields("request_headers_to_add", request_headers_to_add)?,
        response_headers: fields("response_headers_to_add", response_headers_to_add)?,
        body: raw_body.clone(),
        metadata: match dynamic_metadata {
            Some(fields) => metadata::object(&path.field("dynamic_metadata"), fields)?,
            None => BTreeMap::new(),
        },
    })
}

/// A name and a value, which stands in one of two places.
fn field(path: &Path<'_>, field: &HeaderValue) -> Result<(String, String), Invalid> {
    let HeaderValue { key, value, raw_value } = field;
    let name = headers::mutable(&path.field("key"), key)?;
    if value.is_empty() {
        let at = path.field("raw_value");
        let Ok(text) = std::str::from_utf8(raw_value) else { return at.refuse("is not UTF-8") };
        return Ok((name, headers::value(&at, text)?));
    }
    Ok((name, headers::value(&path.field("value"), value)?))
}

fn quota(status: &DescriptorStatus) -> Option<RateLimitQuota> {
    let DescriptorStatus {
        code: _, // The overall code says which holds.
        current_limit,
        limit_remaining,
        duration_until_reset,
        quota: _,
    } = status;
    let limit = current_limit.as_ref()?;
    let window = match Unit::try_from(limit.unit).unwrap_or(Unit::Unknown) {
        Unit::Unknown => 0,
        Unit::Second => 1,
        Unit::Minute => 60,
        Unit::Hour => 60 * 60,
        Unit::Day => 24 * 60 * 60,
        Unit::Week => 7 * 24 * 60 * 60,
        Unit::Month => 30 * 24 * 60 * 60,
        Unit::Year => 365 * 24 * 60 * 60,
    };
    let reset = duration_until_reset.as_ref().map_or(0, |span| span.seconds);
    Some(RateLimitQuota {
        limit: limit.requests_per_unit,
        window,
        name: limit.name.clone(),
        remaining: *limit_remaining,
        reset: u64::try_from(reset).unwrap_or_default(),
    })
}
