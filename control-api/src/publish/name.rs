//! The names of what gateways are told.
//!
//! One rule: no name holds a dot, as dots separate the parts of Envoy's metric names.

use crate::resource::protocol::Protocol;

/// The listener for a site's own HTTP clients, and the table of its routes.
pub const GATEWAY: &str = "gateway";
/// The listener for the other sites' gateways.
pub const MESH: &str = "mesh";
/// The secret that a proxy resolves itself: its own SVID with its key.
pub const SVID_SECRET: &str = "tombolo_svid";
/// The secret that holds the trust bundles.
pub const BUNDLE_SECRET: &str = "tombolo_bundle";
/// The key in `envoy.transport_socket_match` metadata that names the site behind an endpoint.
pub const SITE_KEY: &str = "tombolo_site";

/// The cluster of a service's instances at every site.
pub fn everywhere(service: &str) -> String {
    format!("mesh/{service}")
}

/// The cluster of a service's instances at the gateway's own site.
pub fn local(service: &str) -> String {
    format!("local/{service}")
}

/// The listener of a TCP port.
pub fn tcp_listener(port: u16) -> String {
    format!("tcp/{port}")
}

/// The server name by which a gateway asks another for a service. It is never looked up.
pub fn server_name(service: &str) -> String {
    format!("{service}.mesh.tombolo")
}

/// The protocols that gateways offer each other for a service. One cluster holds instances and
/// gateways, and Envoy speaks one version of HTTP to all of a cluster (it accepts ALPN only where
/// every transport has it), so the version between gateways is the instances'.
pub fn alpn(protocol: Protocol) -> Vec<String> {
    match protocol {
        Protocol::Http => vec!["http/1.1".into()],
        Protocol::Http2 | Protocol::Grpc => vec!["h2".into()],
        Protocol::Tcp => Vec::new(),
    }
}
