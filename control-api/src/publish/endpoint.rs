//! Where a service's instances are, as one gateway may see them.
//!
//! One rule: of another site only its gateway is seen, never an instance behind it.

use std::collections::HashMap;
use std::net::IpAddr;

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::config::endpoint::v3 as endpoint;
use envoy_types::pb::google::protobuf::{Struct, Value, value::Kind};

use super::name;
use super::pack;
use crate::resource::document::Document;
use crate::resource::service::ServiceSpec;
use crate::resource::site::SiteSpec;

/// The instances at the own site, by themselves.
pub fn local(site: &Document<SiteSpec>, service: &Document<ServiceSpec>) -> endpoint::ClusterLoadAssignment {
    endpoint::ClusterLoadAssignment {
        cluster_name: name::local(&service.metadata.name),
        endpoints: vec![instances(site, service, 0)],
        ..Default::default()
    }
}

/// The instances everywhere, by groups of sites that take over from each other.
pub fn everywhere(
    own: &Document<SiteSpec>,
    service: &Document<ServiceSpec>,
    groups: &[Vec<&Document<SiteSpec>>],
    overprovisioning: u32,
) -> endpoint::ClusterLoadAssignment {
    let mut endpoints = Vec::new();
    for (priority, group) in groups.iter().enumerate() {
        for site in group {
            endpoints.push(if site.metadata.name == own.metadata.name {
                instances(site, service, priority as u32)
            } else {
                gateway(site, service, priority as u32)
            });
        }
    }
    endpoint::ClusterLoadAssignment {
        cluster_name: name::everywhere(&service.metadata.name),
        endpoints,
        policy: Some(endpoint::cluster_load_assignment::Policy {
            overprovisioning_factor: pack::number(overprovisioning),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Whether an assignment holds a name that must be looked up.
pub fn has_names(assignment: &endpoint::ClusterLoadAssignment) -> bool {
    let hosts = assignment.endpoints.iter().flat_map(|e| &e.lb_endpoints).filter_map(host);
    hosts.into_iter().any(|host| host.parse::<IpAddr>().is_err())
}

fn host(endpoint: &endpoint::LbEndpoint) -> Option<&str> {
    let Some(endpoint::lb_endpoint::HostIdentifier::Endpoint(endpoint)) = &endpoint.host_identifier else {
        return None;
    };
    match endpoint.address.as_ref()?.address.as_ref()? {
        core::address::Address::SocketAddress(socket) => Some(&socket.address),
        _ => None,
    }
}

fn instances(
    site: &Document<SiteSpec>,
    service: &Document<ServiceSpec>,
    priority: u32,
) -> endpoint::LocalityLbEndpoints {
    let lb_endpoints = service
        .spec
        .instances_at(&site.metadata.name)
        .map(|instance| lb_endpoint(&instance.address, instance.port, instance.share(), None))
        .collect();
    at(site, priority, lb_endpoints)
}

/// A site's gateway stands for all instances behind it and carries their weight.
fn gateway(
    site: &Document<SiteSpec>,
    service: &Document<ServiceSpec>,
    priority: u32,
) -> endpoint::LocalityLbEndpoints {
    let weight = service.spec.instances_at(&site.metadata.name).map(|i| i.share()).sum();
    let gateway = &site.spec.gateway;
    let metadata = match_metadata(&site.metadata.name);
    at(site, priority, vec![lb_endpoint(&gateway.address, gateway.mesh_port, weight, Some(metadata))])
}

fn at(
    site: &Document<SiteSpec>,
    priority: u32,
    lb_endpoints: Vec<endpoint::LbEndpoint>,
) -> endpoint::LocalityLbEndpoints {
    let locality = &site.spec.locality;
    endpoint::LocalityLbEndpoints {
        locality: Some(core::Locality {
            region: locality.region.clone().unwrap_or_default(),
            zone: locality.zone.clone().unwrap_or_default(),
            // Two sites may be in one zone; the site's name tells their endpoints apart.
            sub_zone: locality.sub_zone.clone().unwrap_or_else(|| site.metadata.name.clone()),
        }),
        lb_endpoints,
        priority,
        ..Default::default()
    }
}

fn lb_endpoint(host: &str, port: u16, weight: u32, metadata: Option<core::Metadata>) -> endpoint::LbEndpoint {
    endpoint::LbEndpoint {
        host_identifier: Some(endpoint::lb_endpoint::HostIdentifier::Endpoint(endpoint::Endpoint {
            address: Some(pack::address(host, port)),
            ..Default::default()
        })),
        load_balancing_weight: pack::number(weight),
        metadata,
        ..Default::default()
    }
}

fn match_metadata(site: &str) -> core::Metadata {
    core::Metadata {
        filter_metadata: HashMap::from([("envoy.transport_socket_match".to_string(), site_struct(site))]),
        ..Default::default()
    }
}

/// What endpoints of a site's gateway say, and what its transport asks for.
pub fn site_struct(site: &str) -> Struct {
    let value = Value { kind: Some(Kind::StringValue(site.into())) };
    Struct { fields: HashMap::from([(name::SITE_KEY.to_string(), value)]) }
}
