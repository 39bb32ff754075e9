//! What stands in a filter chain before its terminal filter, and looks at connections
//! (`envoy.extensions.filters.network`).

use std::time::Duration;

use super::{ConnectionState, RuntimeSwitch, TokenBucket};

/// A filter before the terminal one.
#[derive(Debug, Clone, PartialEq)]
pub enum ConnectionFilter {
    /// Keeps objects about a connection (`set_filter_state`).
    State(ConnectionState),
    /// Closes connections when too many are open (`connection_limit`).
    Limit(ConnectionLimit),
    /// Closes connections that come too fast (`local_ratelimit`).
    Rate(ConnectionRateLimit),
    /// Makes the server name that the client asks for the name of the TCP proxy's cluster (`sni_cluster`).
    SniCluster,
}

/// How many connections of a chain may be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionLimit {
    /// Name in metrics; never empty.
    pub stat_prefix: String,
    /// At most so many; one at least.
    pub max_connections: u64,
    /// How long a connection that is refused is kept before it is closed.
    pub delay: Duration,
    /// Whether anything is limited.
    pub enabled: RuntimeSwitch,
}

/// How fast connections of a chain may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionRateLimit {
    /// Name in metrics; never empty.
    pub stat_prefix: String,
    /// Each connection takes a token.
    pub token_bucket: TokenBucket,
    /// Whether anything is limited.
    pub enabled: RuntimeSwitch,
    /// Filters with the same key and an equal bucket have one bucket together; empty for a bucket of its own.
    pub share_key: String,
}
