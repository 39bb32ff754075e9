//! The TCP proxy (`envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy`).

use std::time::Duration;

use super::{AccessLog, ClusterName, HashPolicy};

/// Passes a connection's bytes to an endpoint of a cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct TcpProxy {
    /// Name in metrics.
    pub stat_prefix: String,
    /// Where to.
    pub target: TcpTarget,
    /// How long neither side may send; `None` is for ever. Envoy's default is 1 h.
    pub idle_timeout: Option<Duration>,
    /// How many endpoints are tried; at least 1.
    pub max_connect_attempts: u32,
    /// How long a connection may last.
    pub max_downstream_connection_duration: Option<Duration>,
    /// Logs.
    pub access_log: Vec<AccessLog>,
    /// What a hash balancer hashes: only [`super::HashSource::SourceIp`] and [`super::HashSource::FilterState`] here.
    pub hash_policy: Vec<HashPolicy>,
}

/// Where a TCP connection goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TcpTarget {
    /// One cluster.
    Cluster(ClusterName),
    /// One of several by weight; at least one, the weights' sum is not zero.
    Weighted(Vec<(ClusterName, u32)>),
}
