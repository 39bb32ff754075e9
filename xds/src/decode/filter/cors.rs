//! Cross-origin resource sharing (`envoy.extensions.filters.http.cors.v3`).

use envoy_types::pb::envoy::extensions::filters::http::cors::v3 as pb;
use envoy_types::pb::google::protobuf::BoolValue;

use super::super::headers;
use super::super::matcher;
use super::super::path::{Invalid, Path};
use crate::model::CorsPolicy;

/// The filter in a chain, which says nothing.
pub(super) fn filter(filter: &pb::Cors) {
    let pb::Cors {} = filter;
}

/// The policy of a host or route.
pub(super) fn policy(path: &Path<'_>, policy: &pb::CorsPolicy) -> Result<CorsPolicy, Invalid> {
    let pb::CorsPolicy {
        allow_origin_string_match,
        allow_methods,
        allow_headers,
        expose_headers,
        max_age,
        allow_credentials,
        filter_enabled,
        shadow_enabled,
        allow_private_network_access,
        forward_not_matching_preflights,
    } = policy;
    let text = |name: &str, value: &str| headers::value(&path.field(name), value);
    let flag = |value: &Option<BoolValue>| value.as_ref().map(|value| value.value);
    Ok(CorsPolicy {
        allow_origin: path
            .field("allow_origin_string_match")
            .each(allow_origin_string_match, matcher::string)?,
        allow_methods: text("allow_methods", allow_methods)?,
        allow_headers: text("allow_headers", allow_headers)?,
        expose_headers: text("expose_headers", expose_headers)?,
        max_age: text("max_age", max_age)?,
        allow_credentials: flag(allow_credentials),
        filter_enabled: path.field("filter_enabled").optional_fraction(filter_enabled.as_ref())?,
        shadow_enabled: path.field("shadow_enabled").optional_fraction(shadow_enabled.as_ref())?,
        allow_private_network_access: flag(allow_private_network_access),
        forward_not_matching_preflights: flag(forward_not_matching_preflights),
    })
}
