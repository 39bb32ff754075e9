//! Route tables and virtual hosts (`RouteConfiguration`, `VirtualHost`). A domain stands in one host only.

use std::collections::HashSet;

use envoy_types::pb::envoy::config::route::v3 as pb;
use envoy_types::pb::google::protobuf::Any;
use envoy_types::pb::xds::r#type::matcher::v3 as pb_tree;
use pb::virtual_host::TlsRequirementType;

use super::any;
use super::filter;
use super::headers;
use super::match_tree::{self, Kind};
use super::mirror;
use super::path::{Invalid, Path, absent};
use super::rate_limit;
use super::retry;
use super::route::{self, Shared};
use super::specifier_plugin;
use crate::model::{
    Domain, MatchInput, MatchTree, RequireTls, Route, RouteConfigName, RouteConfiguration, VirtualHost,
};

/// Envoy's `max_direct_response_body_size_bytes`.
const DIRECT_RESPONSE_BYTES: u32 = 4096;

/// A route table; only one that stands in a listener may have no name.
pub(super) fn route_configuration(
    path: &Path<'_>,
    table: &pb::RouteConfiguration,
) -> Result<RouteConfiguration, Invalid> {
    #[rustfmt::skip]
    let pb::RouteConfiguration {
        name, virtual_hosts, request_headers_to_add, request_headers_to_remove, response_headers_to_add,
        response_headers_to_remove, most_specific_header_mutations_wins, validate_clusters,
        max_direct_response_body_size_bytes, ignore_port_in_host_matching, typed_per_filter_config,
        cluster_specifier_plugins, request_mirror_policies,
        // Free fields, which no filter here reads.
        metadata: _,
        // Refused when set.
        vhds, internal_only_headers, vhost_header,
        ignore_path_parameters_in_path_matching, route_specifiers,
    } = table;
    absent!(path; vhds, internal_only_headers, vhost_header,
        ignore_path_parameters_in_path_matching, route_specifiers);
    let filters = filter::overrides(path, typed_per_filter_config)?;
    let body_bytes_max =
        max_direct_response_body_size_bytes.as_ref().map_or(DIRECT_RESPONSE_BYTES, |limit| limit.value);
    let plugins = path.field("cluster_specifier_plugins");
    let ignored_plugins = specifier_plugin::ignored(&plugins, cluster_specifier_plugins)?;
    let shared = Shared { body_bytes_max, ignored_plugins };
    let hosts = path.field("virtual_hosts");
    hosts.unique("virtual host name", virtual_hosts.iter().map(|host| host.name.as_str()))?;
    let virtual_hosts = hosts.each(virtual_hosts, |at, host| virtual_host(at, host, &shared))?;
    one_host_each(&hosts, &virtual_hosts)?;
    let (request_headers, response_headers) = headers::mutations(
        path,
        (request_headers_to_add, request_headers_to_remove),
        (response_headers_to_add, response_headers_to_remove),
    )?;
    Ok(RouteConfiguration {
        name: RouteConfigName::new(name.as_str()),
        virtual_hosts,
        request_headers,
        response_headers,
        ignore_port_in_host_matching: *ignore_port_in_host_matching,
        most_specific_header_mutations_wins: *most_specific_header_mutations_wins,
        validate_clusters: validate_clusters.as_ref().map(|validate| validate.value),
        max_direct_response_body_size_bytes: body_bytes_max,
        request_mirrors: mirror::mirrors(path, request_mirror_policies)?,
        filters,
    })
}

fn virtual_host(
    path: &Path<'_>,
    host: &pb::VirtualHost,
    shared: &Shared<'_>,
) -> Result<VirtualHost, Invalid> {
    #[rustfmt::skip]
    let pb::VirtualHost {
        name, domains, routes, require_tls, request_headers_to_add, request_headers_to_remove,
        response_headers_to_add, response_headers_to_remove, typed_per_filter_config,
        include_request_attempt_count, include_attempt_count_in_response, retry_policy, rate_limits,
        request_mirror_policies,
        // Free fields, which no filter here reads.
        metadata: _,
        matcher,
        // Refused when set.
        virtual_clusters, cors, retry_policy_typed_config, hedge_policy,
        include_is_timeout_retry_header, per_request_buffer_limit_bytes, request_body_buffer_limit,
        route_specifiers,
    } = host;
    absent!(path; virtual_clusters, cors, retry_policy_typed_config, hedge_policy,
        include_is_timeout_retry_header, per_request_buffer_limit_bytes, request_body_buffer_limit,
        route_specifiers);
    let filters = filter::overrides(path, typed_per_filter_config)?;
    let at = path.field("domains");
    if domains.is_empty() {
        return at.refuse("must not be empty; `*` takes every host");
    }
    let require_tls = match path.field("require_tls").known(*require_tls)? {
        TlsRequirementType::None => RequireTls::None,
        TlsRequirementType::ExternalOnly => RequireTls::ExternalOnly,
        TlsRequirementType::All => RequireTls::All,
    };
    let retries = path.field("retry_policy");
    let (request_headers, response_headers) = headers::mutations(
        path,
        (request_headers_to_add, request_headers_to_remove),
        (response_headers_to_add, response_headers_to_remove),
    )?;
    if matcher.is_some() && !routes.is_empty() {
        return path.field("matcher").refuse("and routes are both set; keep one");
    }
    let at_matcher = path.field("matcher");
    let matcher = matcher.as_ref().map(|found| self::matcher(&at_matcher, found, shared)).transpose()?;
    let routes = path.field("routes").each(routes, |at, route| route::route(at, route, shared))?;
    Ok(VirtualHost {
        name: path.field("name").non_empty(name)?,
        domains: at.each(domains, |at, text| domain(at, text))?,
        routes: routes.into_iter().flatten().collect(),
        matcher,
        require_tls,
        request_headers,
        response_headers,
        include_request_attempt_count: *include_request_attempt_count,
        include_attempt_count_in_response: *include_attempt_count_in_response,
        retry_policy: retry_policy
            .as_ref()
            .map(|policy| retry::retry_policy(&retries, policy))
            .transpose()?,
        rate_limits: path.field("rate_limits").each(rate_limits, rate_limit::rate_limit)?,
        request_mirrors: mirror::mirrors(path, request_mirror_policies)?,
        filters,
    })
}

/// A tree whose leaves are routes, which have to match, too.
fn matcher(
    path: &Path<'_>,
    matcher: &pb_tree::Matcher,
    shared: &Shared<'_>,
) -> Result<MatchTree<Vec<Route>>, Invalid> {
    let action = |at: &Path<'_>, name: &str, found: &Any| {
        if let Some(route) = any::unpack_if::<pb::Route>(at, found)? {
            return Ok(route::route(at, &route, shared)?.into_iter().collect());
        }
        if let Some(pb::RouteList { routes }) = any::unpack_if(at, found)? {
            let routes = at.field("routes").each(&routes, |at, route| route::route(at, route, shared))?;
            return Ok(routes.into_iter().flatten().collect());
        }
        any::unknown(at, name, found, "Route, RouteList")
    };
    let kind = Kind {
        accepts: |input| matches!(input, MatchInput::RequestHeader(_) | MatchInput::FilterState(_)),
        accepted: "HttpRequestHeaderMatchInput, FilterStateInput",
        action: &action,
    };
    match_tree::tree(path, matcher, &kind)
}

/// `*`, an exact host, `*suffix` or `prefix*`.
fn domain(path: &Path<'_>, text: &str) -> Result<Domain, Invalid> {
    let domain = headers::value(path, &path.non_empty(text)?)?.to_ascii_lowercase();
    if domain == "*" {
        return Ok(Domain::Any);
    }
    let (part, kind): (&str, fn(String) -> Domain) =
        match (domain.strip_prefix('*'), domain.strip_suffix('*')) {
            (Some(suffix), _) => (suffix, Domain::Suffix),
            (None, Some(prefix)) => (prefix, Domain::Prefix),
            (None, None) => (&domain, Domain::Exact),
        };
    if part.contains('*') {
        return path
            .refuse(format!("{text:?} has a star that is neither its first nor its last character only"));
    }
    Ok(kind(part.to_owned()))
}

fn one_host_each(path: &Path<'_>, hosts: &[VirtualHost]) -> Result<(), Invalid> {
    let mut seen = HashSet::new();
    for (index, host) in hosts.iter().enumerate() {
        let at = path.index(index);
        for (index, domain) in host.domains.iter().enumerate() {
            if !seen.insert(domain) {
                return at.field("domains").index(index).refuse(format!("the domain {domain} is used twice"));
            }
        }
    }
    Ok(())
}
