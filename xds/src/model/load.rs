//! Load reports (`envoy.service.load_stats.v3`): what a server wants to know, and what it is told.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Address, ClusterName, Locality};

/// What a server wants to know (`LoadStatsResponse`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedLoad {
    /// Of which clusters.
    pub clusters: WantedClusters,
    /// How often; never zero.
    pub interval: Duration,
    /// Whether each endpoint is told apart.
    pub endpoints: bool,
}

/// Clusters whose load is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantedClusters {
    /// Every one (`send_all_clusters`).
    All,
    /// Those that there are of these.
    Named(BTreeSet<ClusterName>),
}

impl WantedClusters {
    /// Whether the load of the cluster called `name` is wanted.
    #[must_use]
    pub fn covers(&self, name: &ClusterName) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(name),
        }
    }
}

/// What a cluster did since the last report (`ClusterStats`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterLoad {
    /// Which.
    pub cluster: ClusterName,
    /// The name its endpoints are fetched under; empty where they are not fetched.
    pub service_name: String,
    /// Its localities that did anything.
    pub localities: Vec<LocalityLoad>,
    /// Requests that were refused here: by circuit breakers and `drop_overloads`.
    pub dropped: u64,
    /// How long it took.
    pub interval: Duration,
}

/// What a locality of one priority did (`UpstreamLocalityStats`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalityLoad {
    /// Where.
    pub locality: Locality,
    /// 0 is preferred.
    pub priority: u32,
    /// Of all its endpoints.
    pub load: Load,
    /// Of each, where that is wanted.
    pub endpoints: Vec<(Address, Load)>,
}

/// Numbers of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Sent.
    pub issued: u64,
    /// Answered with a status below 500.
    pub successful: u64,
    /// Answered with another, or not at all.
    pub failed: u64,
    /// Still being answered.
    pub in_progress: u64,
}

impl Load {
    /// Whether there is nothing to tell.
    #[must_use]
    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

impl std::ops::AddAssign for Load {
    fn add_assign(&mut self, other: Self) {
        let Self { issued, successful, failed, in_progress } = other;
        self.issued += issued;
        self.successful += successful;
        self.failed += failed;
        self.in_progress += in_progress;
    }
}
