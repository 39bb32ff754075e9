//! The resources a snapshot is made of, and how a refusal is told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use xds::model::{
    ApiListener, Cluster, ClusterName, Listener, ListenerName, LoadAssignment, RouteConfigName,
    RouteConfiguration,
};

/// Desired resources by kind and name; secrets live in [`crate::identity::Secrets`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resources {
    /// Listeners.
    pub listeners: BTreeMap<ListenerName, Arc<Listener>>,
    /// The listener without sockets, which programs read in the place of a proxy.
    pub api_listener: Option<Arc<ApiListener>>,
    /// Route configurations fetched by name.
    pub routes: BTreeMap<RouteConfigName, Arc<RouteConfiguration>>,
    /// Clusters.
    pub clusters: BTreeMap<ClusterName, Arc<Cluster>>,
    /// Endpoints by EDS service name.
    pub assignments: BTreeMap<String, Arc<LoadAssignment>>,
}

/// Which resource is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceId {
    /// A listener.
    Listener(ListenerName),
    /// A route configuration.
    Route(RouteConfigName),
    /// A cluster.
    Cluster(ClusterName),
    /// A cluster's endpoints.
    Assignment(String),
}

/// A resource that cannot be taken into use. What it would have replaced stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub resource: ResourceId,
    /// Field path and reason.
    pub reason: String,
}

impl Resources {
    /// Makes `id` what it is in `accepted`, or absent.
    pub(super) fn restore(&mut self, id: &ResourceId, accepted: &Self) {
        match id {
            ResourceId::Listener(name) => {
                restore(&mut self.listeners, &accepted.listeners, name);
            }
            ResourceId::Route(name) => restore(&mut self.routes, &accepted.routes, name),
            ResourceId::Cluster(name) => restore(&mut self.clusters, &accepted.clusters, name),
            ResourceId::Assignment(name) => restore(&mut self.assignments, &accepted.assignments, name),
        }
    }
}

fn restore<K: Ord + Clone, V>(map: &mut BTreeMap<K, Arc<V>>, accepted: &BTreeMap<K, Arc<V>>, key: &K) {
    match accepted.get(key) {
        Some(value) => map.insert(key.clone(), Arc::clone(value)),
        None => map.remove(key),
    };
}

impl ResourceId {
    /// The resource's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Listener(name) => name.as_str(),
            Self::Route(name) => name.as_str(),
            Self::Cluster(name) => name.as_str(),
            Self::Assignment(name) => name,
        }
    }

    /// The resource's kind in words.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Listener(_) => "listener",
            Self::Route(_) => "route configuration",
            Self::Cluster(_) => "cluster",
            Self::Assignment(_) => "cluster load assignment",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.resource.kind(), self.resource.name(), self.reason)
    }
}

impl std::error::Error for Refused {}
