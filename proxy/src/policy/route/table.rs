//! The route table: virtual hosts by domain, routes in order, the first match wins.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::StatusCode;
use xds::model::{self, ClusterName, ClusterTarget, RequireTls, RouteConfiguration};

use super::action::{Action, Around, Cluster, Forward, Levels};
use super::domain::Domains;
use super::index::Index;
use super::matcher::Matcher;
use super::mutation::{Mutations, Stage};
use super::rewrite::set_authority;
use crate::body::RequestHead;
use crate::error::Invalid;
use crate::observe::access_log::Environment;
use crate::observe::attributes::Attributes;
use crate::observe::record::Record;
use crate::policy::descriptor::DescriptorRules;
use crate::policy::draw::Draw;
use crate::policy::facts::{self, path_only};
use crate::policy::filter::local_rate_limit::RouteRules;
use crate::policy::filter::{self, Overrides};
use crate::policy::http::Shared;
use crate::policy::reply::Reply;

/// A compiled route configuration; the default takes no request.
#[derive(Debug, Default)]
pub struct RouteTable {
    name: Box<str>,
    domains: Domains,
    hosts: Vec<VirtualHost>,
    clusters: BTreeSet<ClusterName>,
    validate_clusters: Option<bool>,
}

/// A compiled virtual host.
#[derive(Debug)]
pub struct VirtualHost {
    /// Its name.
    pub name: Arc<str>,
    /// Whether upstreams see `x-envoy-attempt-count`.
    pub attempt_count_in_request: bool,
    /// Whether clients see it.
    pub attempt_count_in_response: bool,
    require_tls: RequireTls,
    rate_limits: DescriptorRules,
    routes: Vec<Route>,
    /// `None` where few routes are asked faster one by one.
    index: Option<Index>,
}

/// A compiled route.
#[derive(Debug)]
pub struct Route {
    /// Its name; may be empty.
    pub name: Arc<str>,
    /// What it does.
    pub action: Action,
    /// Changes of the request's fields.
    pub request: Mutations,
    /// Changes of the response's fields.
    pub response: Mutations,
    overrides: Arc<Overrides>,
    matcher: Matcher,
}

/// What the table says about a request.
#[derive(Debug)]
pub enum Found<'a> {
    /// A route takes it.
    Route(&'a VirtualHost, &'a Route),
    /// The virtual host demands TLS.
    TlsRequired,
    /// Nothing matches.
    None,
}

impl RouteTable {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the virtual host, route and field that cannot be used.
    pub fn compile(model: &RouteConfiguration, shared: &Shared) -> Result<Self, Invalid> {
        let environment = shared.environment();
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
        } = model;
        let outer = Outer {
            table: Level::compile(request_headers, response_headers, environment)?,
            overrides: filter::within(&Arc::default(), filters, shared)?,
            mirrors: request_mirrors,
            specific_wins: *most_specific_header_mutations_wins,
            shared,
            body_bytes_max: usize::try_from(*max_direct_response_body_size_bytes).unwrap_or(usize::MAX),
        };
        let mut domains = Domains::new(*ignore_port_in_host_matching);
        let mut hosts = Vec::with_capacity(virtual_hosts.len());
        let mut clusters = BTreeSet::new();
        for (index, host) in virtual_hosts.iter().enumerate() {
            let at = |invalid: Invalid| invalid.within(&format!("virtual_hosts[{index}]"));
            for domain in &host.domains {
                domains.add(domain, index).map_err(at)?;
            }
            hosts.push(VirtualHost::compile(host, &outer).map_err(at)?);
            host.routes.iter().for_each(|route| collect_clusters(route, &mut clusters));
            collect_mirrors(&host.request_mirrors, &mut clusters);
        }
        collect_mirrors(request_mirrors, &mut clusters);
        let name = name.as_str().into();
        Ok(Self { name, domains, hosts, clusters, validate_clusters: *validate_clusters })
    }

    /// The name of the route configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The clusters that routes name (a `cluster_header` names none).
    pub fn clusters(&self) -> impl Iterator<Item = &ClusterName> {
        self.clusters.iter()
    }

    /// Whether a route to an unknown cluster refuses the table; `None`: only in a static table.
    #[must_use]
    pub fn validate_clusters(&self) -> Option<bool> {
        self.validate_clusters
    }

    /// The route for a request; `draw` decides shares.
    #[must_use]
    pub fn find(&self, head: &RequestHead, draw: Draw<'_>, attributes: &Attributes) -> Found<'_> {
        let Some(host) = self.domains.find(&head.authority) else { return Found::None };
        let host = &self.hosts[host];
        if host.demands_tls(head) {
            return Found::TlsRequired;
        }
        match host.find(head, draw, attributes) {
            Some(route) => Found::Route(host, route),
            None => Found::None,
        }
    }
}

impl VirtualHost {
    fn compile(model: &model::VirtualHost, outer: &Outer<'_>) -> Result<Self, Invalid> {
        let model::VirtualHost {
            name,
            domains: _, // Added to the table's domains by the caller.
            routes,
            require_tls,
            request_headers,
            response_headers,
            include_request_attempt_count,
            include_attempt_count_in_response,
            retry_policy,
            rate_limits,
            request_mirrors,
            filters,
        } = model;
        let level = Level::compile(request_headers, response_headers, outer.shared.environment())?;
        let overrides = filter::within(&outer.overrides, filters, outer.shared)?;
        let mirrors = if request_mirrors.is_empty() { outer.mirrors } else { request_mirrors };
        let around = Around { retry: retry_policy.as_ref(), mirrors };
        let routes = routes.iter().enumerate().map(|(index, route)| {
            Route::compile(route, &level, &overrides, around, outer)
                .map_err(|invalid| invalid.within(&format!("routes[{index}]")))
        });
        let routes = routes.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            name: name.as_str().into(),
            attempt_count_in_request: *include_request_attempt_count,
            attempt_count_in_response: *include_attempt_count_in_response,
            require_tls: *require_tls,
            rate_limits: DescriptorRules::compile(rate_limits)?,
            index: Index::compile(routes.iter().map(|route| &route.matcher.path)),
            routes,
        })
    }

    /// The first route, in the order of the configuration, that takes the request.
    fn find(&self, head: &RequestHead, draw: Draw<'_>, attributes: &Attributes) -> Option<&Route> {
        let path = path_only(&head.path);
        let takes = |route: &Route| {
            route.matcher.is_match(head, path, draw, attributes) && route.action.is_open(draw)
        };
        match &self.index {
            None => self.routes.iter().find(|route| takes(route)),
            Some(index) => {
                index.first(path, |route| takes(&self.routes[route])).map(|route| &self.routes[route])
            }
        }
    }

    fn demands_tls(&self, head: &RequestHead) -> bool {
        let who = match self.require_tls {
            RequireTls::None => false,
            // Without `internal_address_config`, which this proxy refuses, Envoy takes no address for internal.
            RequireTls::ExternalOnly | RequireTls::All => true,
        };
        // By what the client used towards the first proxy, which is what a redirect can change.
        who && facts::text(&head.headers, "x-forwarded-proto").is_some_and(|scheme| scheme != "https")
    }
}

impl Route {
    fn compile(
        model: &model::Route,
        host: &Level,
        overrides: &Arc<Overrides>,
        around: Around<'_>,
        outer: &Outer<'_>,
    ) -> Result<Self, Invalid> {
        let model::Route { name, matches, action, request_headers, response_headers, filters } = model;
        let own = Level::compile(request_headers, response_headers, outer.shared.environment())?;
        // Later stages win: by default the most general one is last.
        let mut order = [&own, host, &outer.table];
        if outer.specific_wins {
            order.reverse();
        }
        let levels = Levels {
            request: order.iter().map(|level| Arc::clone(&level.request)).collect(),
            response: order.iter().map(|level| Arc::clone(&level.response)).collect(),
            overrides: filter::within(overrides, filters, outer.shared)?,
        };
        let (request, response) = levels.mutations();
        Ok(Self {
            name: name.as_str().into(),
            action: Action::compile(action, &levels, around, outer.shared, outer.body_bytes_max)?,
            request,
            response,
            overrides: Arc::clone(&levels.overrides),
            matcher: Matcher::compile(matches).map_err(|invalid| invalid.within("match"))?,
        })
    }

    /// What the route's requests are counted by; `host` is its host.
    #[must_use]
    pub fn rate_limits<'a>(&'a self, host: &'a VirtualHost) -> Option<RouteRules<'a>> {
        let Action::Forward(forward) = &self.action else { return None };
        let include_host = forward.rate_limits_of_host;
        Some(RouteRules { route: &forward.rate_limits, include_host, host: &host.rate_limits })
    }

    /// Whether the route sends requests to a cluster.
    #[must_use]
    pub fn forwards(&self) -> bool {
        matches!(self.action, Action::Forward(_))
    }

    /// The cluster that the route names; `draw` splits.
    #[must_use]
    pub fn cluster(&self, head: &RequestHead, draw: Draw<'_>) -> Option<Arc<str>> {
        match &self.action {
            Action::Forward(forward) => forward.target.choose(head, draw).map(|cluster| cluster.name),
            Action::Redirect(_) | Action::Direct { .. } => None,
        }
    }

    /// What is said about filters here; `draw` splits between clusters.
    #[must_use]
    pub fn overrides(&self, draw: Draw<'_>) -> &Overrides {
        match &self.action {
            Action::Forward(forward) => forward.target.overrides(draw).unwrap_or(&self.overrides),
            Action::Redirect(_) | Action::Direct { .. } => &self.overrides,
        }
    }

    /// The local answer of a redirect or direct response; `None` for a route that forwards.
    #[must_use]
    pub fn reply(&self, head: &RequestHead) -> Option<Reply> {
        const DETAILS: &str = "direct_response";
        match &self.action {
            Action::Forward(_) => None,
            Action::Redirect(redirect) => {
                let location = redirect.location(head, &self.matcher.path);
                Some(Reply::redirect(redirect.status, &location, DETAILS))
            }
            // Envoy points a 201 and every 3xx at the request's own address.
            Action::Direct { status, body } => {
                let points = *status == StatusCode::CREATED || status.is_redirection();
                let reply = if points {
                    let own = format!("{}://{}{}", head.scheme.as_str(), head.authority, head.path);
                    Reply::redirect(*status, &own, DETAILS)
                } else {
                    Reply::status(*status, DETAILS)
                };
                Some(Reply { body: body.clone(), ..reply })
            }
        }
    }

    /// Makes the head the one that `cluster` is to see: mutations, then authority, then path, as Envoy does.
    /// `envoy_fields` keeps what is rewritten in `x-envoy-original-*`.
    pub fn shape_request(
        &self,
        forward: &Forward,
        cluster: &Cluster<'_>,
        head: &mut RequestHead,
        record: &Record,
        envoy_fields: bool,
    ) {
        if let Some(authority) = cluster.authority {
            head.authority = authority.clone();
        }
        cluster.request.unwrap_or(&self.request).apply_to_request(head, record);
        if let Some(authority) = forward.host_rewrite.authority(head) {
            set_authority(head, authority, forward.append_forwarded_host, envoy_fields);
        }
        forward.path_rewrite.apply(head, &self.matcher.path, envoy_fields);
    }
}

/// What lies around a virtual host.
struct Outer<'a> {
    table: Level,
    overrides: Arc<Overrides>,
    mirrors: &'a [model::RequestMirror],
    specific_wins: bool,
    shared: &'a Shared,
    body_bytes_max: usize,
}

/// The mutations of one level.
struct Level {
    request: Arc<Stage>,
    response: Arc<Stage>,
}

impl Level {
    fn compile(
        request: &model::HeaderMutations,
        response: &model::HeaderMutations,
        environment: &Environment,
    ) -> Result<Self, Invalid> {
        let request =
            Stage::compile(request, environment).map_err(|invalid| invalid.within("request_headers"))?;
        let response =
            Stage::compile(response, environment).map_err(|invalid| invalid.within("response_headers"))?;
        Ok(Self { request: Arc::new(request), response: Arc::new(response) })
    }
}

fn collect_clusters(route: &model::Route, clusters: &mut BTreeSet<ClusterName>) {
    let model::RouteAction::Forward(forward) = &route.action else { return };
    match &forward.target {
        ClusterTarget::Cluster(name) => {
            clusters.insert(name.clone());
        }
        ClusterTarget::Weighted(weighted) => {
            clusters.extend(weighted.clusters.iter().map(|cluster| cluster.name.clone()));
        }
        ClusterTarget::Header(_) => {}
    }
    collect_mirrors(&forward.request_mirrors, clusters);
}

fn collect_mirrors(mirrors: &[model::RequestMirror], clusters: &mut BTreeSet<ClusterName>) {
    for mirror in mirrors {
        if let model::MirrorTarget::Cluster(name) = &mirror.target {
            clusters.insert(name.clone());
        }
    }
}
