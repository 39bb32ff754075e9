//! Counts of gRPC calls.

use envoy_types::pb::envoy::config::core::v3::GrpcMethodList;
use envoy_types::pb::envoy::config::core::v3::grpc_method_list::Service;
use envoy_types::pb::envoy::extensions::filters::http::grpc_stats::v3 as pb;
use envoy_types::pb::google::protobuf::BoolValue;
use pb::filter_config::PerMethodStatSpecifier;

use crate::model::{GrpcStats, GrpcStatsMethods};

pub(super) fn filter(filter: &GrpcStats) -> pb::FilterConfig {
    let GrpcStats { methods, enable_upstream_stats, replace_dots_in_grpc_service_name } = filter;
    let service = |(service, method): &(String, String)| Service {
        name: service.clone(),
        method_names: vec![method.clone()],
    };
    let methods = match methods {
        GrpcStatsMethods::None => None,
        GrpcStatsMethods::All => Some(PerMethodStatSpecifier::StatsForAllMethods(BoolValue { value: true })),
        GrpcStatsMethods::Listed(methods) => {
            let services = methods.iter().map(service).collect();
            Some(PerMethodStatSpecifier::IndividualMethodStatsAllowlist(GrpcMethodList { services }))
        }
    };
    pb::FilterConfig {
        emit_filter_state: false,
        enable_upstream_stats: *enable_upstream_stats,
        replace_dots_in_grpc_service_name: *replace_dots_in_grpc_service_name,
        per_method_stat_specifier: methods,
    }
}
