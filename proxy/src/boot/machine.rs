//! What formats and headers may know about the machine this runs on.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;

use super::options::Options;
use crate::observe::access_log::Environment;
use crate::runtime::LiveRuntime;

/// Reads the host's name and address and the process' environment, once; `runtime` goes with them.
pub(super) fn environment(options: &Options, runtime: Arc<LiveRuntime>) -> Environment {
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let hostname = match hostname.trim() {
        "" => "-".to_owned(),
        name => name.to_owned(),
    };
    Environment {
        hostname,
        variables: variables(),
        local_address: local_address(options.local_address_ip_version == "v6"),
        runtime,
    }
}

/// The process' environment; what is not UTF-8 can be named by no configuration and is left out.
pub(super) fn variables() -> BTreeMap<String, String> {
    let text =
        |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    std::env::vars_os().filter_map(text).collect()
}

/// The address that packets to elsewhere would carry. Connecting a UDP socket picks a route and sends nothing;
/// the destinations are documentation addresses (RFC 5737, RFC 3849).
fn local_address(v6: bool) -> Option<IpAddr> {
    let (bind, destination) = if v6 { ("[::]:0", "[2001:db8::1]:9") } else { ("0.0.0.0:0", "192.0.2.1:9") };
    let socket = UdpSocket::bind(bind).ok()?;
    socket.connect(destination).ok()?;
    socket.local_addr().ok().map(|address| address.ip())
}
