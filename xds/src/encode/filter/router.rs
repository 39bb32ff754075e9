//! The router.

use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router as PbRouter;

use super::super::access_log;
use crate::model::Router;

pub(super) fn router(router: &Router) -> PbRouter {
    let Router { suppress_envoy_headers, strict_check_headers, upstream_log } = router;
    PbRouter {
        upstream_log: access_log::access_logs(upstream_log),
        suppress_envoy_headers: *suppress_envoy_headers,
        strict_check_headers: strict_check_headers.clone(),
        ..Default::default()
    }
}
