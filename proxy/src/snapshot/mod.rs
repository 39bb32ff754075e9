//! One immutable picture of the configuration in use, and how the next one is made.
//!
//! [`compile`] turns resources into a [`Snapshot`], taking over from the previous one every piece whose resource
//! did not change: a route edit never cools a pool, resets a counter or forgets an ejection. One rule: a request
//! reads one snapshot from its first header to its last log line.

mod resources;

mod sockets;

mod chain;

mod chain_match;

mod listener;

mod references;

mod compile;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwap;
use xds::model::{ListenerName, RouteConfigName};

use crate::policy::route::RouteTable;
use crate::upstream::Clusters;

pub use crate::upstream::{Cluster, Host};

pub use chain::{Chain, ChainAction, RouteRef};
pub use chain_match::{Arrival, ChainMatcher};
pub use compile::{Compiled, Environment, Fetches, compile};
pub use listener::Listener;
pub use references::{Reference, references};
pub use resources::{Refused, ResourceId, Resources};
pub use sockets::{SocketKind, Sockets};

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
    pub routes: HashMap<RouteConfigName, Arc<RouteTable>>,
    /// Clusters that can be used.
    pub clusters: Arc<Clusters>,
    /// Clusters that wait for endpoints or a first health check; what they replace serves meanwhile.
    pub warming: Vec<Arc<Cluster>>,
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

impl Snapshot {
    /// The route table a chain uses now; `None` while RDS has not brought it.
    #[must_use]
    pub fn route_table<'a>(&'a self, reference: &'a RouteRef) -> Option<&'a Arc<RouteTable>> {
        match reference {
            RouteRef::Inline(table) => Some(table),
            RouteRef::Rds(name) => self.routes.get(name),
        }
    }
}
