//! Endpoints.

use envoy_types::pb::envoy::config::core::v3::HealthStatus;
use envoy_types::pb::envoy::config::endpoint::v3 as pb;
use pb::cluster_load_assignment::Policy;
use pb::cluster_load_assignment::policy::DropOverload;
use pb::endpoint::HealthCheckConfig;

use super::address;
use super::metadata;
use super::scalar;
use crate::model::{Endpoint, EndpointHealth, LoadAssignment, LocalityEndpoints};

pub(super) fn load_assignment(assignment: &LoadAssignment) -> pb::ClusterLoadAssignment {
    let LoadAssignment {
        cluster_name,
        localities,
        overprovisioning_factor,
        weighted_priority_health,
        drop_overloads,
    } = assignment;
    let drop_overloads = drop_overloads.iter().map(|(category, share)| DropOverload {
        category: category.clone(),
        drop_percentage: Some(scalar::fraction(*share)),
    });
    pb::ClusterLoadAssignment {
        cluster_name: cluster_name.clone(),
        endpoints: localities.iter().map(locality).collect(),
        policy: Some(Policy {
            drop_overloads: drop_overloads.collect(),
            overprovisioning_factor: scalar::uint32(*overprovisioning_factor),
            weighted_priority_health: *weighted_priority_health,
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn locality(group: &LocalityEndpoints) -> pb::LocalityLbEndpoints {
    let LocalityEndpoints { locality, priority, weight, endpoints } = group;
    pb::LocalityLbEndpoints {
        locality: address::locality(locality),
        lb_endpoints: endpoints.iter().map(endpoint).collect(),
        load_balancing_weight: weight.and_then(scalar::uint32),
        priority: *priority,
        ..Default::default()
    }
}

fn endpoint(endpoint: &Endpoint) -> pb::LbEndpoint {
    let Endpoint {
        address: at,
        hostname,
        health,
        weight,
        metadata,
        health_check_port,
        health_check_hostname,
        disable_active_health_check,
    } = endpoint;
    let health = match health {
        EndpointHealth::Unknown => HealthStatus::Unknown,
        EndpointHealth::Healthy => HealthStatus::Healthy,
        EndpointHealth::Unhealthy => HealthStatus::Unhealthy,
        EndpointHealth::Draining => HealthStatus::Draining,
        EndpointHealth::Timeout => HealthStatus::Timeout,
        EndpointHealth::Degraded => HealthStatus::Degraded,
    };
    let checks = HealthCheckConfig {
        port_value: health_check_port.map_or(0, u32::from),
        hostname: health_check_hostname.clone(),
        disable_active_health_check: *disable_active_health_check,
        ..Default::default()
    };
    let inner = pb::Endpoint {
        address: Some(address::address(at)),
        health_check_config: Some(checks).filter(|checks| *checks != HealthCheckConfig::default()),
        hostname: hostname.clone(),
        ..Default::default()
    };
    pb::LbEndpoint {
        health_status: health.into(),
        metadata: metadata::metadata(metadata),
        load_balancing_weight: scalar::uint32(*weight),
        host_identifier: Some(pb::lb_endpoint::HostIdentifier::Endpoint(inner)),
    }
}
