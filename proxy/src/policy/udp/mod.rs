//! What a UDP proxy decides about a client's datagrams: where they go, how they are hashed, how long a session lasts.

mod stats;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use xds::model::{self, UdpHash};

use crate::observe::metrics::{Counters, Scope};
use crate::policy::http::Shared;
use crate::upstream::xx_hash64;

pub use stats::UdpMetric;

/// A compiled UDP proxy; immutable and shared by all workers.
#[derive(Debug)]
pub struct UdpPolicy {
    /// What it was made of.
    pub model: model::UdpProxy,
    /// Counters under its `stat_prefix`.
    pub stats: Arc<Counters<UdpMetric>>,
    key_hash: Option<u64>,
}

impl UdpPolicy {
    /// Compiles `model`.
    #[must_use]
    pub fn compile(model: &model::UdpProxy, shared: &Shared) -> Self {
        let key_hash = match &model.hash {
            Some(UdpHash::Key(key)) => Some(xx_hash64(key.as_bytes(), 0)),
            Some(UdpHash::SourceIp) | None => None,
        };
        let scope = Scope::new("udp", "envoy_udp_prefix", model.stat_prefix.as_str());
        Self { model: model.clone(), stats: shared.counters(scope), key_hash }
    }

    /// The cluster of all sessions; `None` for nowhere.
    #[must_use]
    pub fn cluster(&self) -> Option<&str> {
        self.model.cluster.as_ref().map(model::ClusterName::as_str)
    }

    /// The hash of a client's sessions, computed as Envoy does; `None` lets the balancer draw.
    #[must_use]
    pub fn hash(&self, client: IpAddr) -> Option<u64> {
        match &self.model.hash {
            Some(UdpHash::SourceIp) => Some(xx_hash64(client.to_string().as_bytes(), 0)),
            Some(UdpHash::Key(_)) => self.key_hash,
            None => None,
        }
    }

    /// Counts an error while receiving from clients.
    pub fn failed(&self) {
        self.stats.inc(UdpMetric::RxErrors);
    }

    /// How long a session lasts without a datagram.
    #[must_use]
    pub fn idle_timeout(&self) -> Duration {
        self.model.idle_timeout
    }
}
