//! Cross-origin resource sharing.

use envoy_types::pb::envoy::extensions::filters::http::cors::v3 as pb;

use super::super::{matcher, scalar};
use crate::model::CorsPolicy;

pub(super) fn policy(policy: &CorsPolicy) -> pb::CorsPolicy {
    let CorsPolicy {
        allow_origin,
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
    pb::CorsPolicy {
        allow_origin_string_match: allow_origin.iter().map(matcher::string).collect(),
        allow_methods: allow_methods.clone(),
        allow_headers: allow_headers.clone(),
        expose_headers: expose_headers.clone(),
        max_age: max_age.clone(),
        allow_credentials: allow_credentials.and_then(scalar::switch),
        filter_enabled: filter_enabled.as_ref().map(scalar::runtime_fraction),
        shadow_enabled: shadow_enabled.as_ref().map(scalar::runtime_fraction),
        allow_private_network_access: allow_private_network_access.and_then(scalar::switch),
        forward_not_matching_preflights: forward_not_matching_preflights.and_then(scalar::switch),
    }
}
