//! One immutable picture of the configuration in use, and how the next one is made.
//!
//! [`compile`] turns resources into a [`Snapshot`], taking over from the previous one every piece whose resource
//! did not change: a route edit never cools a pool, resets a counter or forgets an ejection. One rule: a request
//! reads one snapshot from its first header to its last log line.

mod resources;

mod sockets;

mod environment;

mod chain;

mod chain_match;

mod listener;

mod live;

mod references;

mod load;

mod compile;

pub use crate::policy::network::Held;
pub use crate::upstream::{Cluster, Host};

pub use chain::{Chain, ChainAction, HttpChain, RouteRef};
pub use chain_match::{Arrival, ChainMatcher};
pub use compile::{Compiled, Fetches, compile};
pub use environment::Environment;
pub use listener::Listener;
pub use live::{Live, Snapshot};
pub use load::Loads;
pub use references::{Reference, references};
pub use resources::{Refused, ResourceId, Resources};
pub use sockets::{SocketKind, Sockets};
