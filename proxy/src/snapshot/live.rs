//! The snapshot itself, and the one place where the current one stands.
//!
//! One rule: a snapshot is never changed once it stands here; the next one takes its place.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use xds::model::{ListenerName, RouteConfigName};

use super::chain::RouteRef;
use super::listener::Listener;
use super::resources::Resources;
use crate::policy::route::RouteTable;
use crate::upstream::{Cluster, Clusters};

/// The configuration in use.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Counts snapshots, from zero.
    pub generation: u64,
    /// What it was made of.
    pub resources: Resources,
    /// Listeners that serve.
    pub listeners: BTreeMap<ListenerName, Arc<Listener>>,
    /// Route tables by name (RDS).
    pub routes: HashMap<RouteConfigName, Arc<RouteTable>, RandomState>,
    /// Clusters that can be used.
    pub clusters: Arc<Clusters>,
    /// Listeners that are bound but wait for routes or secrets; what they replace serves meanwhile.
    pub waiting: BTreeMap<ListenerName, Arc<Listener>>,
    /// Clusters that wait for endpoints or a first health check; what they replace serves meanwhile.
    pub warming: Vec<Arc<Cluster>>,
    /// Takes no request: for a chain whose table RDS has not brought yet.
    pub no_routes: Arc<RouteTable>,
}

impl Snapshot {
    /// The route table a chain uses now; one that takes no request while RDS has not brought it.
    #[must_use]
    pub fn route_table<'a>(&'a self, reference: &'a RouteRef) -> &'a Arc<RouteTable> {
        match reference {
            RouteRef::Inline(table) => table,
            RouteRef::Rds(name) => self.routes.get(name).unwrap_or(&self.no_routes),
        }
    }
}

/// The one place where the current snapshot stands.
#[derive(Debug, Default)]
pub struct Live {
    current: ArcSwap<Snapshot>,
    changed: tokio::sync::watch::Sender<u64>,
}

impl Live {
    /// An empty snapshot: nothing listens.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The snapshot now.
    #[must_use]
    pub fn load(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Puts `snapshot` in place and wakes who watches.
    pub fn store(&self, snapshot: Arc<Snapshot>) {
        let generation = snapshot.generation;
        self.current.store(snapshot);
        self.changed.send_replace(generation);
    }

    /// Tells of every new snapshot's generation.
    #[must_use]
    pub fn watch(&self) -> tokio::sync::watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
