//! `HTTPRoute` as it is served.
//!
//! One rule: the Gateway API's precedence holds, whatever the order of rules.

use super::resource::Resource;
use gateway_api::httproutes::HttpRouteSpec;

/// `HTTPRoute` as it is served.
pub const RESOURCE: Resource = Resource::of::<HttpRouteSpec>(
    "Gateway API HTTPRoute. A parentRef names the gateway of a site by the site's name, or every gateway by `mesh`; without parentRefs the route is attached to all. Backends are Services of this API. RequestMirror, CORS and ExtensionRef filters are refused.",
);
