//! The clusters of a snapshot, by name.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use xds::model::ClusterName;

use super::cluster::Cluster;

/// Clusters by name.
#[derive(Debug, Clone, Default)]
pub struct Clusters(HashMap<ClusterName, Arc<Cluster>, RandomState>);

impl Clusters {
    /// No clusters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The cluster called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Cluster>> {
        self.0.get(name)
    }

    /// Adds a cluster under its own name; the one it replaces, if there was one.
    pub fn insert(&mut self, cluster: Arc<Cluster>) -> Option<Arc<Cluster>> {
        self.0.insert(cluster.model().name.clone(), cluster)
    }

    /// Removes the cluster called `name`.
    pub fn remove(&mut self, name: &str) -> Option<Arc<Cluster>> {
        self.0.remove(name)
    }

    /// All of them, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&ClusterName, &Arc<Cluster>)> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
