//! Load reports.

use envoy_types::pb::envoy::config::endpoint::v3 as pb;
use envoy_types::pb::envoy::service::load_stats::v3::LoadStatsRequest;

use super::address;
use super::scalar;
use crate::model::{Address, ClusterLoad, Load, LocalityLoad};

pub(super) fn report(clusters: &[ClusterLoad]) -> LoadStatsRequest {
    LoadStatsRequest { node: None, cluster_stats: clusters.iter().map(cluster).collect() }
}

fn cluster(load: &ClusterLoad) -> pb::ClusterStats {
    let ClusterLoad { cluster, service_name, localities, dropped, interval } = load;
    pb::ClusterStats {
        cluster_name: cluster.to_string(),
        cluster_service_name: service_name.clone(),
        upstream_locality_stats: localities.iter().map(locality).collect(),
        total_dropped_requests: *dropped,
        load_report_interval: scalar::span(*interval),
        ..Default::default()
    }
}

fn locality(load: &LocalityLoad) -> pb::UpstreamLocalityStats {
    let LocalityLoad { locality, priority, load, endpoints } = load;
    let Load { issued, successful, failed, in_progress } = *load;
    pb::UpstreamLocalityStats {
        locality: address::locality(locality),
        total_successful_requests: successful,
        total_requests_in_progress: in_progress,
        total_error_requests: failed,
        total_issued_requests: issued,
        upstream_endpoint_stats: endpoints.iter().map(endpoint).collect(),
        priority: *priority,
        ..Default::default()
    }
}

fn endpoint((at, load): &(Address, Load)) -> pb::UpstreamEndpointStats {
    let Load { issued, successful, failed, in_progress } = *load;
    pb::UpstreamEndpointStats {
        address: Some(address::address(at)),
        total_successful_requests: successful,
        total_requests_in_progress: in_progress,
        total_error_requests: failed,
        total_issued_requests: issued,
        ..Default::default()
    }
}
