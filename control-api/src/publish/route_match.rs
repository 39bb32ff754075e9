//! The Gateway API's matches as Envoy's, and which match goes first.
//!
//! One rule: precedence is the Gateway API's, not the order in the document.

use std::cmp::Reverse;

use envoy_types::pb::envoy::config::route::v3 as route;
use gateway_api::httproutes::{
    HttpRouteRulesMatches, HttpRouteRulesMatchesHeadersType, HttpRouteRulesMatchesMethod,
    HttpRouteRulesMatchesPathType, HttpRouteRulesMatchesQueryParamsType,
};
use route::header_matcher::HeaderMatchSpecifier;
use route::query_parameter_matcher::QueryParameterMatchSpecifier;
use route::route_match::PathSpecifier;

use super::pack;

/// What a match says about the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// The whole path.
    Exact(String),
    /// The whole path, by a regular expression.
    Regex(String),
    /// Whole elements from the beginning; without a slash at the end, so empty for every path.
    Prefix(String),
}

/// Where a match stands among the matches for one host; less goes first. Exact paths, then regular
/// expressions, then the longer prefix; then a method, more headers, more parameters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Precedence {
    path: (u8, Reverse<usize>),
    has_no_method: bool,
    headers: Reverse<usize>,
    parameters: Reverse<usize>,
}

/// What a match says about the path.
pub fn path(wanted: &HttpRouteRulesMatches) -> Path {
    let Some(path) = &wanted.path else {
        return Path::Prefix(String::new());
    };
    let value = path.value.clone().unwrap_or_else(|| "/".into());
    match path.r#type {
        Some(HttpRouteRulesMatchesPathType::Exact) => Path::Exact(value),
        Some(HttpRouteRulesMatchesPathType::RegularExpression) => Path::Regex(value),
        Some(HttpRouteRulesMatchesPathType::PathPrefix) | None => {
            Path::Prefix(value.trim_end_matches('/').into())
        }
    }
}

/// Where a match stands.
pub fn precedence(wanted: &HttpRouteRulesMatches) -> Precedence {
    let path = match path(wanted) {
        Path::Exact(path) => (0, Reverse(path.len())),
        Path::Regex(pattern) => (1, Reverse(pattern.len())),
        Path::Prefix(prefix) => (2, Reverse(prefix.len())),
    };
    Precedence {
        path,
        has_no_method: wanted.method.is_none(),
        headers: Reverse(wanted.headers.as_ref().map_or(0, Vec::len)),
        parameters: Reverse(wanted.query_params.as_ref().map_or(0, Vec::len)),
    }
}

/// A match on `path`, with everything else that the document wants.
pub fn route_match(path: PathSpecifier, wanted: &HttpRouteRulesMatches) -> route::RouteMatch {
    let mut headers: Vec<_> = method(wanted).map(|m| method_is(pack::exactly(m))).into_iter().collect();
    headers.extend(wanted.headers.iter().flatten().map(|header| {
        let is_regex = header.r#type == Some(HttpRouteRulesMatchesHeadersType::RegularExpression);
        let value = if is_regex { pack::matching(&header.value) } else { pack::exactly(&header.value) };
        route::HeaderMatcher {
            name: header.name.to_ascii_lowercase(),
            header_match_specifier: Some(HeaderMatchSpecifier::StringMatch(value)),
            ..Default::default()
        }
    }));
    let parameters = wanted.query_params.iter().flatten().map(|parameter| {
        let is_regex = parameter.r#type == Some(HttpRouteRulesMatchesQueryParamsType::RegularExpression);
        let value = &parameter.value;
        let value = if is_regex { pack::matching(value) } else { pack::exactly(value) };
        route::QueryParameterMatcher {
            name: parameter.name.clone(),
            query_parameter_match_specifier: Some(QueryParameterMatchSpecifier::StringMatch(value)),
        }
    });
    route::RouteMatch {
        path_specifier: Some(path),
        headers,
        query_parameters: parameters.collect(),
        ..Default::default()
    }
}

/// The path of a match as Envoy has it.
pub fn path_specifier(path: &Path) -> PathSpecifier {
    match path {
        Path::Exact(path) => PathSpecifier::Path(path.clone()),
        Path::Regex(pattern) => PathSpecifier::SafeRegex(pack::regex(pattern)),
        Path::Prefix(prefix) if prefix.is_empty() => PathSpecifier::Prefix("/".into()),
        Path::Prefix(prefix) => PathSpecifier::PathSeparatedPrefix(prefix.clone()),
    }
}

/// A condition on the method.
pub fn method_is(value: envoy_types::pb::envoy::r#type::matcher::v3::StringMatcher) -> route::HeaderMatcher {
    route::HeaderMatcher {
        name: ":method".into(),
        header_match_specifier: Some(HeaderMatchSpecifier::StringMatch(value)),
        ..Default::default()
    }
}

/// The method that a match wants.
pub fn method(wanted: &HttpRouteRulesMatches) -> Option<&'static str> {
    wanted.method.as_ref().map(|method| match method {
        HttpRouteRulesMatchesMethod::Get => "GET",
        HttpRouteRulesMatchesMethod::Head => "HEAD",
        HttpRouteRulesMatchesMethod::Post => "POST",
        HttpRouteRulesMatchesMethod::Put => "PUT",
        HttpRouteRulesMatchesMethod::Delete => "DELETE",
        HttpRouteRulesMatchesMethod::Connect => "CONNECT",
        HttpRouteRulesMatchesMethod::Options => "OPTIONS",
        HttpRouteRulesMatchesMethod::Trace => "TRACE",
        HttpRouteRulesMatchesMethod::Patch => "PATCH",
    })
}
