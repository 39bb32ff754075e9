//! What the two modes of a client have in common, for the driver.

use std::time::Instant;

use envoy_types::pb::envoy::config::core::v3::Node;

use super::event::{Event, Ticket};
use crate::wire::nack::Rejection;
use crate::wire::resource::{Interest, ResourceType};
use crate::wire::violation::Violation;

/// Who the client says it is, and how often.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// The xDS node.
    pub node: Node,
    /// Whether only the first request of a stream carries the node (`set_node_on_first_message_only`).
    pub first_message_only: bool,
}

impl Identity {
    /// The node for the next request, given whether this stream has sent it already.
    pub(super) fn next(&self, sent: &mut bool) -> Option<Node> {
        let known = std::mem::replace(sent, true);
        (!known || !self.first_message_only).then(|| self.node.clone())
    }
}

/// What a machine wants done after a response.
#[derive(Debug, PartialEq)]
pub enum Output<R> {
    /// Send this request.
    Send(R),
    /// Tell this to whoever applies the resources.
    Tell(Event),
}

/// A client's state machine: it has no I/O and no clock, `now` is always handed in.
pub trait Machine: Send + 'static {
    /// What it sends.
    type Request: prost::Message + Default + 'static;
    /// What it receives.
    type Response: prost::Message + Default + 'static;
    /// Whether it speaks the incremental variant.
    const DELTA: bool;

    /// Whether nothing is wanted, so that no stream is needed.
    fn idle(&self) -> bool;
    /// A new stream is being opened; these are its first requests.
    fn open(&mut self) -> Vec<Self::Request>;
    /// The control plane answered on the stream: waiting for resources begins to count.
    fn connected(&mut self, now: Instant);
    /// The stream ended.
    fn closed(&mut self);
    /// A response came.
    fn receive(
        &mut self,
        response: Self::Response,
        now: Instant,
    ) -> Result<Vec<Output<Self::Request>>, Violation>;
    /// The resources of a response were applied, except for the rejected ones. A ticket of an earlier stream is
    /// recorded but not answered.
    fn settle(&mut self, ticket: &Ticket, rejected: Vec<Rejection>) -> Option<Self::Request>;
    /// What is wanted of a type changes to this.
    fn subscribe(&mut self, ty: ResourceType, interest: Interest, now: Instant) -> Option<Self::Request>;
    /// What has run out by now.
    fn tick(&mut self, now: Instant) -> Vec<Event>;
    /// When [`Machine::tick`] has something to tell.
    fn deadline(&self) -> Option<Instant>;
}
