//! The routes of a gateway: hosts with their rules, in the order in which they are tried.
//!
//! One rule: the more specific host is asked first, then the less specific ones, as the Gateway API
//! orders hosts before matches; a service's own hosts lead to it when no rule takes the request.

use std::collections::BTreeMap;
use std::time::Duration;

use envoy_types::pb::envoy::config::route::v3 as route;
use gateway_api::httproutes::{HttpRouteRules, HttpRouteRulesMatches, HttpRouteSpec};
use route::route_match::PathSpecifier;

use super::name;
use super::pack;
use super::retry::{self, Methods};
use super::route_action::{self, PathChange};
use super::route_match::{self, Path, Precedence};
use crate::resource::document::Document;
use crate::resource::http_route;
use crate::resource::protocol::Protocol;
use crate::resource::service::ServiceSpec;
use crate::resource::span::Span;
use crate::resource::world::World;

/// Routes of one host, those that go first being least.
type Ranked = (Rank, Vec<route::Route>);

/// A service's own host comes after all rules; then precedence, then age and name of the route,
/// then the order in the document.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    is_default: bool,
    precedence: Precedence,
    created: String,
    route: String,
    index: (usize, usize),
}

/// The table of the gateway of `site`.
pub fn configuration(
    world: &World,
    site: &str,
    services: &[&Document<ServiceSpec>],
) -> route::RouteConfiguration {
    let mut hosts: BTreeMap<String, Vec<Ranked>> = BTreeMap::new();
    for document in world.http_routes().filter(|r| http_route::is_attached(&r.spec, site)) {
        let ranked = rules(world, document);
        for host in hostnames(&document.spec) {
            hosts.entry(host).or_default().extend(ranked.iter().cloned());
        }
    }
    for service in services.iter().filter(|s| s.spec.protocol.is_http()) {
        for host in service.spec.hosts_or_default(&service.metadata.name) {
            hosts.entry(host).or_default().push(default_route(service));
        }
    }
    for ranked in hosts.values_mut() {
        ranked.sort_by(|a, b| a.0.cmp(&b.0));
    }
    route::RouteConfiguration {
        name: name::GATEWAY.into(),
        virtual_hosts: hosts.keys().map(|host| virtual_host(host, &hosts)).collect(),
        ignore_port_in_host_matching: true,
        ..Default::default()
    }
}

fn hostnames(spec: &HttpRouteSpec) -> Vec<String> {
    match &spec.hostnames {
        Some(hosts) if !hosts.is_empty() => hosts.clone(),
        _ => vec!["*".into()],
    }
}

/// A host's own routes, then those of the wildcards that it is under, the longest first.
fn virtual_host(host: &str, hosts: &BTreeMap<String, Vec<Ranked>>) -> route::VirtualHost {
    let mut wider: Vec<&String> = hosts.keys().filter(|other| is_under(host, other)).collect();
    wider.sort_by_key(|other| std::cmp::Reverse(other.len()));
    let own = hosts.get(host).into_iter();
    let routes = own.chain(wider.into_iter().filter_map(|w| hosts.get(w)));
    route::VirtualHost {
        name: host.into(),
        domains: vec![host.into()],
        routes: routes.flatten().flat_map(|(_, routes)| routes).cloned().collect(),
        ..Default::default()
    }
}

/// Whether `wildcard` covers `host` and is not the same.
fn is_under(host: &str, wildcard: &str) -> bool {
    match wildcard.strip_prefix('*') {
        Some(suffix) => host != wildcard && host.ends_with(suffix),
        None => false,
    }
}

fn rules(world: &World, document: &Document<HttpRouteSpec>) -> Vec<Ranked> {
    let mut ranked = Vec::new();
    for (r, rule) in document.spec.rules.iter().flatten().enumerate() {
        let everything = vec![HttpRouteRulesMatches::default()];
        let matches = rule.matches.as_ref().filter(|m| !m.is_empty()).unwrap_or(&everything);
        for (m, wanted) in matches.iter().enumerate() {
            let rank = Rank {
                is_default: false,
                precedence: route_match::precedence(wanted),
                created: document.metadata.creation_timestamp.clone().unwrap_or_default(),
                route: document.metadata.name.clone(),
                index: (r, m),
            };
            let name = format!("{}/{r}/{m}", document.object_ref());
            ranked.push((rank, routes(world, &name, rule, wanted)));
        }
    }
    ranked
}

/// A service's own host: everything to the service.
fn default_route(service: &Document<ServiceSpec>) -> Ranked {
    let everything = HttpRouteRulesMatches::default();
    let rank = Rank {
        is_default: true,
        precedence: route_match::precedence(&everything),
        created: String::new(),
        route: service.metadata.name.clone(),
        index: (0, 0),
    };
    let cluster = name::everywhere(&service.metadata.name);
    let action = route::RouteAction {
        cluster_specifier: Some(route::route_action::ClusterSpecifier::Cluster(cluster)),
        ..Default::default()
    };
    let wanted = route_match::route_match(PathSpecifier::Prefix("/".into()), &everything);
    let plain =
        route::Route { name: service.object_ref().to_string(), r#match: Some(wanted), ..Default::default() };
    let timeouts = Timeouts { request: None, each: None };
    (rank, forwarding(plain, action, None, Some(&service.spec), timeouts))
}

/// One match of one rule.
fn routes(
    world: &World,
    name: &str,
    rule: &HttpRouteRules,
    wanted: &HttpRouteRulesMatches,
) -> Vec<route::Route> {
    let change = route_action::path_change(rule);
    let mut routes = Vec::new();
    for (path, change, replaces_all) in paths(&route_match::path(wanted), &change) {
        let mut plain = route::Route {
            name: name.into(),
            r#match: Some(route_match::route_match(path, wanted)),
            ..Default::default()
        };
        route_action::change_headers(rule, &mut plain);
        if let Some(redirect) = route_action::redirect(rule, &change) {
            plain.action = Some(route::route::Action::Redirect(redirect));
            routes.push(plain);
            continue;
        }
        let Some(target) = route_action::target(rule) else {
            // The Gateway API's answer for a rule whose backends all have weight 0.
            let answer = route::DirectResponseAction { status: 500, ..Default::default() };
            plain.action = Some(route::route::Action::DirectResponse(answer));
            routes.push(plain);
            continue;
        };
        let mut action = route::RouteAction { cluster_specifier: Some(target), ..Default::default() };
        route_action::rewrite(rule, &change, replaces_all, &mut action);
        let first = rule.backend_refs.iter().flatten().find(|b| http_route::backend(b).share() > 0);
        let service = first.and_then(|b| world.service(&b.name)).map(|s| &s.spec);
        let method = route_match::method(wanted);
        routes.extend(forwarding(plain, action, method, service, Timeouts::of(rule)));
    }
    routes
}

/// The paths to match with the change of each. Replacing a prefix by `/` would leave two slashes
/// (`/a/b` to `//b`), so the prefix alone and what is below it are matched apart.
fn paths(path: &Path, change: &PathChange) -> Vec<(PathSpecifier, PathChange, bool)> {
    match (path, change) {
        (Path::Prefix(prefix), PathChange::Prefix(new)) if !prefix.is_empty() && new.ends_with('/') => vec![
            (PathSpecifier::Path(prefix.clone()), change.clone(), true),
            (PathSpecifier::Prefix(format!("{prefix}/")), change.clone(), false),
        ],
        (Path::Prefix(prefix), PathChange::Prefix(new)) if prefix.is_empty() && !new.ends_with('/') => {
            vec![(PathSpecifier::Prefix("/".into()), PathChange::Prefix(format!("{new}/")), false)]
        }
        _ => {
            let is_whole = matches!(path, Path::Exact(_));
            vec![(route_match::path_specifier(path), change.clone(), is_whole)]
        }
    }
}

/// How long things may take; what is not said is the service's.
#[derive(Clone, Copy)]
struct Timeouts {
    request: Option<Duration>,
    each: Option<Duration>,
}

impl Timeouts {
    fn of(rule: &HttpRouteRules) -> Self {
        let parse = |text: &Option<String>| text.as_ref().and_then(|t| t.parse::<Span>().ok()).map(|s| s.0);
        let timeouts = rule.timeouts.as_ref();
        Self {
            request: timeouts.and_then(|t| parse(&t.request)),
            each: timeouts.and_then(|t| parse(&t.backend_request)),
        }
    }
}

/// A forwarding route as one for idempotent methods and one for the others, which differ in when
/// they are tried again; or as one, when the match or the protocol leaves only one kind.
fn forwarding(
    plain: route::Route,
    mut action: route::RouteAction,
    method: Option<&str>,
    service: Option<&ServiceSpec>,
    timeouts: Timeouts,
) -> Vec<route::Route> {
    let retry = service.and_then(|s| s.retry.clone()).unwrap_or_default();
    let timeout = timeouts.request.or(service.and_then(|s| s.timeout).map(|s| s.0));
    // Zero is no limit, in the Gateway API as in Envoy, whose default would be 15s.
    action.timeout = pack::duration(timeout.unwrap_or(Duration::ZERO));
    action.hash_policy = service.map(route_action::hash_policy).unwrap_or_default();
    let with = |methods: Methods| {
        let mut action = action.clone();
        action.retry_policy = retry::everywhere(&retry, methods, timeouts.each);
        let mut route = plain.clone();
        route.action = Some(route::route::Action::Route(action));
        route
    };
    // A gRPC call is a POST.
    let is_grpc = service.is_some_and(|s| s.protocol == Protocol::Grpc);
    match method {
        Some(method) => vec![with(Methods::of(method))],
        None if is_grpc || retry.attempts() == 0 => vec![with(Methods::Other)],
        None => {
            let mut idempotent = with(Methods::Idempotent);
            if let Some(wanted) = &mut idempotent.r#match {
                wanted.headers.push(route_match::method_is(pack::matching(retry::IDEMPOTENT)));
            }
            vec![idempotent, with(Methods::Other)]
        }
    }
}
