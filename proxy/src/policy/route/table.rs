//! The route table: virtual hosts by domain, routes in order, the first match wins.

use std::collections::BTreeSet;
use std::sync::Arc;

use xds::model::{self, ClusterName, ClusterTarget, MatchTree, RouteConfiguration};

use super::domain::Domains;
use super::entry::Route;
use super::level::{Level, Outer};
use super::virtual_host::VirtualHost;
use crate::body::RequestHead;
use crate::error::Invalid;
use crate::observe::attributes::Attributes;
use crate::policy::draw::Draw;
use crate::policy::filter;
use crate::policy::http::Shared;

/// A compiled route configuration; the default takes no request.
#[derive(Debug, Default)]
pub struct RouteTable {
    name: Box<str>,
    domains: Domains,
    hosts: Vec<VirtualHost>,
    clusters: BTreeSet<ClusterName>,
    validate_clusters: Option<bool>,
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

impl<'a> Found<'a> {
    /// The route, if there is one.
    #[must_use]
    pub fn route(&self) -> Option<&'a Route> {
        if let Self::Route(_, route) = self { Some(route) } else { None }
    }
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
            let chosen = host.matcher.iter().flat_map(MatchTree::actions).flatten();
            host.routes.iter().chain(chosen).for_each(|route| collect_clusters(route, &mut clusters));
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
