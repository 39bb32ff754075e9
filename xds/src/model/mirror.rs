//! Copies of requests for other clusters (`RouteAction.RequestMirrorPolicy`).

use super::{ClusterName, HeaderChange, RuntimeFraction};

/// Who else gets a copy of requests; nobody waits for what it answers.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestMirror {
    /// Which cluster.
    pub target: MirrorTarget,
    /// How many requests; `None` is all.
    pub share: Option<RuntimeFraction>,
    /// Whether `-shadow` is appended to the host, in front of its port.
    pub shadow_host: bool,
    /// What is changed in the copy's fields, in order.
    pub request_headers: Vec<HeaderChange>,
    /// The copy's host; empty for the request's own.
    pub host_rewrite_literal: String,
}

/// Which cluster gets copies.
#[derive(Debug, Clone, PartialEq)]
pub enum MirrorTarget {
    /// One.
    Cluster(ClusterName),
    /// The one a request header names; lower case. Nothing is copied without the header.
    Header(String),
}
