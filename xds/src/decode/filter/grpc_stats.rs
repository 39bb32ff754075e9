//! Counts of gRPC calls (`envoy.extensions.filters.http.grpc_stats.v3`).

use envoy_types::pb::envoy::config::core::v3::GrpcMethodList;
use envoy_types::pb::envoy::config::core::v3::grpc_method_list::Service;
use envoy_types::pb::envoy::extensions::filters::http::grpc_stats::v3 as pb;
use pb::filter_config::PerMethodStatSpecifier;

use super::super::path::{Invalid, Path, absent};
use crate::model::{GrpcStats, GrpcStatsMethods};

/// The filter in a chain.
pub(super) fn filter(path: &Path<'_>, filter: &pb::FilterConfig) -> Result<GrpcStats, Invalid> {
    let pb::FilterConfig {
        emit_filter_state,
        enable_upstream_stats,
        replace_dots_in_grpc_service_name,
        per_method_stat_specifier,
    } = filter;
    absent!(path; emit_filter_state);
    let methods = match per_method_stat_specifier {
        Some(PerMethodStatSpecifier::StatsForAllMethods(all)) if all.value => GrpcStatsMethods::All,
        Some(PerMethodStatSpecifier::StatsForAllMethods(_)) | None => GrpcStatsMethods::None,
        Some(PerMethodStatSpecifier::IndividualMethodStatsAllowlist(list)) => {
            GrpcStatsMethods::Listed(methods(&path.field("individual_method_stats_allowlist"), list)?)
        }
    };
    Ok(GrpcStats {
        methods,
        enable_upstream_stats: *enable_upstream_stats,
        replace_dots_in_grpc_service_name: *replace_dots_in_grpc_service_name,
    })
}

/// Every method, after its service.
fn methods(path: &Path<'_>, list: &GrpcMethodList) -> Result<Vec<(String, String)>, Invalid> {
    let GrpcMethodList { services } = list;
    let of_service = |path: &Path<'_>, service: &Service| {
        let Service { name, method_names } = service;
        let name = path.field("name").non_empty(name)?;
        let method = |path: &Path<'_>, method: &String| Ok((name.clone(), path.non_empty(method)?));
        let path = path.field("method_names");
        if method_names.is_empty() {
            return path.refuse("must name a method");
        }
        path.each(method_names, method)
    };
    Ok(path.field("services").each(services, of_service)?.concat())
}
