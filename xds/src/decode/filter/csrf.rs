//! Cross-site request forgery (`envoy.extensions.filters.http.csrf.v3`).

use envoy_types::pb::envoy::extensions::filters::http::csrf::v3 as pb;

use super::super::matcher;
use super::super::path::{Invalid, Path};
use crate::model::CsrfPolicy;

/// The policy of a chain, host or route.
pub(super) fn policy(path: &Path<'_>, policy: &pb::CsrfPolicy) -> Result<CsrfPolicy, Invalid> {
    let pb::CsrfPolicy { filter_enabled, shadow_enabled, additional_origins } = policy;
    let at = path.field("filter_enabled");
    Ok(CsrfPolicy {
        filter_enabled: at.runtime_fraction(at.required(filter_enabled)?)?,
        shadow_enabled: path.field("shadow_enabled").optional_fraction(shadow_enabled.as_ref())?,
        additional_origins: path.field("additional_origins").each(additional_origins, matcher::string)?,
    })
}
