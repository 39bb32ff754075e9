//! The UDP proxy (`envoy.extensions.filters.udp.udp_proxy.v3`): datagrams of one client are a session with one endpoint.

use std::time::Duration;

use super::ClusterName;

/// A UDP proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UdpProxy {
    /// Name in metrics; never empty.
    pub stat_prefix: String,
    /// Where sessions go; `None`: nowhere.
    pub cluster: Option<ClusterName>,
    /// How the cluster is written (`matcher` instead of `cluster`).
    pub by_matcher: bool,
    /// How long a session lasts without a datagram; Envoy's default is a minute.
    pub idle_timeout: Duration,
    /// What sessions are hashed by.
    pub hash: Option<UdpHash>,
    /// Whether each datagram chooses an endpoint, not each session.
    pub per_packet: bool,
    /// Longest datagram that is taken from clients, bytes; Envoy's default is 1,500.
    pub downstream_bytes_max: u16,
    /// Longest datagram that is taken from endpoints, bytes; any unless `prefer_gro` is off.
    pub upstream_bytes_max: u16,
}

impl UdpProxy {
    /// Envoy's `max_rx_datagram_size`.
    pub const DATAGRAM_BYTES_MAX: u16 = 1500;
}

/// What sessions are hashed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UdpHash {
    /// The client's address.
    SourceIp,
    /// A text, the same for all.
    Key(String),
}
