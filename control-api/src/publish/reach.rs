//! What a site's gateway may reach, and in which order sites take over from each other.
//!
//! One rule: these are the decisions; the other files of this folder only write them down.

use crate::resource::document::Document;
use crate::resource::http_route;
use crate::resource::reference;
use crate::resource::service::ServiceSpec;
use crate::resource::site::SiteSpec;
use crate::resource::tcp_route;
use crate::resource::world::World;

/// The services that the gateway of `site` may be asked for: by a host of their own, by a port of
/// their own, or by a route attached to it.
pub fn services<'a>(world: &'a World, site: &str) -> Vec<&'a Document<ServiceSpec>> {
    let is_asked_for = |service: &Document<ServiceSpec>| {
        let name = service.metadata.name.as_str();
        !service.spec.hosts_or_default(name).is_empty()
            || reference::opened_port(&service.spec, site).is_some()
            || is_routed_to(world, site, name)
    };
    world.services().filter(|s| s.spec.is_visible_to(site) && is_asked_for(s)).collect()
}

fn is_routed_to(world: &World, site: &str, service: &str) -> bool {
    let by_http = world.http_routes().filter(|r| http_route::is_attached(&r.spec, site)).any(|route| {
        let rules = route.spec.rules.iter().flatten();
        rules.flat_map(|rule| rule.backend_refs.iter().flatten()).any(|b| b.name == service)
    });
    let by_tcp = world
        .tcp_routes()
        .filter(|r| tcp_route::is_attached(&r.spec, site))
        .any(|route| route.spec.rules.iter().flat_map(|rule| &rule.backend_refs).any(|b| b.name == service));
    by_http || by_tcp
}

/// The sites with instances of a service in the order in which the gateway of `site` prefers them:
/// all of a group share the load, a group takes over when the ones before it cannot.
pub fn priorities<'a>(
    world: &'a World,
    site: &Document<SiteSpec>,
    service: &Document<ServiceSpec>,
) -> Vec<Vec<&'a Document<SiteSpec>>> {
    let own = site.metadata.name.as_str();
    let serves = |name: &str| service.spec.instances_at(name).next().is_some();
    let order = world.failover_of(&service.metadata.name).and_then(|f| f.spec.order.as_ref());
    let own_group: Vec<_> = world.site(own).into_iter().filter(|_| serves(own)).collect();
    let mut groups = vec![own_group];
    match order {
        Some(order) => {
            let others = order.iter().filter(|name| *name != own && serves(name));
            groups.extend(others.filter_map(|name| world.site(name)).map(|other| vec![other]));
        }
        None => {
            let others = || world.sites().filter(|s| s.metadata.name != own && serves(&s.metadata.name));
            groups.extend(
                (0..3).map(|d| others().filter(|other| distance(&site.spec, &other.spec) == d).collect()),
            );
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// 0 in the same zone, 1 in the same region, 2 elsewhere. What is not said is not the same.
fn distance(a: &SiteSpec, b: &SiteSpec) -> usize {
    let is_same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
    match (is_same(&a.locality.region, &b.locality.region), is_same(&a.locality.zone, &b.locality.zone)) {
        (true, true) => 0,
        (true, false) => 1,
        (false, _) => 2,
    }
}
