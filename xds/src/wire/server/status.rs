//! What is known of a client: what it asked for, what it holds, what it refused and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::wire::nack::Rejection;
use crate::wire::resource::{Interest, ResourceType};

/// What a client refused, until it accepts something else in its place or does not want it any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The version of the response that was refused last.
    pub version: String,
    /// The client's words about it.
    pub message: String,
    /// Every refused resource; where the client did not name them, all of its response.
    pub resources: Vec<Rejection>,
}

/// One type on one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeStatus {
    /// What the client asked for.
    pub interest: Arc<Interest>,
    /// The version of the latest response that was acknowledged.
    pub acknowledged: Option<String>,
    /// Names and versions of what the client is known to hold.
    pub held: Arc<BTreeMap<String, String>>,
    /// What stands refused.
    pub refusal: Option<Refusal>,
    /// Whether a response waits for its answer, or a change for being sent.
    pub behind: bool,
}

/// All that is known of the client at the other end of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamStatus {
    /// The types that it asked for.
    pub types: BTreeMap<ResourceType, TypeStatus>,
}
