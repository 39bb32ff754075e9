//! What a rule does with a request: forward, rewrite, redirect, change headers.
//!
//! One rule: a rule becomes as many Envoy routes as its meaning needs, all with the rule's name.

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::config::route::v3 as route;
use envoy_types::pb::envoy::r#type::matcher::v3::RegexMatchAndSubstitute;
use gateway_api::httproutes::{
    HttpRouteRules, HttpRouteRulesBackendRefs, HttpRouteRulesFiltersRequestRedirect,
    HttpRouteRulesFiltersRequestRedirectPathType, HttpRouteRulesFiltersRequestRedirectScheme,
    HttpRouteRulesFiltersUrlRewritePathType,
};
use route::redirect_action::{PathRewriteSpecifier, RedirectResponseCode, SchemeRewriteSpecifier};
use route::route_action::hash_policy::{ConnectionProperties, Header, PolicySpecifier};
use route::route_action::{ClusterSpecifier, HashPolicy, HostRewriteSpecifier};
use route::weighted_cluster::ClusterWeight;

use super::name;
use super::pack;
use crate::resource::http_filter::HeaderChanges;
use crate::resource::http_route;
use crate::resource::service::ServiceSpec;

/// How the path that the instance sees is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathChange {
    /// As it came.
    Keep,
    /// All of it is replaced.
    Full(String),
    /// The matched prefix is replaced.
    Prefix(String),
}

/// How a rule rewrites the path, or redirects to another.
pub fn path_change(rule: &HttpRouteRules) -> PathChange {
    for filter in rule.filters.iter().flatten() {
        let rewrite = filter.url_rewrite.as_ref().and_then(|r| r.path.as_ref());
        if let Some(path) = rewrite {
            let is_full = path.r#type == HttpRouteRulesFiltersUrlRewritePathType::ReplaceFullPath;
            return change(is_full, &path.replace_full_path, &path.replace_prefix_match);
        }
        let redirect = filter.request_redirect.as_ref().and_then(|r| r.path.as_ref());
        if let Some(path) = redirect {
            let is_full = path.r#type == HttpRouteRulesFiltersRequestRedirectPathType::ReplaceFullPath;
            return change(is_full, &path.replace_full_path, &path.replace_prefix_match);
        }
    }
    PathChange::Keep
}

fn change(is_full: bool, full: &Option<String>, prefix: &Option<String>) -> PathChange {
    match is_full {
        true => PathChange::Full(full.clone().unwrap_or_default()),
        false => PathChange::Prefix(prefix.clone().unwrap_or_default()),
    }
}

/// The redirect of a rule, if it has one; its path is `change`.
pub fn redirect(rule: &HttpRouteRules, change: &PathChange) -> Option<route::RedirectAction> {
    let redirect = rule.filters.iter().flatten().find_map(|f| f.request_redirect.as_ref())?;
    Some(route::RedirectAction {
        host_redirect: redirect.hostname.clone().unwrap_or_default(),
        port_redirect: redirect_port(redirect),
        response_code: match redirect.status_code.unwrap_or(302) {
            301 => RedirectResponseCode::MovedPermanently.into(),
            303 => RedirectResponseCode::SeeOther.into(),
            307 => RedirectResponseCode::TemporaryRedirect.into(),
            308 => RedirectResponseCode::PermanentRedirect.into(),
            _ => RedirectResponseCode::Found.into(),
        },
        scheme_rewrite_specifier: redirect
            .scheme
            .as_ref()
            .map(|scheme| SchemeRewriteSpecifier::SchemeRedirect(scheme_name(scheme).into())),
        path_rewrite_specifier: match change {
            PathChange::Keep => None,
            PathChange::Full(path) => Some(PathRewriteSpecifier::PathRedirect(path.clone())),
            PathChange::Prefix(prefix) => Some(PathRewriteSpecifier::PrefixRewrite(prefix.clone())),
        },
        ..Default::default()
    })
}

/// With a scheme and no port, the port is the scheme's (Gateway API).
fn redirect_port(redirect: &HttpRouteRulesFiltersRequestRedirect) -> u32 {
    match (redirect.port, &redirect.scheme) {
        (Some(port), _) => port.unsigned_abs(),
        (None, Some(HttpRouteRulesFiltersRequestRedirectScheme::Https)) => 443,
        (None, Some(HttpRouteRulesFiltersRequestRedirectScheme::Http)) => 80,
        (None, None) => 0,
    }
}

fn scheme_name(scheme: &HttpRouteRulesFiltersRequestRedirectScheme) -> &'static str {
    match scheme {
        HttpRouteRulesFiltersRequestRedirectScheme::Http => "http",
        HttpRouteRulesFiltersRequestRedirectScheme::Https => "https",
    }
}

/// Where a rule forwards to; `None` when no backend has a weight.
pub fn target(rule: &HttpRouteRules) -> Option<ClusterSpecifier> {
    let backends: Vec<_> =
        rule.backend_refs.iter().flatten().filter(|b| http_route::backend(b).share() > 0).collect();
    match backends.as_slice() {
        [] => None,
        [only] if only.filters.as_ref().is_none_or(Vec::is_empty) => {
            Some(ClusterSpecifier::Cluster(name::everywhere(&only.name)))
        }
        several => Some(ClusterSpecifier::WeightedClusters(route::WeightedCluster {
            clusters: several.iter().map(|backend| weighted(backend)).collect(),
            ..Default::default()
        })),
    }
}

fn weighted(backend: &HttpRouteRulesBackendRefs) -> ClusterWeight {
    let mut weighted = ClusterWeight {
        name: name::everywhere(&backend.name),
        weight: pack::number(http_route::backend(backend).share()),
        ..Default::default()
    };
    for filter in backend.filters.iter().flatten() {
        if let Some(changes) = HeaderChanges::of_backend_request(filter) {
            (weighted.request_headers_to_add, weighted.request_headers_to_remove) = header_changes(&changes);
        }
        if let Some(changes) = HeaderChanges::of_backend_response(filter) {
            (weighted.response_headers_to_add, weighted.response_headers_to_remove) =
                header_changes(&changes);
        }
    }
    weighted
}

/// Writes a rule's path and host rewrite into a forwarding action. `replaces_all` says that the
/// match was on the whole path, so that replacing what matched replaces all.
pub fn rewrite(
    rule: &HttpRouteRules,
    change: &PathChange,
    replaces_all: bool,
    action: &mut route::RouteAction,
) {
    match change {
        PathChange::Keep => {}
        PathChange::Prefix(prefix) => action.prefix_rewrite = prefix.clone(),
        PathChange::Full(path) if replaces_all => action.prefix_rewrite = path.clone(),
        PathChange::Full(path) => {
            action.regex_rewrite = Some(RegexMatchAndSubstitute {
                pattern: Some(pack::regex("^.*$")),
                // Backslashes begin group references; a path from a document has none.
                substitution: path.clone(),
            });
        }
    }
    let rewrites = rule.filters.iter().flatten().filter_map(|f| f.url_rewrite.as_ref());
    if let Some(host) = rewrites.filter_map(|r| r.hostname.clone()).next() {
        action.host_rewrite_specifier = Some(HostRewriteSpecifier::HostRewriteLiteral(host));
    }
}

/// Writes a rule's header changes into a route.
pub fn change_headers(rule: &HttpRouteRules, route: &mut route::Route) {
    for filter in rule.filters.iter().flatten() {
        if let Some(changes) = HeaderChanges::of_request(filter) {
            (route.request_headers_to_add, route.request_headers_to_remove) = header_changes(&changes);
        }
        if let Some(changes) = HeaderChanges::of_response(filter) {
            (route.response_headers_to_add, route.response_headers_to_remove) = header_changes(&changes);
        }
    }
}

fn header_changes(changes: &HeaderChanges) -> (Vec<core::HeaderValueOption>, Vec<String>) {
    use core::header_value_option::HeaderAppendAction;
    let option = |(key, value): &(String, String), action: HeaderAppendAction| core::HeaderValueOption {
        header: Some(core::HeaderValue {
            key: key.clone(),
            // Envoy reads values as formats, in which a percent sign is written twice.
            value: value.replace('%', "%%"),
            ..Default::default()
        }),
        append_action: action.into(),
        keep_empty_value: true,
        ..Default::default()
    };
    let set = changes.set.iter().map(|h| option(h, HeaderAppendAction::OverwriteIfExistsOrAdd));
    let add = changes.add.iter().map(|h| option(h, HeaderAppendAction::AppendIfExistsOrAdd));
    (set.chain(add).collect(), changes.remove.clone())
}

/// What a service's hashing balancer hashes.
pub fn hash_policy(service: &ServiceSpec) -> Vec<HashPolicy> {
    let Some(balancing) = service.load_balancing.as_ref().filter(|b| b.is_hashing()) else {
        return Vec::new();
    };
    let source_ip = PolicySpecifier::ConnectionProperties(ConnectionProperties { source_ip: true });
    let specifier = match &balancing.hash_header {
        Some(header) => {
            PolicySpecifier::Header(Header { header_name: header.to_ascii_lowercase(), ..Default::default() })
        }
        None => source_ip,
    };
    vec![HashPolicy { policy_specifier: Some(specifier), ..Default::default() }]
}
