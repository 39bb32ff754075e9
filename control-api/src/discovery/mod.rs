//! The xDS server: aggregated discovery for proxies, in both variants.
//!
//! One rule: who may see what is decided by the client's certificate alone.

pub mod publisher;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::config::core::v3::node::UserAgentVersionType;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::AggregatedDiscoveryServiceServer;
use tonic::Status;
use xds::wire::server::stream::{Admission, Discovery, Visitor, service};

use self::publisher::Publisher;
use crate::ca::spiffe::SpiffeId;
use crate::fleet::Fleet;
use crate::fleet::proxy::Proxy;
use crate::store::Store;

/// Who is at the other end of a TLS connection, if it presented a certificate of the mesh.
#[derive(Clone, Debug, PartialEq)]
pub struct Peer {
    /// The certificate's SPIFFE ID.
    pub id: SpiffeId,
    /// When the certificate ends.
    pub not_after: SystemTime,
    /// Where it connects from.
    pub address: SocketAddr,
}

/// The aggregated discovery service. Whoever accepts connections puts a [`Peer`] into the
/// extensions of requests of clients with a certificate.
pub fn server(
    store: Arc<Store>,
    publisher: Arc<Publisher>,
    fleet: Arc<Fleet>,
) -> AggregatedDiscoveryServiceServer<Discovery> {
    service(move |visitor| {
        let proxy = admitted(&store, &visitor)?;
        tracing::info!(id = %proxy.id, node = proxy.node, agent = proxy.agent, "proxy connected");
        Ok(Admission { world: publisher.subscribe(&proxy.id), status: fleet.join(proxy) })
    })
}

fn admitted(store: &Store, visitor: &Visitor<'_>) -> Result<Proxy, Status> {
    let peer = visitor
        .extensions
        .get::<Peer>()
        .ok_or_else(|| Status::unauthenticated("discovery needs a client certificate of this mesh"))?;
    let world = store.world();
    let site = peer.id.gateway_site().filter(|_| peer.id.trust_domain() == &*world.trust_domain);
    let Some(site) = site else {
        return Err(Status::permission_denied(format!("{} is not the gateway of a site", peer.id)));
    };
    if world.site(site).is_none() {
        return Err(Status::permission_denied(format!("there is no Site {site:?}: apply it first")));
    }
    Ok(Proxy {
        id: peer.id.clone(),
        certificate_not_after: peer.not_after,
        node: visitor.node.id.clone(),
        agent: agent(visitor.node),
        address: peer.address,
        since: SystemTime::now(),
        is_delta: visitor.delta,
    })
}

fn agent(node: &Node) -> String {
    let version = match &node.user_agent_version_type {
        Some(UserAgentVersionType::UserAgentVersion(text)) => text.clone(),
        Some(UserAgentVersionType::UserAgentBuildVersion(build)) => {
            let numbers = build.version.as_ref().map(|v| (v.major_number, v.minor_number, v.patch));
            numbers.map(|(a, b, c)| format!("{a}.{b}.{c}")).unwrap_or_default()
        }
        None => String::new(),
    };
    format!("{} {version}", node.user_agent_name).trim().to_string()
}
