//! `Service` as it is served.
//!
//! One rule: a service that a route or a failover names cannot be deleted.

use super::resource::Resource;
use crate::resource::service::ServiceSpec;

/// `Service` as it is served.
pub const RESOURCE: Resource = Resource::of::<ServiceSpec>(
    "Something that answers, with its instances at sites. Every gateway leads to it: to local instances first, then to other sites' gateways.",
);
