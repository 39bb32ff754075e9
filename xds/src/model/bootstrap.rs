//! What a proxy starts with (`envoy.config.bootstrap.v3.Bootstrap`).

use std::time::Duration;

use super::{
    AccessLog, Address, ApiListener, Cluster, ClusterName, ConfigSource, Listener, Locality, RuntimeLayer,
    Secret, Value,
};

/// A bootstrap.
#[derive(Debug, Clone, PartialEq)]
pub struct Bootstrap {
    /// Who this proxy says it is.
    pub node: Node,
    /// Static listeners.
    pub listeners: Vec<Listener>,
    /// The static listener without sockets.
    pub api_listener: Option<ApiListener>,
    /// Static clusters.
    pub clusters: Vec<Cluster>,
    /// Static secrets.
    pub secrets: Vec<Secret>,
    /// What is fetched.
    pub dynamic: DynamicResources,
    /// The admin server; `None`: none.
    pub admin: Option<Admin>,
    /// The cluster this proxy is a member of (`cluster_manager.local_cluster_name`).
    pub local_cluster: Option<ClusterName>,
    /// Where the load of every cluster is reported (`cluster_manager.load_stats_config`): always
    /// [`ConfigSource::Api`].
    pub load_stats: Option<ConfigSource>,
    /// `layered_runtime`: of the layers that set a key, the last one wins.
    pub runtime: Vec<RuntimeLayer>,
    /// How often gauges and rates are flushed; Envoy's default is 5 s.
    pub stats_flush_interval: Duration,
}

/// Who a proxy says it is (`envoy.config.core.v3.Node`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    /// Unique.
    pub id: String,
    /// The service cluster.
    pub cluster: String,
    /// Where it runs.
    pub locality: Locality,
    /// Free fields for the control plane.
    pub metadata: std::collections::BTreeMap<String, Value>,
}

/// What is fetched.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DynamicResources {
    /// The aggregated stream: always [`ConfigSource::Api`].
    pub ads: Option<ConfigSource>,
    /// Where listeners come from.
    pub listeners: Option<ConfigSource>,
    /// Where clusters come from.
    pub clusters: Option<ConfigSource>,
}

/// The admin server.
#[derive(Debug, Clone, PartialEq)]
pub struct Admin {
    /// Where it listens; `None`: nowhere.
    pub address: Option<Address>,
    /// Logs.
    pub access_log: Vec<AccessLog>,
}
