//! What resources say about each other: does all of it hold.
//!
//! One rule: a world is accepted only as a whole; so a route to a service that does not exist is
//! refused when it is applied, and a service that is in use cannot be deleted.

use std::collections::BTreeMap;

use super::document::Document;
use super::http_route;
use super::invalid::Invalid;
use super::join_token::JoinTokenSpec;
use super::kind::{Kind, ObjectRef};
use super::parent::{Backend, Parent};
use super::protocol::Protocol;
use super::service::ServiceSpec;
use super::site::{EVERY_SITE, SiteSpec};
use super::tcp_route;
use super::world::World;
use crate::limits;

/// How many names a refusal lists.
const NAMES_SHOWN_MAX: usize = 8;

/// A resource whose field does not fit the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The resource.
    pub object: ObjectRef,
    /// Its field and what is wrong with it.
    pub invalid: Invalid,
}

/// Checks every reference between the resources of a world; the first misfit is the answer.
pub fn check(world: &World) -> Result<(), Misfit> {
    let counts = Kind::ALL.map(|kind| (kind, world.all(kind).count()));
    if let Some((kind, count)) = counts.iter().find(|(_, n)| *n > limits::OBJECTS_PER_KIND_MAX) {
        let invalid = Invalid::new(
            "",
            format!("{count} resources of {kind}: accepted are at most {}", limits::OBJECTS_PER_KIND_MAX),
        );
        return Err(Misfit { object: ObjectRef::new(*kind, ""), invalid });
    }
    check_sites(world)?;
    check_services(world)?;
    check_hosts(world)?;
    check_http_routes(world)?;
    check_tcp_routes(world)?;
    check_ports(world)?;
    check_failovers(world)?;
    // A token that was used opens nothing any more, so it does not hold its site.
    let is_used = |token: &&Document<JoinTokenSpec>| {
        token.status.as_ref().is_some_and(|status| status.get("usedAt").is_some())
    };
    for token in world.join_tokens().filter(|token| !is_used(token)) {
        known_site(world, "spec.site", &token.spec.site).map_err(at(token.object_ref()))?;
    }
    for other in world.trust_domains() {
        if *other.metadata.name == *world.trust_domain {
            let invalid = Invalid::new("metadata.name", "is this mesh's own trust domain");
            return Err(at(other.object_ref())(invalid));
        }
    }
    Ok(())
}

fn at(object: ObjectRef) -> impl Fn(Invalid) -> Misfit {
    move |invalid| Misfit { object: object.clone(), invalid }
}

fn known_site(world: &World, field: &str, site: &str) -> Result<(), Invalid> {
    match world.site(site) {
        Some(_) => Ok(()),
        None => Err(Invalid::new(field, no_such(world, Kind::Site, site))),
    }
}

/// That `name` does not exist, and what does.
fn no_such(world: &World, kind: Kind, name: &str) -> String {
    let names: Vec<_> = world.all(kind).map(|object| object.metadata().name.as_str()).collect();
    let first = names[..names.len().min(NAMES_SHOWN_MAX)].join(", ");
    match names.len().saturating_sub(NAMES_SHOWN_MAX) {
        _ if names.is_empty() => format!("there is no {kind} {name:?}, nor any other"),
        0 => format!("there is no {kind} {name:?}: there are {first}"),
        more => format!("there is no {kind} {name:?}: there are {first} and {more} more"),
    }
}

/// Two gateways at one address and port could not both bind it, or would be one another's peer.
fn check_sites(world: &World) -> Result<(), Misfit> {
    let mut taken: BTreeMap<(&str, u16), &str> = BTreeMap::new();
    for site in world.sites() {
        let gateway = &site.spec.gateway;
        for (field, port) in [("port", gateway.port), ("meshPort", gateway.mesh_port)] {
            if let Some(other) = taken.insert((&gateway.address, port), &site.metadata.name) {
                let message = format!("{}:{port} is already the gateway of Site {other:?}", gateway.address);
                let invalid = Invalid::new(format!("spec.gateway.{field}"), message);
                return Err(at(site.object_ref())(invalid));
            }
        }
    }
    Ok(())
}

fn check_services(world: &World) -> Result<(), Misfit> {
    for service in world.services() {
        let at = at(service.object_ref());
        for (i, instance) in service.spec.instances.iter().enumerate() {
            known_site(world, &format!("spec.instances[{i}].site"), &instance.site).map_err(&at)?;
        }
        for (i, site) in service.spec.visible_to.iter().flatten().enumerate() {
            known_site(world, &format!("spec.visibleTo[{i}]"), site).map_err(&at)?;
        }
    }
    Ok(())
}

fn check_hosts(world: &World) -> Result<(), Misfit> {
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for service in world.services() {
        let name = &service.metadata.name;
        for (i, host) in service.spec.hosts_or_default(name).into_iter().enumerate() {
            if let Some(other) = owners.get(&host) {
                let message = format!("{host:?} is already a host of Service {other:?}");
                let invalid = Invalid::new(format!("spec.hosts[{i}]"), message);
                return Err(at(service.object_ref())(invalid));
            }
            owners.insert(host, name);
        }
    }
    Ok(())
}

fn check_http_routes(world: &World) -> Result<(), Misfit> {
    for route in world.http_routes() {
        let at = at(route.object_ref());
        for (i, parent) in route.spec.parent_refs.iter().flatten().enumerate() {
            check_parent(world, &format!("spec.parentRefs[{i}]"), http_route::parent(parent)).map_err(&at)?;
        }
        for (r, rule) in route.spec.rules.iter().flatten().enumerate() {
            for (b, backend) in rule.backend_refs.iter().flatten().enumerate() {
                let field = format!("spec.rules[{r}].backendRefs[{b}]");
                let backend = http_route::backend(backend);
                check_backend(world, &field, backend, Protocol::is_http).map_err(&at)?;
                let is_attached = |site: &str| http_route::is_attached(&route.spec, site);
                check_visible(world, &field, backend, is_attached).map_err(&at)?;
            }
        }
    }
    Ok(())
}

fn check_tcp_routes(world: &World) -> Result<(), Misfit> {
    for route in world.tcp_routes() {
        let at = at(route.object_ref());
        for (i, parent) in route.spec.parent_refs.iter().flatten().enumerate() {
            check_parent(world, &format!("spec.parentRefs[{i}]"), tcp_route::parent(parent)).map_err(&at)?;
        }
        let backends = route.spec.rules.iter().flat_map(|rule| &rule.backend_refs);
        for (b, backend) in backends.enumerate() {
            let field = format!("spec.rules[0].backendRefs[{b}]");
            let backend = tcp_route::backend(backend);
            check_backend(world, &field, backend, |p| !p.is_http()).map_err(&at)?;
            let is_attached = |site: &str| tcp_route::is_attached(&route.spec, site);
            check_visible(world, &field, backend, is_attached).map_err(&at)?;
        }
    }
    Ok(())
}

fn check_parent(world: &World, field: &str, parent: Parent<'_>) -> Result<(), Invalid> {
    if parent.name == EVERY_SITE {
        return Ok(());
    }
    known_site(world, &format!("{field}.name"), parent.name)
}

fn check_backend(
    world: &World,
    field: &str,
    backend: Backend<'_>,
    fits: impl Fn(Protocol) -> bool,
) -> Result<(), Invalid> {
    let Some(service) = world.service(backend.name) else {
        return Err(Invalid::new(format!("{field}.name"), no_such(world, Kind::Service, backend.name)));
    };
    if !fits(service.spec.protocol) {
        return Err(Invalid::new(
            format!("{field}.name"),
            format!(
                "Service {:?} speaks {:?}, which this kind of route does not forward",
                backend.name, service.spec.protocol
            ),
        ));
    }
    match (backend.port, service.spec.port) {
        (Some(asked), Some(port)) if asked == i32::from(port) => Ok(()),
        (None, _) => Ok(()),
        (Some(asked), port) => Err(Invalid::new(
            format!("{field}.port"),
            format!(
                "{asked} is not the port of Service {:?}, which {}",
                backend.name,
                port.map_or("has none (spec.port)".into(), |p| format!("is {p}"))
            ),
        )),
    }
}

/// A route is attached only where all of its backends may be used.
fn check_visible(
    world: &World,
    field: &str,
    backend: Backend<'_>,
    is_attached: impl Fn(&str) -> bool,
) -> Result<(), Invalid> {
    let Some(service) = world.service(backend.name) else {
        return Ok(());
    };
    let hidden_from = |site: &str| is_attached(site) && !service.spec.is_visible_to(site);
    match world.sites().find(|site| hidden_from(&site.metadata.name)) {
        None => Ok(()),
        Some(site) => Err(Invalid::new(
            format!("{field}.name"),
            format!(
                "Service {:?} is not visible to Site {:?}, to which the route is attached (spec.parentRefs)",
                backend.name, site.metadata.name
            ),
        )),
    }
}

/// Every gateway port is opened for one purpose.
fn check_ports(world: &World) -> Result<(), Misfit> {
    for site in world.sites() {
        let mut owners = gateway_ports(site);
        let mut claim = |object: ObjectRef, field: &str, port: u16| {
            let owner = format!("{object}");
            match owners.insert(port, owner) {
                None => Ok(()),
                Some(other) => Err(Misfit {
                    object,
                    invalid: Invalid::new(
                        field,
                        format!("{port} is already taken at Site {:?} by {other}", site.metadata.name),
                    ),
                }),
            }
        };
        for service in world.services() {
            if let Some(port) = opened_port(&service.spec, &site.metadata.name) {
                claim(service.object_ref(), "spec.port", port)?;
            }
        }
        for route in world.tcp_routes() {
            for (i, parent) in route.spec.parent_refs.iter().flatten().enumerate() {
                if let Some(port) = tcp_route::port(parent)
                    && tcp_route::parent(parent).covers(&site.metadata.name)
                {
                    claim(route.object_ref(), &format!("spec.parentRefs[{i}].port"), port)?;
                }
            }
        }
    }
    Ok(())
}

fn gateway_ports(site: &Document<SiteSpec>) -> BTreeMap<u16, String> {
    let gateway = &site.spec.gateway;
    BTreeMap::from([
        (gateway.port, "spec.gateway.port".to_string()),
        (gateway.mesh_port, "spec.gateway.meshPort".to_string()),
    ])
}

/// The port that the gateway of `site` opens for a tcp service.
pub fn opened_port(service: &ServiceSpec, site: &str) -> Option<u16> {
    service.port.filter(|_| !service.protocol.is_http() && service.is_visible_to(site))
}

fn check_failovers(world: &World) -> Result<(), Misfit> {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for failover in world.failovers() {
        let at = at(failover.object_ref());
        let service = &failover.spec.service;
        if world.service(service).is_none() {
            return Err(at(Invalid::new("spec.service", no_such(world, Kind::Service, service))));
        }
        if let Some(other) = owners.insert(service, &failover.metadata.name) {
            let message = format!("Failover {other:?} is already the one of Service {service:?}");
            return Err(at(Invalid::new("spec.service", message)));
        }
        for (i, site) in failover.spec.order.iter().flatten().enumerate() {
            known_site(world, &format!("spec.order[{i}]"), site).map_err(&at)?;
        }
    }
    Ok(())
}
