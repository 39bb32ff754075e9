//! What the two modes of a server have in common.

use std::sync::Arc;

use envoy_types::pb::envoy::config::core::v3::Node;

use super::status::StreamStatus;
use super::world::World;
use crate::wire::limits::{NAME_BYTES_MAX, NAMES_PER_TYPE_MAX};
use crate::wire::resource::ResourceType;
use crate::wire::violation::Violation;

/// A server's state machine for one stream: no I/O and no clock; responses are drawn from it one by one.
pub trait Machine: Send + 'static {
    /// What it receives.
    type Request: prost::Message + Default + 'static;
    /// What it sends.
    type Response: prost::Message + Default + 'static;
    /// Whether it speaks the incremental variant.
    const DELTA: bool;

    /// A stream begins, and this is the world.
    fn new(world: Arc<World>) -> Self;
    /// The node in a request, which the stream's first request must have.
    fn node(request: &Self::Request) -> Option<&Node>;
    /// A request came.
    fn request(&mut self, request: Self::Request) -> Result<(), Violation>;
    /// The world is now this.
    fn world(&mut self, world: Arc<World>);
    /// The next response, if one is due; to be called again until there is none.
    fn next(&mut self) -> Option<Self::Response>;
    /// What is known of the client.
    fn status(&self) -> StreamStatus;
}

/// The types whose resources name resources of this type: what is removed must not be referred to any more.
pub(super) const fn referrers(ty: ResourceType) -> &'static [ResourceType] {
    use ResourceType::{Cluster, Listener, RouteConfiguration};
    match ty {
        ResourceType::Cluster => &[Listener, RouteConfiguration],
        ResourceType::ClusterLoadAssignment => &[Cluster],
        ResourceType::RouteConfiguration | ResourceType::ExtensionConfig => &[Listener],
        ResourceType::Secret => &[Cluster, Listener],
        ResourceType::Listener | ResourceType::Runtime => &[],
    }
}

/// Refuses names beyond the limits; `held` is how many the client has subscribed to already.
pub(super) fn check_names(ty: ResourceType, held: usize, names: &[String]) -> Result<(), Violation> {
    let count = held + names.len();
    if count > NAMES_PER_TYPE_MAX {
        return Err(Violation(format!("{count} names for {ty}, at most {NAMES_PER_TYPE_MAX} are accepted")));
    }
    match names.iter().find(|name| name.len() > NAME_BYTES_MAX) {
        Some(name) => Err(Violation(format!(
            "a name of {} bytes for {ty}, at most {NAME_BYTES_MAX} are accepted",
            name.len()
        ))),
        None => Ok(()),
    }
}
