//! Endpoints (`envoy.config.endpoint.v3.ClusterLoadAssignment`).

use super::{Address, Metadata};

/// The endpoints of a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadAssignment {
    /// `cluster_name`: the EDS service name.
    pub cluster_name: String,
    /// By locality and priority; priorities have no gaps.
    pub localities: Vec<LocalityEndpoints>,
    /// Percent; Envoy's default is 140.
    pub overprovisioning_factor: u32,
    /// Whether priorities weigh endpoints when judging health (`weighted_priority_health`).
    pub weighted_priority_health: bool,
    /// Share of requests to refuse, by category.
    pub drop_overloads: Vec<(String, super::Fraction)>,
}

/// A place: region, zone, sub-zone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Locality {
    /// Region.
    pub region: String,
    /// Zone.
    pub zone: String,
    /// Sub-zone.
    pub sub_zone: String,
}

/// The endpoints of one locality at one priority.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalityEndpoints {
    /// Where.
    pub locality: Locality,
    /// 0 is preferred.
    pub priority: u32,
    /// Share of the locality among those of its priority, when locality weights are in use; `None` gets nothing.
    pub weight: Option<u32>,
    /// The endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// One endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Where it is reached.
    pub address: Address,
    /// Its hostname, for `auto_host_rewrite` and checks.
    pub hostname: String,
    /// What the control plane says.
    pub health: EndpointHealth,
    /// Share among its locality; at least 1.
    pub weight: u32,
    /// Metadata.
    pub metadata: Metadata,
    /// Port for active checks, if another one.
    pub health_check_port: Option<u16>,
    /// Hostname for active checks, if another one.
    pub health_check_hostname: String,
    /// Whether active checks leave it out.
    pub disable_active_health_check: bool,
}

/// What a control plane says of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointHealth {
    /// Nothing: counts as healthy until checks say otherwise.
    Unknown,
    /// Healthy.
    Healthy,
    /// Not to be used.
    Unhealthy,
    /// Takes no new work; counts as unhealthy when choosing.
    Draining,
    /// Failing its checks from the control plane's side; counts as unhealthy.
    Timeout,
    /// To be used when too few healthy ones are left.
    Degraded,
}
