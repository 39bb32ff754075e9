//! gRPC services that requests are asked about (`envoy.config.core.v3.GrpcService`).

use std::time::Duration;

use super::ClusterName;

/// A gRPC service behind a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct GrpcService {
    /// Its cluster, which speaks HTTP/2.
    pub cluster: ClusterName,
    /// The authority that calls name; empty for the cluster's name.
    pub authority: String,
    /// How long a call may take; `None` leaves it to who calls.
    pub timeout: Option<Duration>,
    /// Fields that every call carries; names in lower case.
    pub initial_metadata: Vec<(String, String)>,
}
