//! HTTP filters. The last is the router; one of an unknown type is left out if it says it is optional.

use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router as PbRouter;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as pb;
use pb::http_filter::ConfigType;

use super::access_log;
use super::any;
use super::path::{Invalid, Path, absent};
use crate::model::{HttpFilter, HttpFilterKind, Router};

/// Request fields that `strict_check_headers` may name.
const STRICT: [&str; 5] = [
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-max-retries",
    "x-envoy-retry-grpc-on",
    "x-envoy-retry-on",
];

/// The filters in order.
pub(super) fn http_filters(path: &Path<'_>, filters: &[pb::HttpFilter]) -> Result<Vec<HttpFilter>, Invalid> {
    let found = path.each(filters, http_filter)?;
    for (index, filter) in found.iter().enumerate() {
        let Some(HttpFilter { name, kind: HttpFilterKind::Router(_), disabled }) = filter else { continue };
        if *disabled {
            return path.index(index).field("disabled").refuse("the router cannot be disabled");
        }
        if index + 1 < filters.len() {
            return path
                .index(index)
                .refuse(format!("{name:?} is the router, which must be the last filter"));
        }
    }
    let filters: Vec<HttpFilter> = found.into_iter().flatten().collect();
    match filters.last() {
        Some(HttpFilter { kind: HttpFilterKind::Router(_), .. }) => Ok(filters),
        None => path.refuse("has no router; envoy.filters.http.router must be the last filter"),
    }
}

/// A filter; `None` when it is of an unknown type and optional.
fn http_filter(path: &Path<'_>, filter: &pb::HttpFilter) -> Result<Option<HttpFilter>, Invalid> {
    let pb::HttpFilter { name, is_optional, disabled, config_type } = filter;
    let name = path.field("name").non_empty(name)?;
    let at = path.field("typed_config");
    let config = match config_type {
        Some(ConfigType::TypedConfig(config)) => config,
        Some(ConfigType::ConfigDiscovery(_)) => return path.field("config_discovery").unsupported(),
        None => return at.refuse(format!("is required for {name:?}")),
    };
    let kind = match any::unpack_if::<PbRouter>(&at, config)? {
        Some(router) => HttpFilterKind::Router(self::router(&at, &router)?),
        None if *is_optional => return Ok(None),
        None => return any::unknown(&at, &name, config, "Router"),
    };
    Ok(Some(HttpFilter { name, kind, disabled: *disabled }))
}

fn router(path: &Path<'_>, router: &PbRouter) -> Result<Router, Invalid> {
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
