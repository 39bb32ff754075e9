//! Limits of this proxy's own (`envoy.extensions.filters.http.local_ratelimit.v3`).

use common::rate_limit_descriptor::Entry;
use common::{VhRateLimitsOptions, XRateLimitHeadersRfcVersion};
use envoy_types::pb::envoy::extensions::common::ratelimit::v3 as common;
use envoy_types::pb::envoy::extensions::filters::http::local_ratelimit::v3 as pb;

use super::super::path::{Invalid, Path, absent};
use super::super::{headers, rate_limit, scalar};
use crate::model::{LocalDescriptor, LocalRateLimit, VhRateLimits};

/// Most fields that may be added either way, as in Envoy.
const HEADERS_MAX: usize = 10;

/// The filter in a chain.
pub(super) fn filter(path: &Path<'_>, filter: &pb::LocalRateLimit) -> Result<LocalRateLimit, Invalid> {
    #[rustfmt::skip]
    let pb::LocalRateLimit {
        stat_prefix, status, token_bucket, filter_enabled, filter_enforced,
        request_headers_to_add_when_not_enforced, response_headers_to_add, descriptors, stage,
        enable_x_ratelimit_headers, vh_rate_limits, always_consume_default_token_bucket,
        rate_limited_as_resource_exhausted, rate_limits, enable_retry_after_header,
        // Refused when set.
        local_rate_limit_per_downstream_connection, local_cluster_rate_limit, max_dynamic_descriptors,
    } = filter;
    absent!(path; local_rate_limit_per_downstream_connection, local_cluster_rate_limit,
        max_dynamic_descriptors);
    let at_bucket = path.field("token_bucket");
    let at = path.field("enable_x_ratelimit_headers");
    let x_ratelimit_headers = at.known::<XRateLimitHeadersRfcVersion>(*enable_x_ratelimit_headers)?
        != XRateLimitHeadersRfcVersion::Off;
    let vh_rate_limits = match path.field("vh_rate_limits").known(*vh_rate_limits)? {
        VhRateLimitsOptions::Override => VhRateLimits::Override,
        VhRateLimitsOptions::Include => VhRateLimits::Include,
        VhRateLimitsOptions::Ignore => VhRateLimits::Ignore,
    };
    let add = |name: &str, fields: &[_]| {
        let at = path.field(name);
        if fields.len() > HEADERS_MAX {
            return at.refuse(format!("has {} fields; at most {HEADERS_MAX} are accepted", fields.len()));
        }
        at.each(fields, headers::add)
    };
    Ok(LocalRateLimit {
        stat_prefix: path.field("stat_prefix").non_empty(stat_prefix)?,
        status: rate_limit::limited_status(&path.field("status"), status.as_ref())?,
        token_bucket: token_bucket
            .as_ref()
            .map(|bucket| rate_limit::token_bucket(&at_bucket, bucket))
            .transpose()?,
        filter_enabled: path.field("filter_enabled").optional_fraction(filter_enabled.as_ref())?,
        filter_enforced: path.field("filter_enforced").optional_fraction(filter_enforced.as_ref())?,
        request_headers_when_not_enforced: add(
            "request_headers_to_add_when_not_enforced",
            request_headers_to_add_when_not_enforced,
        )?,
        response_headers: add("response_headers_to_add", response_headers_to_add)?,
        descriptors: path.field("descriptors").each(descriptors, descriptor)?,
        stage: rate_limit::stage_number(&path.field("stage"), *stage)?,
        x_ratelimit_headers,
        vh_rate_limits,
        always_consume_default: scalar::switch(always_consume_default_token_bucket, true),
        as_resource_exhausted: *rate_limited_as_resource_exhausted,
        rate_limits: path.field("rate_limits").each(rate_limits, rate_limit::rate_limit)?,
        retry_after: *enable_retry_after_header,
    })
}

/// The filter on a host or route, which must have a bucket for all requests, as in Envoy.
pub(super) fn per_route(path: &Path<'_>, filter: &pb::LocalRateLimit) -> Result<LocalRateLimit, Invalid> {
    path.field("token_bucket").required(&filter.token_bucket)?;
    self::filter(path, filter)
}

fn descriptor(
    path: &Path<'_>,
    descriptor: &common::LocalRateLimitDescriptor,
) -> Result<LocalDescriptor, Invalid> {
    let common::LocalRateLimitDescriptor { entries, token_bucket, shadow_mode } = descriptor;
    absent!(path; shadow_mode);
    let at = path.field("entries");
    if entries.is_empty() {
        return at.refuse("must not be empty");
    }
    let entry = |at: &Path<'_>, Entry { key, value }: &Entry| {
        if value.is_empty() {
            return at
                .field("value")
                .refuse("must not be empty: descriptors for any value are not supported");
        }
        Ok((at.field("key").non_empty(key)?, value.clone()))
    };
    let at_bucket = path.field("token_bucket");
    Ok(LocalDescriptor {
        entries: at.each(entries, entry)?,
        token_bucket: rate_limit::token_bucket(&at_bucket, at_bucket.required(token_bucket)?)?,
    })
}
