//! Endpoints (`ClusterLoadAssignment`). Gaps between priorities are closed: a missing one has no endpoints, so
//! that all its load passes on in Envoy too.

use std::collections::BTreeMap;

use envoy_types::pb::envoy::config::core::v3::HealthStatus;
use envoy_types::pb::envoy::config::endpoint::v3 as pb;
use pb::cluster_load_assignment::Policy;
use pb::cluster_load_assignment::policy::DropOverload;
use pb::endpoint::HealthCheckConfig;
use pb::lb_endpoint::HostIdentifier;
use pb::locality_lb_endpoints::{LbConfig, LbEndpointList};

use super::address::{self, Use};
use super::metadata;
use super::path::{Invalid, Path, absent};
use crate::model::{
    Address, Endpoint, EndpointHealth, Fraction, LoadAssignment, LocalityEndpoints, Metadata,
};

/// Envoy's `overprovisioning_factor`, percent.
pub(super) const OVERPROVISIONING_FACTOR: u32 = 140;

/// The lowest priority there may be, as in Envoy.
const PRIORITY_MAX: u32 = 128;

/// The endpoints of a cluster; `usage` says whether they may be names.
pub(super) fn load_assignment(
    path: &Path<'_>,
    assignment: &pb::ClusterLoadAssignment,
    usage: Use,
) -> Result<LoadAssignment, Invalid> {
    let pb::ClusterLoadAssignment { cluster_name, endpoints, named_endpoints, policy: settings } = assignment;
    absent!(path; named_endpoints);
    let mut assignment = LoadAssignment {
        cluster_name: path.field("cluster_name").non_empty(cluster_name)?,
        localities: path
            .field("endpoints")
            .each(endpoints, |at, locality| self::locality(at, locality, usage))?,
        overprovisioning_factor: OVERPROVISIONING_FACTOR,
        weighted_priority_health: false,
        drop_overloads: Vec::new(),
    };
    close_gaps(&mut assignment.localities);
    weights_fit(&path.field("endpoints"), &assignment.localities)?;
    match settings {
        Some(settings) => policy(&path.field("policy"), settings, assignment),
        None => Ok(assignment),
    }
}

fn policy(path: &Path<'_>, policy: &Policy, assignment: LoadAssignment) -> Result<LoadAssignment, Invalid> {
    let Policy { drop_overloads, overprovisioning_factor, endpoint_stale_after, weighted_priority_health } =
        policy;
    absent!(path; endpoint_stale_after);
    if drop_overloads.len() > 1 {
        return path.field("drop_overloads").index(1).refuse("is one too many; one category is accepted");
    }
    let factor = path.field("overprovisioning_factor").ranged(overprovisioning_factor, 1..=u32::MAX)?;
    Ok(LoadAssignment {
        overprovisioning_factor: factor.unwrap_or(OVERPROVISIONING_FACTOR),
        weighted_priority_health: *weighted_priority_health,
        drop_overloads: path.field("drop_overloads").each(drop_overloads, drop_overload)?,
        ..assignment
    })
}

fn drop_overload(path: &Path<'_>, drop: &DropOverload) -> Result<(String, Fraction), Invalid> {
    let DropOverload { category, drop_percentage } = drop;
    let at = path.field("drop_percentage");
    let share = at.fraction(at.required(drop_percentage)?)?;
    Ok((path.field("category").non_empty(category)?, share))
}

/// The endpoints of one locality.
fn locality(
    path: &Path<'_>,
    group: &pb::LocalityLbEndpoints,
    usage: Use,
) -> Result<LocalityEndpoints, Invalid> {
    let pb::LocalityLbEndpoints {
        locality,
        // Free fields for extensions, none of which reads them here.
        metadata: _,
        lb_endpoints,
        load_balancing_weight,
        priority,
        proximity,
        lb_config,
    } = group;
    absent!(path; proximity);
    let (at, list) = match lb_config {
        None => (path.field("lb_endpoints"), lb_endpoints),
        Some(LbConfig::LoadBalancerEndpoints(LbEndpointList { lb_endpoints: list })) => {
            let at = path.field("load_balancer_endpoints");
            if !lb_endpoints.is_empty() {
                return at.refuse("and lb_endpoints are both set; keep one");
            }
            (at, list)
        }
        Some(LbConfig::LedsClusterLocalityConfig(_)) => {
            return path.field("leds_cluster_locality_config").unsupported();
        }
    };
    Ok(LocalityEndpoints {
        locality: address::locality(locality),
        priority: path.field("priority").within(*priority, &(0..=PRIORITY_MAX))?,
        weight: path.field("load_balancing_weight").ranged(load_balancing_weight, 1..=u32::MAX)?,
        endpoints: at.each(list, |at, endpoint| lb_endpoint(at, endpoint, usage))?,
    })
}

fn lb_endpoint(path: &Path<'_>, lb: &pb::LbEndpoint, usage: Use) -> Result<Endpoint, Invalid> {
    let pb::LbEndpoint { health_status, metadata: fields, load_balancing_weight, host_identifier } = lb;
    let at = path.field("endpoint");
    let inner = match host_identifier {
        Some(HostIdentifier::Endpoint(endpoint)) => endpoint,
        Some(HostIdentifier::EndpointName(_)) => return path.field("endpoint_name").unsupported(),
        None => return at.refuse("is required"),
    };
    let health = match path.field("health_status").known(*health_status)? {
        HealthStatus::Unknown => EndpointHealth::Unknown,
        HealthStatus::Healthy => EndpointHealth::Healthy,
        HealthStatus::Unhealthy => EndpointHealth::Unhealthy,
        HealthStatus::Draining => EndpointHealth::Draining,
        HealthStatus::Timeout => EndpointHealth::Timeout,
        HealthStatus::Degraded => EndpointHealth::Degraded,
    };
    let weight = path.field("load_balancing_weight").ranged(load_balancing_weight, 1..=u32::MAX)?;
    let metadata = metadata::metadata(&path.field("metadata"), fields)?;
    endpoint(&at, inner, usage).map(|endpoint| Endpoint {
        health,
        weight: weight.unwrap_or(1),
        metadata,
        ..endpoint
    })
}

fn endpoint(path: &Path<'_>, endpoint: &pb::Endpoint, usage: Use) -> Result<Endpoint, Invalid> {
    let pb::Endpoint { address, health_check_config, hostname, additional_addresses, observability_name } =
        endpoint;
    absent!(path; additional_addresses, observability_name);
    let at = path.field("health_check_config");
    let no_checks = HealthCheckConfig::default();
    let HealthCheckConfig {
        port_value,
        hostname: check_hostname,
        address: check_address,
        disable_active_health_check,
    } = health_check_config.as_ref().unwrap_or(&no_checks);
    at.field("address").absent(check_address)?;
    let address_at = path.field("address");
    let address = address::address(&address_at, address_at.required(address)?, usage)?;
    let health_check_port = match *port_value {
        0 => None,
        _ if matches!(address, Address::Pipe(_)) => {
            return at
                .field("port_value")
                .refuse("is set, but the endpoint is a Unix socket, which has no port");
        }
        port => Some(at.field("port_value").port(port)?),
    };
    Ok(Endpoint {
        address,
        hostname: hostname.clone(),
        health: EndpointHealth::Unknown,
        weight: 1,
        metadata: Metadata::default(),
        health_check_port,
        health_check_hostname: check_hostname.clone(),
        disable_active_health_check: *disable_active_health_check,
    })
}

/// Renumbers priorities so that they count up from zero without a gap.
fn close_gaps(localities: &mut [LocalityEndpoints]) {
    let mut ranks: BTreeMap<u32, u32> = localities.iter().map(|group| (group.priority, 0)).collect();
    for (next, rank) in (0..).zip(ranks.values_mut()) {
        *rank = next;
    }
    for group in localities {
        group.priority = ranks[&group.priority];
    }
}

/// The weights of one priority must add up to 32 bits, as in Envoy; balancers rely on it.
fn weights_fit(path: &Path<'_>, localities: &[LocalityEndpoints]) -> Result<(), Invalid> {
    let mut sums: BTreeMap<u32, u64> = BTreeMap::new();
    for (index, group) in localities.iter().enumerate() {
        let at = path.index(index);
        let endpoints: u64 = group.endpoints.iter().map(|endpoint| u64::from(endpoint.weight)).sum();
        let sum = sums.entry(group.priority).or_default();
        *sum += u64::from(group.weight.unwrap_or(0));
        if endpoints > u64::from(u32::MAX) || *sum > u64::from(u32::MAX) {
            return at.refuse(format!("has weights whose sum is above {}", u32::MAX));
        }
    }
    Ok(())
}
