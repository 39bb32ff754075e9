//! Which requests a route takes (`RouteMatch`).

use envoy_types::pb::envoy::config::route::v3 as pb;
use pb::route_match::{ConnectMatcher, GrpcRouteMatchOptions, PathSpecifier};

use super::filter_state;
use super::matcher;
use super::metadata_matcher;
use super::path::{Invalid, Path, absent};
use super::scalar::switch;
use crate::model::{PathMatch, RouteMatch};

/// Which requests a route takes.
pub(super) fn route_match(path: &Path<'_>, matches: &pb::RouteMatch) -> Result<RouteMatch, Invalid> {
    let pb::RouteMatch {
        case_sensitive,
        runtime_fraction,
        headers,
        query_parameters,
        cookies,
        grpc,
        tls_context,
        dynamic_metadata,
        filter_state,
        path_specifier,
    } = matches;
    absent!(path; tls_context);
    let request_path = path_match(path, path_specifier)?;
    let case_sensitive = switch(case_sensitive, true);
    if !case_sensitive && matches!(request_path, PathMatch::Regex(_)) {
        let hint = "does not apply to safe_regex; write (?i) in the expression";
        return path.field("case_sensitive").refuse(hint);
    }
    let at = path.field("runtime_fraction");
    Ok(RouteMatch {
        path: request_path,
        case_sensitive,
        headers: path.field("headers").each(headers, matcher::header)?,
        query_parameters: path.field("query_parameters").each(query_parameters, matcher::query)?,
        cookies: path.field("cookies").each(cookies, matcher::cookie)?,
        grpc: matches!(grpc, Some(GrpcRouteMatchOptions {})),
        runtime_fraction: runtime_fraction.as_ref().map(|share| at.runtime_fraction(share)).transpose()?,
        dynamic_metadata: path
            .field("dynamic_metadata")
            .each(dynamic_metadata, metadata_matcher::metadata)?,
        filter_state: path.field("filter_state").each(filter_state, filter_state::matcher)?,
    })
}

fn path_match(path: &Path<'_>, specifier: &Option<PathSpecifier>) -> Result<PathMatch, Invalid> {
    match specifier {
        Some(PathSpecifier::Prefix(prefix)) => Ok(PathMatch::Prefix(prefix.clone())),
        Some(PathSpecifier::Path(exact)) => Ok(PathMatch::Exact(exact.clone())),
        Some(PathSpecifier::PathSeparatedPrefix(prefix)) => {
            if prefix.len() < 2 || prefix.ends_with('/') || prefix.contains(['?', '#']) {
                return path.field("path_separated_prefix").refuse(format!(
                    "{prefix:?} is not accepted; it needs two characters, no slash at its end and no ? or #"
                ));
            }
            Ok(PathMatch::SeparatedPrefix(prefix.clone()))
        }
        Some(PathSpecifier::SafeRegex(regex)) => {
            matcher::regex(&path.field("safe_regex"), regex).map(PathMatch::Regex)
        }
        Some(PathSpecifier::ConnectMatcher(ConnectMatcher {})) => Ok(PathMatch::Connect),
        Some(PathSpecifier::PathMatchPolicy(_)) => path.field("path_match_policy").unsupported(),
        None => path.refuse(
            "has no path; accepted: prefix, path, path_separated_prefix, safe_regex, connect_matcher",
        ),
    }
}
