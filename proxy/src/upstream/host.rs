//! One endpoint of a cluster: what configuration says of it, and what is known of it.
//!
//! A [`Host`] is made anew when its configuration changes; its [`HostState`] (counters, health, ejections, and
//! with its id the connections) stays as long as its address is in the cluster.

use std::net::SocketAddr;
use std::sync::Arc;

use xds::model::{Address, Endpoint, Locality, Metadata};

use super::state::{Availability, HostState};
use super::transport::Transport;

/// An endpoint.
#[derive(Debug)]
pub struct Host {
    address: Address,
    hostname: String,
    locality: Arc<Locality>,
    priority: u32,
    weight: u32,
    metadata: Metadata,
    check: CheckTarget,
    transport: Transport,
    state: Arc<HostState>,
}

/// Where active checks of an endpoint go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckTarget {
    /// Port instead of the endpoint's.
    pub port: Option<u16>,
    /// Hostname to check for; may be empty.
    pub hostname: String,
    /// Whether it is checked at all.
    pub disabled: bool,
}

impl Host {
    /// An endpoint with what is known of it.
    #[must_use]
    pub fn new(
        endpoint: &Endpoint,
        locality: Arc<Locality>,
        priority: u32,
        transport: Transport,
        state: Arc<HostState>,
    ) -> Self {
        Self {
            address: endpoint.address.clone(),
            hostname: endpoint.hostname.clone(),
            locality,
            priority,
            weight: endpoint.weight.max(1),
            metadata: endpoint.metadata.clone(),
            check: CheckTarget {
                port: endpoint.health_check_port,
                hostname: endpoint.health_check_hostname.clone(),
                disabled: endpoint.disable_active_health_check,
            },
            transport,
            state,
        }
    }

    /// Where it is reached.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The socket address, unless it is a pipe or a name that is not resolved.
    #[must_use]
    pub fn socket_address(&self) -> Option<SocketAddr> {
        match &self.address {
            Address::Socket(address) => address.ip(),
            Address::Pipe(_) => None,
        }
    }

    /// Its hostname; empty if it has none.
    #[must_use]
    pub fn hostname(&self) -> &str {
        &self.hostname
    }

    /// Where it stands.
    #[must_use]
    pub fn locality(&self) -> &Arc<Locality> {
        &self.locality
    }

    /// Its priority; 0 is preferred.
    #[must_use]
    pub fn priority(&self) -> u32 {
        self.priority
    }

    /// Its share among its locality; at least 1.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// Its metadata.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Where its active checks go.
    #[must_use]
    pub fn check(&self) -> &CheckTarget {
        &self.check
    }

    /// How bytes travel to it.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// What is known of it.
    #[must_use]
    pub fn state(&self) -> &Arc<HostState> {
        &self.state
    }

    /// Whether `other` is the same endpoint, perhaps configured differently.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.state.id() == other.state.id()
    }

    /// What it may be used for now.
    #[must_use]
    pub fn availability(&self) -> Availability {
        self.state.availability()
    }

    /// Requests in flight.
    #[must_use]
    pub fn active_requests(&self) -> u32 {
        self.state.active_requests()
    }
}
