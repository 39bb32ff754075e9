//! What a gateway listens on: HTTP for its own clients, TCP ports, mTLS for the other gateways.
//!
//! One rule: the mesh listener takes nobody without a certificate of a trusted domain, and leads to
//! local instances only.

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::config::listener::v3 as listener;
use envoy_types::pb::envoy::config::route::v3 as route;
use envoy_types::pb::envoy::extensions::filters::listener::tls_inspector::v3::TlsInspector;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as hcm;
use envoy_types::pb::envoy::extensions::filters::network::tcp_proxy::v3 as tcp;
use envoy_types::pb::google::protobuf::Any;

use super::hcm as manager;
use super::name;
use super::pack;
use super::retry;
use super::tls::{self, Peer};
use crate::ca::spiffe::SpiffeId;
use crate::resource::document::Document;
use crate::resource::service::ServiceSpec;
use crate::resource::site::SiteSpec;
use crate::resource::world::World;

/// The listener for the site's own HTTP clients.
pub fn gateway(site: &Document<SiteSpec>) -> listener::Listener {
    let manager = manager::edge(hcm::http_connection_manager::RouteSpecifier::Rds(hcm::Rds {
        config_source: Some(pack::ads()),
        route_config_name: name::GATEWAY.into(),
    }));
    let gateway = &site.spec.gateway;
    let chain = listener::FilterChain { filters: vec![http_filter(&manager)], ..Default::default() };
    listening(name::GATEWAY, gateway.bind(), gateway.port, vec![chain])
}

/// The listener of a TCP port that leads to clusters by weight.
pub fn tcp(site: &Document<SiteSpec>, port: u16, targets: &[(String, u32)]) -> listener::Listener {
    let name = name::tcp_listener(port);
    let chain = listener::FilterChain { filters: vec![tcp_filter(&name, targets)], ..Default::default() };
    listening(&name, site.spec.gateway.bind(), port, vec![chain])
}

/// The listener for the other gateways: a chain for each service with local instances.
pub fn mesh(
    world: &World,
    site: &Document<SiteSpec>,
    services: &[&Document<ServiceSpec>],
) -> listener::Listener {
    let gateway = &site.spec.gateway;
    let chains = services.iter().map(|service| mesh_chain(world, service)).collect();
    let mut mesh = listening(name::MESH, gateway.bind(), gateway.mesh_port, chains);
    mesh.listener_filters = vec![listener::ListenerFilter {
        name: "envoy.filters.listener.tls_inspector".into(),
        config_type: Some(listener::listener_filter::ConfigType::TypedConfig(pack::any(
            &TlsInspector::default(),
        ))),
        ..Default::default()
    }];
    mesh
}

fn mesh_chain(world: &World, service: &Document<ServiceSpec>) -> listener::FilterChain {
    let service_name = &service.metadata.name;
    let protocol = service.spec.protocol;
    let cluster = name::local(service_name);
    let filter = if protocol.is_http() {
        http_filter(&manager::inner(hcm::http_connection_manager::RouteSpecifier::RouteConfig(to_local(
            service, cluster,
        ))))
    } else {
        tcp_filter(&cluster.clone(), &[(cluster, 1)])
    };
    let allowed: Option<Vec<SpiffeId>> = service
        .spec
        .visible_to
        .as_ref()
        .map(|sites| sites.iter().map(|site| SpiffeId::gateway(&world.trust_domain, site)).collect());
    let peer = allowed.as_deref().map_or(Peer::Any, Peer::OneOf);
    listener::FilterChain {
        name: service_name.clone(),
        filter_chain_match: Some(listener::FilterChainMatch {
            server_names: vec![name::server_name(service_name)],
            ..Default::default()
        }),
        transport_socket: Some(tls::from_gateway(name::alpn(protocol), &peer)),
        filters: vec![filter],
        ..Default::default()
    }
}

/// Everything to the local cluster; the asking gateway has decided all else already.
fn to_local(service: &Document<ServiceSpec>, cluster: String) -> route::RouteConfiguration {
    let action = route::RouteAction {
        cluster_specifier: Some(route::route_action::ClusterSpecifier::Cluster(cluster.clone())),
        timeout: pack::duration(std::time::Duration::ZERO),
        retry_policy: Some(retry::among_local_instances()),
        hash_policy: super::route_action::hash_policy(&service.spec),
        ..Default::default()
    };
    route::RouteConfiguration {
        name: cluster,
        virtual_hosts: vec![route::VirtualHost {
            name: service.metadata.name.clone(),
            domains: vec!["*".into()],
            routes: vec![route::Route {
                name: service.object_ref().to_string(),
                r#match: Some(route::RouteMatch {
                    path_specifier: Some(route::route_match::PathSpecifier::Prefix("/".into())),
                    ..Default::default()
                }),
                action: Some(route::route::Action::Route(action)),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn listening(
    name: &str,
    address: &str,
    port: u16,
    filter_chains: Vec<listener::FilterChain>,
) -> listener::Listener {
    listener::Listener {
        name: name.into(),
        address: Some(pack::address(address, port)),
        filter_chains,
        traffic_direction: match name {
            name::MESH => core::TrafficDirection::Inbound.into(),
            _ => core::TrafficDirection::Outbound.into(),
        },
        ..Default::default()
    }
}

fn http_filter(manager: &hcm::HttpConnectionManager) -> listener::Filter {
    filter("envoy.filters.network.http_connection_manager", pack::any(manager))
}

fn tcp_filter(stat_prefix: &str, targets: &[(String, u32)]) -> listener::Filter {
    use tcp::tcp_proxy::weighted_cluster::ClusterWeight;
    use tcp::tcp_proxy::{ClusterSpecifier, WeightedCluster};
    let cluster = match targets {
        [(only, _)] => ClusterSpecifier::Cluster(only.clone()),
        several => ClusterSpecifier::WeightedClusters(WeightedCluster {
            clusters: several
                .iter()
                .map(|(name, weight)| ClusterWeight {
                    name: name.clone(),
                    weight: *weight,
                    ..Default::default()
                })
                .collect(),
        }),
    };
    let proxy = tcp::TcpProxy {
        stat_prefix: stat_prefix.into(),
        // An instance that has just died must not cost the connection.
        max_connect_attempts: pack::number(4),
        cluster_specifier: Some(cluster),
        ..Default::default()
    };
    filter("envoy.filters.network.tcp_proxy", pack::any(&proxy))
}

fn filter(name: &str, config: Any) -> listener::Filter {
    listener::Filter {
        name: name.into(),
        config_type: Some(listener::filter::ConfigType::TypedConfig(config)),
    }
}
