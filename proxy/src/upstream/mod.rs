//! 4. Bytes leave: clusters, endpoints, connections.
//!
//! A [`Cluster`] knows its endpoints, their health and its limits, and is shared by all workers; each worker has
//! [`pool::Pools`] of its own. Deciding (who is healthy, who is chosen, who is ejected) is plain functions; the
//! tasks in `background` and `pool` only carry decisions out. One rule: nothing here knows why a cluster was
//! chosen.

mod stats;

mod transport;

mod preference;

mod state;

mod host;

mod circuit;

mod locality;

mod balance;

mod outlier;

mod named;

mod set;

mod membership;

mod cluster;

mod clusters;

mod health;

mod resolve;

mod background;

mod connect;

mod origin;

mod handshake;

pub mod pool;

#[cfg(test)]
mod fixture;

pub use balance::{murmur_hash2, xx_hash64};
pub use circuit::{Circuit, Permit, RetryPermit};
pub use cluster::{Call, CallMetric, Calls, Cluster, ClusterHistograms};
pub use clusters::Clusters;
pub use host::Host;
pub use named::{Named, Session};
pub use origin::Origin;
pub use outlier::monitor::Outcome;
pub use set::{EndpointSet, PickContext, Picked, SetTally};
pub use state::{Availability, HealthFlag, HostState};
pub use stats::{ClusterMetric, HostMetric};
pub use transport::{Proxied, Transport, Transports};
