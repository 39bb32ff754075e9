//! Redirects of upstreams that are followed here.

use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::config::route::v3 as pb;
use envoy_types::pb::envoy::extensions::internal_redirect as predicates;
use predicates::allow_listed_routes::v3::AllowListedRoutesConfig;
use predicates::previous_routes::v3::PreviousRoutesConfig;
use predicates::safe_cross_scheme::v3::SafeCrossSchemeConfig;

use super::scalar;
use crate::model::{InternalRedirectPolicy, InternalRedirectPredicate};

pub(super) fn internal_redirects(policy: &InternalRedirectPolicy) -> pb::InternalRedirectPolicy {
    let InternalRedirectPolicy {
        max_internal_redirects,
        redirect_response_codes,
        predicates,
        allow_cross_scheme_redirect,
        response_headers_to_copy,
    } = policy;
    let mut codes: Vec<u32> = redirect_response_codes.iter().map(|code| code.as_u16().into()).collect();
    if codes.is_empty() {
        // An empty list would be the default; a code that cannot be followed keeps it empty.
        codes.push(200);
    }
    pb::InternalRedirectPolicy {
        max_internal_redirects: scalar::uint32(*max_internal_redirects),
        redirect_response_codes: codes,
        predicates: predicates.iter().map(predicate).collect(),
        allow_cross_scheme_redirect: *allow_cross_scheme_redirect,
        response_headers_to_copy: response_headers_to_copy.clone(),
    }
}

fn predicate(predicate: &InternalRedirectPredicate) -> TypedExtensionConfig {
    let (name, any) = match predicate {
        InternalRedirectPredicate::PreviousRoutes => {
            ("previous_routes", scalar::any(&PreviousRoutesConfig {}))
        }
        InternalRedirectPredicate::AllowListedRoutes(names) => (
            "allow_listed_routes",
            scalar::any(&AllowListedRoutesConfig { allowed_route_names: names.clone() }),
        ),
        InternalRedirectPredicate::SafeCrossScheme => {
            ("safe_cross_scheme", scalar::any(&SafeCrossSchemeConfig {}))
        }
    };
    TypedExtensionConfig { name: name.to_owned(), typed_config: Some(any) }
}
