//! `Site` as it is served.
//!
//! One rule: a site that instances, routes, failovers or tokens name cannot be deleted.

use super::resource::Resource;
use crate::resource::site::SiteSpec;

/// `Site` as it is served.
pub const RESOURCE: Resource = Resource::of::<SiteSpec>(
    "A place with a gateway. Its gateway serves the site's own clients on `port` and the other sites' gateways on `meshPort`.",
);
