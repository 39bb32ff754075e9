//! Route tables, virtual hosts and routes.

use envoy_types::pb::envoy::config::route::v3 as pb;
use envoy_types::pb::google::protobuf::Any;
use http::StatusCode;
use pb::redirect_action::{PathRewriteSpecifier, RedirectResponseCode, SchemeRewriteSpecifier};
use pb::route_match::{ConnectMatcher, GrpcRouteMatchOptions, PathSpecifier};
use pb::virtual_host::TlsRequirementType;

use super::filter;
use super::filter_state;
use super::forward;
use super::headers;
use super::match_tree;
use super::matcher;
use super::metadata_matcher;
use super::mirror;
use super::rate_limit;
use super::retry;
use super::scalar;
use super::source;
use crate::model::{
    DirectResponse, PathMatch, Redirect, RedirectPath, RequireTls, Route, RouteAction, RouteConfiguration,
    RouteMatch, VirtualHost,
};

pub(super) fn route_configuration(table: &RouteConfiguration) -> pb::RouteConfiguration {
    let RouteConfiguration {
        name,
        virtual_hosts,
        request_headers,
        response_headers,
        ignore_port_in_host_matching,
        most_specific_header_mutations_wins,
        validate_clusters,
        max_direct_response_body_size_bytes,
        request_mirrors,
        filters,
    } = table;
    pb::RouteConfiguration {
        name: name.to_string(),
        virtual_hosts: virtual_hosts.iter().map(virtual_host).collect(),
        request_headers_to_add: headers::add(&request_headers.add),
        request_headers_to_remove: request_headers.remove.clone(),
        response_headers_to_add: headers::add(&response_headers.add),
        response_headers_to_remove: response_headers.remove.clone(),
        most_specific_header_mutations_wins: *most_specific_header_mutations_wins,
        validate_clusters: validate_clusters.and_then(scalar::switch),
        max_direct_response_body_size_bytes: scalar::uint32(*max_direct_response_body_size_bytes),
        request_mirror_policies: request_mirrors.iter().map(mirror::mirror).collect(),
        typed_per_filter_config: filter::overrides(filters),
        ignore_port_in_host_matching: *ignore_port_in_host_matching,
        ..Default::default()
    }
}

fn virtual_host(host: &VirtualHost) -> pb::VirtualHost {
    let VirtualHost {
        name,
        domains,
        routes,
        matcher,
        require_tls,
        request_headers,
        response_headers,
        include_request_attempt_count,
        include_attempt_count_in_response,
        retry_policy,
        rate_limits,
        request_mirrors,
        filters,
    } = host;
    let require_tls = match require_tls {
        RequireTls::None => TlsRequirementType::None,
        RequireTls::ExternalOnly => TlsRequirementType::ExternalOnly,
        RequireTls::All => TlsRequirementType::All,
    };
    pb::VirtualHost {
        name: name.clone(),
        domains: domains.iter().map(ToString::to_string).collect(),
        routes: routes.iter().map(route).collect(),
        matcher: matcher
            .as_ref()
            .map(|tree| match_tree::tree(tree, &|routes: &Vec<Route>| route_list(routes))),
        require_tls: require_tls.into(),
        request_headers_to_add: headers::add(&request_headers.add),
        request_headers_to_remove: request_headers.remove.clone(),
        response_headers_to_add: headers::add(&response_headers.add),
        response_headers_to_remove: response_headers.remove.clone(),
        include_request_attempt_count: *include_request_attempt_count,
        include_attempt_count_in_response: *include_attempt_count_in_response,
        retry_policy: retry_policy.as_ref().map(retry::retry_policy),
        rate_limits: rate_limits.iter().map(rate_limit::rate_limit).collect(),
        request_mirror_policies: request_mirrors.iter().map(mirror::mirror).collect(),
        typed_per_filter_config: filter::overrides(filters),
        ..Default::default()
    }
}

fn route_list(routes: &[Route]) -> Any {
    scalar::any(&pb::RouteList { routes: routes.iter().map(route).collect() })
}

fn route(route: &Route) -> pb::Route {
    let Route { name, matches, action, request_headers, response_headers, filters } = route;
    let action = match action {
        RouteAction::Forward(forward) => pb::route::Action::Route(forward::forward(forward)),
        RouteAction::Redirect(to) => pb::route::Action::Redirect(redirect(to)),
        RouteAction::DirectResponse(DirectResponse { status, body }) => {
            pb::route::Action::DirectResponse(pb::DirectResponseAction {
                status: u32::from(status.as_u16()),
                body: body.as_ref().map(source::data_source),
                ..Default::default()
            })
        }
    };
    pb::Route {
        name: name.clone(),
        r#match: Some(route_match(matches)),
        request_headers_to_add: headers::add(&request_headers.add),
        request_headers_to_remove: request_headers.remove.clone(),
        response_headers_to_add: headers::add(&response_headers.add),
        response_headers_to_remove: response_headers.remove.clone(),
        typed_per_filter_config: filter::overrides(filters),
        action: Some(action),
        ..Default::default()
    }
}

fn route_match(matches: &RouteMatch) -> pb::RouteMatch {
    let RouteMatch {
        path,
        case_sensitive,
        headers,
        query_parameters,
        cookies,
        grpc,
        runtime_fraction,
        dynamic_metadata,
        filter_state,
    } = matches;
    let path = match path {
        PathMatch::Prefix(prefix) => PathSpecifier::Prefix(prefix.clone()),
        PathMatch::Exact(exact) => PathSpecifier::Path(exact.clone()),
        PathMatch::SeparatedPrefix(prefix) => PathSpecifier::PathSeparatedPrefix(prefix.clone()),
        PathMatch::Regex(regex) => PathSpecifier::SafeRegex(matcher::regex(regex)),
        PathMatch::Connect => PathSpecifier::ConnectMatcher(ConnectMatcher {}),
    };
    pb::RouteMatch {
        case_sensitive: if *case_sensitive { None } else { scalar::switch(false) },
        runtime_fraction: runtime_fraction.as_ref().map(scalar::runtime_fraction),
        headers: headers.iter().map(matcher::header).collect(),
        query_parameters: query_parameters.iter().map(matcher::query).collect(),
        cookies: cookies.iter().map(matcher::cookie).collect(),
        grpc: grpc.then_some(GrpcRouteMatchOptions {}),
        dynamic_metadata: dynamic_metadata.iter().map(metadata_matcher::metadata).collect(),
        filter_state: filter_state.iter().map(filter_state::matcher).collect(),
        path_specifier: Some(path),
        ..Default::default()
    }
}

fn redirect(redirect: &Redirect) -> pb::RedirectAction {
    let Redirect { scheme, host, port, path, status, strip_query } = redirect;
    let path = match path {
        RedirectPath::Keep => None,
        RedirectPath::Replace(path) => Some(PathRewriteSpecifier::PathRedirect(path.clone())),
        RedirectPath::Prefix(prefix) => Some(PathRewriteSpecifier::PrefixRewrite(prefix.clone())),
        RedirectPath::Regex { regex, substitution } => {
            Some(PathRewriteSpecifier::RegexRewrite(matcher::substitution(regex, substitution)))
        }
    };
    let code = match *status {
        StatusCode::FOUND => RedirectResponseCode::Found,
        StatusCode::SEE_OTHER => RedirectResponseCode::SeeOther,
        StatusCode::TEMPORARY_REDIRECT => RedirectResponseCode::TemporaryRedirect,
        StatusCode::PERMANENT_REDIRECT => RedirectResponseCode::PermanentRedirect,
        _ => RedirectResponseCode::MovedPermanently,
    };
    pb::RedirectAction {
        host_redirect: host.clone().unwrap_or_default(),
        port_redirect: port.map_or(0, u32::from),
        response_code: code.into(),
        strip_query: *strip_query,
        scheme_rewrite_specifier: scheme.clone().map(SchemeRewriteSpecifier::SchemeRedirect),
        path_rewrite_specifier: path,
    }
}
