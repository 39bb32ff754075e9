//! From the desired state of the mesh to what one proxy is told.
//!
//! A pure function: the same world and identity always give the same bytes, so that nothing is
//! sent twice and two control APIs agree. What Envoy accepts is what is written: real Envoy takes
//! its configuration from here as well.
//!
//! One rule: a proxy is told what its site needs to serve its clients and its peers, and no more;
//! of other sites it sees the gateways only.

pub mod name;
pub mod pack;

pub mod reach;

pub mod tls;

pub mod endpoint;

pub mod cluster;

pub mod retry;
pub mod route_action;
pub mod route_match;

pub mod route;

pub mod hcm;

pub mod listener;

use std::collections::BTreeMap;

use envoy_types::pb::google::protobuf::Any;
use prost::Name;

use crate::ca::spiffe::SpiffeId;
use crate::resource::document::Document;
use crate::resource::http_route;
use crate::resource::kind::ObjectRef;
use crate::resource::reference;
use crate::resource::service::ServiceSpec;
use crate::resource::site::SiteSpec;
use crate::resource::tcp_route;
use crate::resource::world::World;

/// One xDS resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The resource with its type.
    pub body: Any,
    /// The resources of ours that it was made from; when a proxy refuses it, one of them is wrong.
    pub origins: Vec<ObjectRef>,
}

/// What one proxy is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resources {
    /// By type URL and name.
    pub by_name: BTreeMap<(String, String), Published>,
}

impl Resources {
    fn add<M: Name>(&mut self, name: &str, message: &M, origins: Vec<ObjectRef>) {
        let body = pack::any(message);
        self.by_name.insert((body.type_url.clone(), name.into()), Published { body, origins });
    }

    /// The resources of a message's type, decoded, by name.
    pub fn decoded<M: Name + Default>(&self) -> Vec<M> {
        let type_url = format!("type.googleapis.com/{}", M::full_name());
        self.by_name
            .iter()
            .filter(|((of, _), _)| *of == type_url)
            .map(|(_, published)| {
                M::decode(published.body.value.as_slice()).expect("what was packed here can be unpacked")
            })
            .collect()
    }
}

/// What the proxy with identity `proxy` is told. `own_bundle` is the mesh's own trust bundle. An
/// identity that is no gateway of a known site is told nothing.
pub fn publish(world: &World, proxy: &SpiffeId, own_bundle: &str) -> Resources {
    let mut resources = Resources::default();
    if proxy.trust_domain() != &*world.trust_domain {
        return resources;
    }
    let Some(site) = proxy.gateway_site().and_then(|name| world.site(name)) else {
        return resources;
    };
    let bundle = tls::bundle_secret(world, own_bundle);
    let origins = world.trust_domains().map(Document::object_ref).collect();
    resources.add(name::BUNDLE_SECRET, &bundle, origins);
    let services = reach::services(world, &site.metadata.name);
    for service in &services {
        add_everywhere(&mut resources, world, site, service);
    }
    add_gateway(&mut resources, world, site, &services);
    add_tcp_listeners(&mut resources, world, site);
    add_mesh(&mut resources, world, site);
    resources
}

/// A service for the site's own clients.
fn add_everywhere(
    resources: &mut Resources,
    world: &World,
    site: &Document<SiteSpec>,
    service: &Document<ServiceSpec>,
) {
    let failover = world.failover_of(&service.metadata.name);
    let groups = reach::priorities(world, site, service);
    let overprovisioning = failover.map_or(140, |f| f.spec.overprovisioning());
    let assignment = endpoint::everywhere(site, service, &groups, overprovisioning);
    let cluster = cluster::everywhere(world, site, service, &assignment);
    let mut origins = vec![service.object_ref()];
    origins.extend(failover.map(Document::object_ref));
    resources.add(&cluster.name, &cluster, origins.clone());
    if !endpoint::has_names(&assignment) {
        resources.add(&assignment.cluster_name, &assignment, origins);
    }
}

/// HTTP for the site's own clients.
fn add_gateway(
    resources: &mut Resources,
    world: &World,
    site: &Document<SiteSpec>,
    services: &[&Document<ServiceSpec>],
) {
    resources.add(name::GATEWAY, &listener::gateway(site), vec![site.object_ref()]);
    let table = route::configuration(world, &site.metadata.name, services);
    let routes = world.http_routes().filter(|r| http_route::is_attached(&r.spec, &site.metadata.name));
    let mut origins: Vec<_> = routes.map(Document::object_ref).collect();
    origins.extend(services.iter().filter(|s| s.spec.protocol.is_http()).map(|s| s.object_ref()));
    resources.add(name::GATEWAY, &table, origins);
}

/// The TCP ports: of services, then of routes.
fn add_tcp_listeners(resources: &mut Resources, world: &World, site: &Document<SiteSpec>) {
    for service in world.services() {
        if let Some(port) = reference::opened_port(&service.spec, &site.metadata.name) {
            let targets = [(name::everywhere(&service.metadata.name), 1)];
            let listener = listener::tcp(site, port, &targets);
            resources.add(&listener.name, &listener, vec![service.object_ref(), site.object_ref()]);
        }
    }
    for route in world.tcp_routes() {
        let backends = route.spec.rules.iter().flat_map(|rule| &rule.backend_refs).map(tcp_route::backend);
        let targets: Vec<_> =
            backends.filter(|b| b.share() > 0).map(|b| (name::everywhere(b.name), b.share())).collect();
        let parents = route.spec.parent_refs.iter().flatten();
        for parent in parents.filter(|p| tcp_route::parent(p).covers(&site.metadata.name)) {
            if let Some(port) = tcp_route::port(parent) {
                let listener = listener::tcp(site, port, &targets);
                resources.add(&listener.name, &listener, vec![route.object_ref(), site.object_ref()]);
            }
        }
    }
}

/// Local instances for the other sites' gateways.
fn add_mesh(resources: &mut Resources, world: &World, site: &Document<SiteSpec>) {
    let own = site.metadata.name.as_str();
    let is_asked_for_here = |service: &&Document<ServiceSpec>| {
        // With nobody else to ask, an empty list of accepted peers would be one that accepts all.
        let sites = service.spec.visible_to.as_ref();
        let is_visible = sites.is_none_or(|sites| sites.iter().any(|s| s != own));
        is_visible && service.spec.instances_at(own).next().is_some()
    };
    let services: Vec<_> = world.services().filter(is_asked_for_here).collect();
    for service in &services {
        let assignment = endpoint::local(site, service);
        let cluster = cluster::local(service, &assignment);
        resources.add(&cluster.name, &cluster, vec![service.object_ref()]);
        if !endpoint::has_names(&assignment) {
            resources.add(&assignment.cluster_name, &assignment, vec![service.object_ref()]);
        }
    }
    // A listener without chains is none: it would be refused.
    if !services.is_empty() {
        let mut origins: Vec<_> = services.iter().map(|s| s.object_ref()).collect();
        origins.push(site.object_ref());
        resources.add(name::MESH, &listener::mesh(world, site, &services), origins);
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod language_tests;
