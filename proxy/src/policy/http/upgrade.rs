//! Which upgrades and CONNECT requests are allowed: the route's word, else the connection manager's.

use http::Method;
use xds::model::UpgradeConfig;

use super::compile::HttpPolicy;
use crate::body::RequestHead;

impl HttpPolicy {
    /// Whether the request is no tunnel, or one that is allowed. `route` are the route's settings.
    #[must_use]
    pub fn allows_tunnel(&self, head: &RequestHead, route: &[UpgradeConfig]) -> bool {
        let kind = match &head.upgrade {
            _ if head.method == Method::CONNECT => "connect",
            Some(upgrade) => upgrade,
            None => return true,
        };
        let of = |configs: &[UpgradeConfig]| {
            let config = configs.iter().find(|config| config.upgrade_type.eq_ignore_ascii_case(kind));
            config.map(|config| config.enabled)
        };
        of(route).or_else(|| of(&self.upgrades)).unwrap_or(false)
    }
}
