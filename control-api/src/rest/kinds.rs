//! The kinds that are served.
//!
//! One rule: a kind that does not stand here has no path and no place in the OpenAPI document.

use super::resource::Resource;
use super::{failover, http_route, join_token, service, site, tcp_route, trust_domain};

/// The kinds that are served.
pub const RESOURCES: [Resource; 7] = [
    site::RESOURCE,
    service::RESOURCE,
    http_route::RESOURCE,
    tcp_route::RESOURCE,
    failover::RESOURCE,
    trust_domain::RESOURCE,
    join_token::RESOURCE,
];
