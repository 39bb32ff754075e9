//! `TCPRoute` as it is served.
//!
//! One rule: the port stands in the parentRef, as in the Gateway API.

use super::resource::Resource;
use gateway_api::experimental::tcproutes::TcpRouteSpec;

/// `TCPRoute` as it is served.
pub const RESOURCE: Resource = Resource::of::<TcpRouteSpec>(
    "Gateway API TCPRoute: a port of gateways, forwarded to tcp Services by weight. Every parentRef names a port that the gateway opens.",
);
