//! A proxy as it is known.
//!
//! One rule: identity comes from the certificate, everything else is what the proxy says.

use std::net::SocketAddr;
use std::time::SystemTime;

use xds::wire::server::status::StreamStatus;

use crate::ca::spiffe::SpiffeId;

/// A proxy as it presented itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Proxy {
    /// Who it is, by its certificate.
    pub id: SpiffeId,
    /// When that certificate ends.
    pub certificate_not_after: SystemTime,
    /// Its node id, as it says.
    pub node: String,
    /// Its program and version, as it says.
    pub agent: String,
    /// Where it connects from.
    pub address: SocketAddr,
    /// When it connected.
    pub since: SystemTime,
    /// Whether it speaks the incremental variant.
    pub is_delta: bool,
}

/// A proxy with what is known of it now.
#[derive(Clone, Debug)]
pub struct Known {
    /// The proxy.
    pub proxy: Proxy,
    /// Whether its stream is open.
    pub is_connected: bool,
    /// What it was told, took and refused; the last state when it is not connected.
    pub status: StreamStatus,
}
