//! What clusters did since it was last told, for load reports.
//!
//! One rule: a request is told once, to each server that asks; what an endpoint did before it was asked about, or
//! what it did last before it left its cluster, is not told.

use std::collections::HashMap;
use std::time::Instant;

use xds::model::{ClusterLoad, ClusterName, Discovery, Load, LocalityLoad, WantedLoad};

use super::live::Snapshot;
use crate::upstream::{Cluster, ClusterMetric, Host, HostMetric};

/// Clusters whose load is reported to one server.
#[derive(Debug)]
pub struct Loads {
    /// Only those that say so themselves (`lrs_server`), or all.
    marked_only: bool,
    tracked: HashMap<ClusterName, Tracked>,
}

/// What was told of a cluster already.
#[derive(Debug)]
struct Tracked {
    since: Instant,
    dropped: u64,
    /// By endpoint.
    told: HashMap<u64, Load>,
}

impl Loads {
    /// None yet; with `marked_only`, only of clusters that have `lrs_server` set.
    #[must_use]
    pub fn new(marked_only: bool) -> Self {
        Self { marked_only, tracked: HashMap::new() }
    }

    /// From now on, `wanted` is counted; what was counted before goes on.
    pub fn track(&mut self, snapshot: &Snapshot, wanted: &WantedLoad, now: Instant) {
        self.tracked.retain(|name, _| wanted.clusters.covers(name));
        for (name, cluster) in snapshot.clusters.iter() {
            let counts = wanted.clusters.covers(name) && (cluster.model().reports_load || !self.marked_only);
            if counts && !self.tracked.contains_key(name) {
                let endpoints = cluster.endpoints();
                let told = endpoints.hosts().iter().map(|host| (host.state().id(), counted(host)));
                let tracked = Tracked { since: now, dropped: dropped(cluster), told: told.collect() };
                self.tracked.insert(name.clone(), tracked);
            }
        }
    }

    /// What is counted, since it was taken last. A cluster that is new is counted from now on.
    pub fn take(&mut self, snapshot: &Snapshot, wanted: &WantedLoad, now: Instant) -> Vec<ClusterLoad> {
        self.tracked.retain(|name, _| snapshot.clusters.get(name.as_str()).is_some());
        let clusters = self.tracked.iter_mut().filter_map(|(name, tracked)| {
            let cluster = snapshot.clusters.get(name.as_str())?;
            Some(tracked.take(name, cluster, wanted.endpoints, now))
        });
        let mut loads: Vec<_> = clusters.collect();
        loads.sort_by(|a, b| a.cluster.cmp(&b.cluster));
        self.track(snapshot, wanted, now);
        loads
    }
}

impl Tracked {
    fn take(&mut self, name: &ClusterName, cluster: &Cluster, endpoints: bool, now: Instant) -> ClusterLoad {
        let mut localities: Vec<LocalityLoad> = Vec::new();
        let mut told = HashMap::with_capacity(self.told.len());
        for host in cluster.endpoints().hosts() {
            let counted = counted(host);
            let before = self.told.get(&host.state().id()).copied().unwrap_or_default();
            // An address that stands in two localities is one endpoint, told under the first.
            if told.insert(host.state().id(), counted).is_some() {
                continue;
            }
            let load = since(counted, before, u64::from(host.active_requests()));
            if load.is_nothing() {
                continue;
            }
            let (locality, priority) = (host.locality(), host.priority());
            let same = |other: &&mut LocalityLoad| other.locality == **locality && other.priority == priority;
            let one = endpoints.then(|| (host.address().clone(), load));
            match localities.iter_mut().find(same) {
                Some(group) => {
                    group.load += load;
                    group.endpoints.extend(one);
                }
                None => localities.push(LocalityLoad {
                    locality: (**locality).clone(),
                    priority,
                    load,
                    endpoints: one.into_iter().collect(),
                }),
            }
        }
        let dropped = dropped(cluster);
        let load = ClusterLoad {
            cluster: name.clone(),
            service_name: match &cluster.model().discovery {
                Discovery::Eds { service_name, .. } => service_name.clone(),
                Discovery::Static(_) | Discovery::StrictDns { .. } | Discovery::LogicalDns { .. } => {
                    String::new()
                }
            },
            localities,
            // A cluster that was replaced counts from zero.
            dropped: dropped.checked_sub(self.dropped).unwrap_or(dropped),
            interval: now.saturating_duration_since(self.since),
        };
        *self = Self { since: now, dropped, told };
        load
    }
}

/// What an endpoint did in all its life.
fn counted(host: &Host) -> Load {
    let stats = host.state().stats();
    Load {
        issued: stats.get(HostMetric::RqTotal),
        successful: stats.get(HostMetric::RqSuccess),
        failed: stats.get(HostMetric::RqError),
        in_progress: 0,
    }
}

fn since(now: Load, before: Load, in_progress: u64) -> Load {
    Load {
        issued: now.issued.saturating_sub(before.issued),
        successful: now.successful.saturating_sub(before.successful),
        failed: now.failed.saturating_sub(before.failed),
        in_progress,
    }
}

/// Requests that were refused on this side.
fn dropped(cluster: &Cluster) -> u64 {
    let refused = [ClusterMetric::UpstreamRqPendingOverflow, ClusterMetric::UpstreamRqDropOverload];
    refused.iter().map(|metric| cluster.stats().get(*metric)).sum()
}

#[cfg(test)]
mod tests;
