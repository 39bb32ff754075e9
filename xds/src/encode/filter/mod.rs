//! HTTP filters: those of a chain, and what hosts and routes say about them.

mod router;

mod cors;

mod csrf;

mod buffer;

mod fault;

mod header_mutation;

mod local_rate_limit;

mod rate_limit;

mod compressor;

mod decompressor;

mod set_metadata;

mod header_to_metadata;

mod set_filter_state;

mod stateful_session;

mod grpc_stats;

mod health_check;

mod ext_proc;

mod processing;

pub(super) use header_mutation::header_change;
pub(super) use processing::question as processor_question;
pub(super) use rate_limit::question as rate_limit_question;

use std::collections::HashMap;

use envoy_types::pb::envoy::config::route::v3::FilterConfig as PbConfig;
use envoy_types::pb::envoy::extensions::filters::http::cors::v3::Cors;
use envoy_types::pb::envoy::extensions::filters::http::grpc_web::v3::GrpcWeb;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as pb;
use envoy_types::pb::google::protobuf::Any;

use super::scalar::any;
use crate::model::{FilterConfig, FilterOverride, FilterSetting, HttpFilter, HttpFilterKind};

/// A filter of a chain.
pub(super) fn http_filter(filter: &HttpFilter) -> pb::HttpFilter {
    let HttpFilter { name, kind, disabled } = filter;
    let config = match kind {
        HttpFilterKind::Router(filter) => any(&router::router(filter)),
        HttpFilterKind::Cors => any(&Cors {}),
        HttpFilterKind::Csrf(policy) => any(&csrf::policy(policy)),
        HttpFilterKind::Buffer(filter) => any(&buffer::buffer(*filter)),
        HttpFilterKind::Fault(filter) => any(&fault::fault(filter)),
        HttpFilterKind::HeaderMutation(filter) => any(&header_mutation::filter(filter)),
        HttpFilterKind::Compressor(filter) => any(&compressor::filter(filter)),
        HttpFilterKind::Decompressor(filter) => any(&decompressor::filter(filter)),
        HttpFilterKind::LocalRateLimit(filter) => any(&local_rate_limit::filter(filter)),
        HttpFilterKind::GrpcStats(filter) => any(&grpc_stats::filter(filter)),
        HttpFilterKind::HealthCheck(filter) => any(&health_check::filter(filter)),
        HttpFilterKind::GrpcWeb => any(&GrpcWeb {}),
        HttpFilterKind::SetMetadata(filter) => any(&set_metadata::filter(filter)),
        HttpFilterKind::HeaderToMetadata(filter) => any(&header_to_metadata::filter(filter)),
        HttpFilterKind::SetFilterState(filter) => any(&set_filter_state::filter(filter)),
        HttpFilterKind::RateLimit(filter) => any(&rate_limit::filter(filter)),
        HttpFilterKind::ExtProc(filter) => any(&ext_proc::filter(filter)),
        HttpFilterKind::StatefulSession(filter) => any(&stateful_session::filter(filter)),
    };
    pb::HttpFilter {
        name: name.clone(),
        disabled: *disabled,
        config_type: Some(pb::http_filter::ConfigType::TypedConfig(config)),
        ..Default::default()
    }
}

/// `typed_per_filter_config`.
pub(super) fn overrides(overrides: &[FilterOverride]) -> HashMap<String, Any> {
    let entry = |FilterOverride { filter, setting }: &FilterOverride| {
        let setting = match setting {
            FilterSetting::Disabled => any(&PbConfig { disabled: true, ..Default::default() }),
            FilterSetting::Enabled => any(&PbConfig { config: Some(Any::default()), ..Default::default() }),
            FilterSetting::Config(config) => self::config(config),
        };
        (filter.clone(), setting)
    };
    overrides.iter().map(entry).collect()
}

fn config(config: &FilterConfig) -> Any {
    match config {
        FilterConfig::Cors(policy) => any(&cors::policy(policy)),
        FilterConfig::Csrf(policy) => any(&csrf::policy(policy)),
        FilterConfig::Buffer(settings) => any(&buffer::per_route(*settings)),
        FilterConfig::Fault(filter) => any(&fault::fault(filter)),
        FilterConfig::HeaderMutation(mutations) => any(&header_mutation::per_route(mutations)),
        FilterConfig::Compressor(settings) => any(&compressor::per_route(*settings)),
        FilterConfig::LocalRateLimit(filter) => any(&local_rate_limit::filter(filter)),
        FilterConfig::HeaderToMetadata(filter) => any(&header_to_metadata::filter(filter)),
        FilterConfig::SetFilterState(filter) => any(&set_filter_state::filter(filter)),
        FilterConfig::RateLimit(settings) => any(&rate_limit::per_route(settings)),
        FilterConfig::ExtProc(settings) => any(&ext_proc::per_route(settings)),
        FilterConfig::StatefulSession(settings) => any(&stateful_session::per_route(settings)),
    }
}
