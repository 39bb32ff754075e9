//! What a client's stream tells whoever applies the resources.

use std::time::Duration;

use envoy_types::pb::google::protobuf::Any;

use crate::wire::nack::Rejection;
use crate::wire::resource::ResourceType;

/// Names the response that a verdict is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The type of the response's resources.
    pub ty: ResourceType,
    pub(super) stream: u64,
    pub(super) nonce: String,
}

/// A resource that arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrived {
    /// Its name, as the stream knows it.
    pub name: String,
    /// Its version; in state-of-the-world mode that of the whole response.
    pub version: String,
    /// The resource itself.
    pub body: Any,
}

/// Why a resource is gone without the control plane having said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It was subscribed to by name and did not come in time (state-of-the-world mode only).
    Missing,
    /// Its time to live ended.
    Expired,
}

/// What happened on a stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The control plane answers.
    Connected,
    /// The stream ended; the resources stay what they are, and it is opened again after `retry_in`.
    Disconnected {
        /// What ended it.
        reason: String,
        /// How long until the next attempt.
        retry_in: Duration,
    },
    /// A response came. It must be answered with a verdict on its ticket, also if it is empty: an empty first
    /// response says that there are no resources.
    Updated {
        /// What the verdict must name.
        ticket: Ticket,
        /// The resources that are new or changed, or (state of the world) sent again.
        resources: Vec<Arrived>,
        /// The names that do not exist any more, or never did.
        removed: Vec<String>,
        /// What could not even be handed over; the NACK will report it without help.
        invalid: Vec<Rejection>,
    },
    /// Resources are gone; there is nothing to answer.
    Gone {
        /// Their type.
        ty: ResourceType,
        /// Their names.
        names: Vec<String>,
        /// What ended them.
        why: Gone,
    },
}
