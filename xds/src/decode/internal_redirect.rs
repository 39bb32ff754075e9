//! Redirects of upstreams that are followed here.

use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::config::route::v3 as pb;
use envoy_types::pb::envoy::extensions::internal_redirect as predicates;
use http::StatusCode;
use predicates::allow_listed_routes::v3::AllowListedRoutesConfig;
use predicates::previous_routes::v3::PreviousRoutesConfig;
use predicates::safe_cross_scheme::v3::SafeCrossSchemeConfig;

use super::any;
use super::headers;
use super::path::{Invalid, Path};
use crate::model::{InternalRedirectPolicy, InternalRedirectPredicate};

/// The statuses that can be followed; Envoy passes over others that are listed.
const FOLLOWED: [u16; 5] = [301, 302, 303, 307, 308];

/// Most status codes in the list, as in Envoy.
const CODES_MAX: usize = 5;

/// Most redirects of one request: each holds what came before it until the last is answered.
const REDIRECTS_MAX: u32 = 32;

/// Which redirects are followed.
pub(super) fn internal_redirects(
    path: &Path<'_>,
    policy: &pb::InternalRedirectPolicy,
) -> Result<InternalRedirectPolicy, Invalid> {
    let pb::InternalRedirectPolicy {
        max_internal_redirects,
        redirect_response_codes,
        predicates,
        allow_cross_scheme_redirect,
        response_headers_to_copy,
    } = policy;
    if redirect_response_codes.len() > CODES_MAX {
        let found = redirect_response_codes.len();
        return path
            .field("redirect_response_codes")
            .refuse(format!("has {found} codes; at most {CODES_MAX} are accepted"));
    }
    let codes = redirect_response_codes.iter().filter_map(|code| {
        let code = u16::try_from(*code).ok().filter(|code| FOLLOWED.contains(code))?;
        StatusCode::from_u16(code).ok()
    });
    let codes: Vec<StatusCode> = codes.collect();
    let default = redirect_response_codes.is_empty();
    Ok(InternalRedirectPolicy {
        max_internal_redirects: path
            .field("max_internal_redirects")
            .ranged(max_internal_redirects, 0..=REDIRECTS_MAX)?
            .unwrap_or(1),
        redirect_response_codes: if default { vec![StatusCode::FOUND] } else { codes },
        predicates: path.field("predicates").each(predicates, predicate)?,
        allow_cross_scheme_redirect: *allow_cross_scheme_redirect,
        response_headers_to_copy: path
            .field("response_headers_to_copy")
            .each(response_headers_to_copy, |at, name| headers::name(at, name))?,
    })
}

fn predicate(path: &Path<'_>, config: &TypedExtensionConfig) -> Result<InternalRedirectPredicate, Invalid> {
    let TypedExtensionConfig { name, typed_config } = config;
    let path = path.field("typed_config");
    let found = path.required(typed_config)?;
    if let Some(PreviousRoutesConfig {}) = any::unpack_if(&path, found)? {
        return Ok(InternalRedirectPredicate::PreviousRoutes);
    }
    if let Some(AllowListedRoutesConfig { allowed_route_names }) = any::unpack_if(&path, found)? {
        let names =
            path.field("allowed_route_names").each(&allowed_route_names, |at, name| at.non_empty(name))?;
        return Ok(InternalRedirectPredicate::AllowListedRoutes(names));
    }
    if let Some(SafeCrossSchemeConfig {}) = any::unpack_if(&path, found)? {
        return Ok(InternalRedirectPredicate::SafeCrossScheme);
    }
    any::unknown(&path, name, found, "PreviousRoutesConfig, AllowListedRoutesConfig, SafeCrossSchemeConfig")
}
