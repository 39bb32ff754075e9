//! `Failover` as it is served.
//!
//! One rule: a service has at most one.

use super::resource::Resource;
use crate::resource::failover::FailoverSpec;

/// `Failover` as it is served.
pub const RESOURCE: Resource = Resource::of::<FailoverSpec>(
    "Where a service's traffic goes when the own site cannot serve it: an order of sites, or by locality.",
);
