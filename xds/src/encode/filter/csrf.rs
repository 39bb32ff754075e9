//! Cross-site request forgery.

use envoy_types::pb::envoy::extensions::filters::http::csrf::v3 as pb;

use super::super::{matcher, scalar};
use crate::model::CsrfPolicy;

pub(super) fn policy(policy: &CsrfPolicy) -> pb::CsrfPolicy {
    let CsrfPolicy { filter_enabled, shadow_enabled, additional_origins } = policy;
    pb::CsrfPolicy {
        filter_enabled: Some(scalar::runtime_fraction(filter_enabled)),
        shadow_enabled: shadow_enabled.as_ref().map(scalar::runtime_fraction),
        additional_origins: additional_origins.iter().map(matcher::string).collect(),
    }
}
