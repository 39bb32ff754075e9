//! What formats may know about the machine: read once at start by whoever owns the process.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use crate::runtime::LiveRuntime;

/// The host's name and address, the process' environment, and its runtime values.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `%HOSTNAME%`; `-` when unknown.
    pub hostname: String,
    /// `%ENVIRONMENT(NAME)%` and environment data sources.
    pub variables: BTreeMap<String, String>,
    /// An address of this machine that others reach; stands in `x-forwarded-for` where the peer is on loopback.
    pub local_address: Option<IpAddr>,
    /// What overrules defaults of the configuration.
    pub runtime: Arc<LiveRuntime>,
}
