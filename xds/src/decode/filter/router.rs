//! The router (`envoy.extensions.filters.http.router.v3.Router`).

use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router as PbRouter;

use super::super::access_log;
use super::super::path::{Invalid, Path, absent};
use crate::model::Router;

/// Request fields that `strict_check_headers` may name.
const STRICT: [&str; 5] = [
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-max-retries",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
];

pub(super) fn router(path: &Path<'_>, router: &PbRouter) -> Result<Router, Invalid> {
    let PbRouter {
        dynamic_stats,
        start_child_span,
        upstream_log,
        upstream_log_options,
        suppress_envoy_headers,
        strict_check_headers,
        respect_expected_rq_timeout,
        suppress_grpc_request_failure_code_stats,
        upstream_http_filters,
        reject_connect_request_early_data,
    } = router;
    path.field("dynamic_stats").on(dynamic_stats.as_ref())?;
    path.field("reject_connect_request_early_data").off(reject_connect_request_early_data.as_ref())?;
    absent!(path; start_child_span, upstream_log_options, respect_expected_rq_timeout,
        suppress_grpc_request_failure_code_stats, upstream_http_filters);
    let strict_check_headers =
        path.field("strict_check_headers").each(strict_check_headers, |at, name| {
            let name = name.to_ascii_lowercase();
            if STRICT.contains(&name.as_str()) {
                Ok(name)
            } else {
                at.refuse(format!("{name:?} cannot be checked; accepted: {}", STRICT.join(", ")))
            }
        })?;
    Ok(Router {
        suppress_envoy_headers: *suppress_envoy_headers,
        strict_check_headers,
        upstream_log: access_log::access_logs(&path.field("upstream_log"), upstream_log)?,
    })
}
