//! A service as clusters: everywhere for the own clients, local for the other sites' gateways.
//!
//! One rule: the local cluster holds local instances only, so what came from another gateway can
//! never go round in circles.

use std::collections::HashMap;

use envoy_types::pb::envoy::config::cluster::v3 as cluster;
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::config::endpoint::v3 as endpoint;
use envoy_types::pb::envoy::extensions::upstreams::http::v3 as upstream;
use envoy_types::pb::envoy::r#type::v3::{CodecClientType, Percent};
use envoy_types::pb::google::protobuf::Any;

use super::endpoint::{has_names, site_struct};
use super::name;
use super::pack;
use super::tls;
use crate::ca::spiffe::SpiffeId;
use crate::resource::document::Document;
use crate::resource::service::ServiceSpec;
use crate::resource::service_policy::{
    CircuitBreaker, HealthCheck, HealthCheckType, LoadBalancingPolicy, Outlier,
};
use crate::resource::site::SiteSpec;
use crate::resource::world::World;

/// The cluster of a service's instances at the own site.
pub fn local(
    service: &Document<ServiceSpec>,
    assignment: &endpoint::ClusterLoadAssignment,
) -> cluster::Cluster {
    let mut local = base(service, assignment);
    // When no instance is healthy the answer is a quick 503, so that the asking gateway goes on to
    // another site, rather than a try that fails slowly.
    local.common_lb_config = Some(cluster::cluster::CommonLbConfig {
        healthy_panic_threshold: Some(Percent { value: 0.0 }),
        ..Default::default()
    });
    local
}

/// The cluster of a service's instances everywhere, seen from `own`.
pub fn everywhere(
    world: &World,
    own: &Document<SiteSpec>,
    service: &Document<ServiceSpec>,
    assignment: &endpoint::ClusterLoadAssignment,
) -> cluster::Cluster {
    let mut everywhere = base(service, assignment);
    let others = world.sites().filter(|site| {
        site.metadata.name != own.metadata.name
            && service.spec.instances_at(&site.metadata.name).next().is_some()
    });
    everywhere.transport_socket_matches = others
        .map(|site| {
            let (site, service_name) = (&site.metadata.name, &service.metadata.name);
            let gateway = SpiffeId::gateway(&world.trust_domain, site);
            let alpn = name::alpn(service.spec.protocol);
            cluster::cluster::TransportSocketMatch {
                name: format!("site/{site}"),
                r#match: Some(site_struct(site)),
                transport_socket: Some(tls::to_gateway(&name::server_name(service_name), alpn, gateway)),
            }
        })
        .collect();
    everywhere
}

fn base(service: &Document<ServiceSpec>, assignment: &endpoint::ClusterLoadAssignment) -> cluster::Cluster {
    use cluster::cluster::{ClusterDiscoveryType, DiscoveryType, DnsLookupFamily, EdsClusterConfig};
    let spec = &service.spec;
    let name = assignment.cluster_name.clone();
    let mut base = cluster::Cluster {
        connect_timeout: pack::duration(
            spec.connect_timeout.map_or(std::time::Duration::from_secs(2), |s| s.0),
        ),
        lb_policy: lb_policy(spec).into(),
        health_checks: health_check(service).into_iter().collect(),
        outlier_detection: Some(outlier(&spec.outlier.clone().unwrap_or_default())),
        circuit_breakers: Some(circuit_breakers(&spec.circuit_breaker.clone().unwrap_or_default())),
        transport_socket: spec.tls.as_ref().map(|t| tls::to_instance(t, name::alpn(spec.protocol))),
        ..Default::default()
    };
    if spec.protocol.is_http() {
        base.typed_extension_protocol_options = HashMap::from([protocol_options(spec)]);
    }
    let discovery = if has_names(assignment) {
        base.dns_lookup_family = DnsLookupFamily::V4Preferred.into();
        base.load_assignment = Some(assignment.clone());
        DiscoveryType::StrictDns
    } else {
        base.eds_cluster_config =
            Some(EdsClusterConfig { eds_config: Some(pack::ads()), service_name: name.clone() });
        DiscoveryType::Eds
    };
    base.cluster_discovery_type = Some(ClusterDiscoveryType::Type(discovery.into()));
    base.name = name;
    base
}

fn lb_policy(spec: &ServiceSpec) -> cluster::cluster::LbPolicy {
    use cluster::cluster::LbPolicy;
    match spec.load_balancing.as_ref().map(|l| l.policy) {
        None | Some(LoadBalancingPolicy::RoundRobin) => LbPolicy::RoundRobin,
        Some(LoadBalancingPolicy::LeastRequest) => LbPolicy::LeastRequest,
        Some(LoadBalancingPolicy::Random) => LbPolicy::Random,
        Some(LoadBalancingPolicy::RingHash) => LbPolicy::RingHash,
        Some(LoadBalancingPolicy::Maglev) => LbPolicy::Maglev,
    }
}

fn protocol_options(spec: &ServiceSpec) -> (String, Any) {
    use upstream::http_protocol_options::explicit_http_config::ProtocolConfig;
    use upstream::http_protocol_options::{ExplicitHttpConfig, UpstreamProtocolOptions};
    let protocol = if spec.protocol.is_http2() {
        ProtocolConfig::Http2ProtocolOptions(core::Http2ProtocolOptions {
            // WebSockets over HTTP/2 are extended CONNECTs (RFC 8441).
            allow_connect: true,
            ..Default::default()
        })
    } else {
        ProtocolConfig::HttpProtocolOptions(core::Http1ProtocolOptions {
            enable_trailers: true,
            ..Default::default()
        })
    };
    let options = upstream::HttpProtocolOptions {
        upstream_protocol_options: Some(UpstreamProtocolOptions::ExplicitHttpConfig(ExplicitHttpConfig {
            protocol_config: Some(protocol),
        })),
        ..Default::default()
    };
    ("envoy.extensions.upstreams.http.v3.HttpProtocolOptions".into(), pack::any(&options))
}

fn health_check(service: &Document<ServiceSpec>) -> Option<core::HealthCheck> {
    use core::health_check::{GrpcHealthCheck, HealthChecker, HttpHealthCheck, TcpHealthCheck};
    let wanted = service.spec.health_check.clone().unwrap_or_default();
    let name = &service.metadata.name;
    let host = |wanted: &HealthCheck| {
        let hosts = service.spec.hosts_or_default(name);
        wanted.host.clone().or_else(|| hosts.into_iter().next()).unwrap_or_else(|| format!("{name}.mesh"))
    };
    let checker = match wanted.r#type {
        HealthCheckType::None => return None,
        HealthCheckType::Tcp => HealthChecker::TcpHealthCheck(TcpHealthCheck::default()),
        HealthCheckType::Http => HealthChecker::HttpHealthCheck(HttpHealthCheck {
            host: host(&wanted).trim_start_matches("*.").to_string(),
            path: wanted.path.clone().unwrap_or_else(|| "/".into()),
            codec_client_type: match service.spec.protocol.is_http2() {
                true => CodecClientType::Http2.into(),
                false => CodecClientType::Http1.into(),
            },
            ..Default::default()
        }),
        HealthCheckType::Grpc => HealthChecker::GrpcHealthCheck(GrpcHealthCheck {
            service_name: wanted.grpc_service.clone().unwrap_or_default(),
            authority: host(&wanted).trim_start_matches("*.").to_string(),
            ..Default::default()
        }),
    };
    let interval = pack::duration(wanted.interval());
    Some(core::HealthCheck {
        timeout: pack::duration(wanted.timeout()),
        interval,
        // Envoy would probe only once a minute where there was no traffic yet.
        no_traffic_interval: interval,
        no_traffic_healthy_interval: None,
        unhealthy_threshold: pack::number(wanted.unhealthy_threshold()),
        healthy_threshold: pack::number(wanted.healthy_threshold()),
        health_checker: Some(checker),
        ..Default::default()
    })
}

/// Ejection by what gateways and connections do, not by a 500, which is an answer.
fn outlier(wanted: &Outlier) -> cluster::OutlierDetection {
    cluster::OutlierDetection {
        consecutive_gateway_failure: pack::number(wanted.consecutive_errors()),
        enforcing_consecutive_gateway_failure: pack::number(100),
        consecutive_5xx: pack::number(wanted.consecutive_errors()),
        enforcing_consecutive_5xx: pack::number(0),
        enforcing_success_rate: pack::number(0),
        interval: pack::duration(wanted.interval()),
        base_ejection_time: pack::duration(wanted.ejection_time()),
        max_ejection_time: pack::duration(wanted.ejection_time().max(std::time::Duration::from_secs(60))),
        max_ejection_percent: pack::number(wanted.max_ejection_percent()),
        ..Default::default()
    }
}

fn circuit_breakers(wanted: &CircuitBreaker) -> cluster::CircuitBreakers {
    let number = |threshold| pack::number(CircuitBreaker::or_default(threshold));
    cluster::CircuitBreakers {
        thresholds: vec![cluster::circuit_breakers::Thresholds {
            priority: core::RoutingPriority::Default.into(),
            max_connections: number(wanted.max_connections),
            max_pending_requests: number(wanted.max_pending_requests),
            max_requests: number(wanted.max_requests),
            max_retries: number(wanted.max_retries),
            ..Default::default()
        }],
        ..Default::default()
    }
}
