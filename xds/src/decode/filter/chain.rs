//! The filters of a chain, in order.

use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as pb;
use envoy_types::pb::google::protobuf::Any;
use pb::http_filter::ConfigType;

use super::super::any::{self, unpack};
use super::super::path::{Invalid, Path};
use super::{
    buffer, compressor, cors, csrf, decompressor, ext_proc, fault, grpc_stats, grpc_web, header_mutation,
    header_to_metadata, health_check, local_rate_limit, rate_limit, router, set_filter_state, set_metadata,
    stateful_session,
};
use crate::model::{HttpFilter, HttpFilterKind};

/// Types that a chain may name, for those who name another.
const ACCEPTED: &str = "Router, Cors, CsrfPolicy, Buffer, HTTPFault, HeaderMutation, LocalRateLimit, RateLimit, Compressor, \
     Decompressor, grpc_stats.v3.FilterConfig, HealthCheck, GrpcWeb, set_metadata.v3.Config, header_to_metadata.v3.Config, set_filter_state.v3.Config, StatefulSession, ExternalProcessor";

/// The filters in order.
pub(in crate::decode) fn http_filters(
    path: &Path<'_>,
    filters: &[pb::HttpFilter],
) -> Result<Vec<HttpFilter>, Invalid> {
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
    path.unique("filter name", filters.iter().map(|filter| filter.name.as_str()))?;
    let filters: Vec<HttpFilter> = found.into_iter().flatten().collect();
    match filters.last() {
        Some(HttpFilter { kind: HttpFilterKind::Router(_), .. }) => Ok(filters),
        None | Some(_) => path.refuse("has no router; envoy.filters.http.router must be the last filter"),
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
    match kind(&at, config)? {
        Some(kind) => Ok(Some(HttpFilter { name, kind, disabled: *disabled })),
        None if *is_optional => Ok(None),
        None => any::unknown(&at, &name, config, ACCEPTED),
    }
}

/// What the filter does; `None` when it is of an unknown type.
fn kind(path: &Path<'_>, config: &Any) -> Result<Option<HttpFilterKind>, Invalid> {
    use HttpFilterKind as K;
    let Some(name) = any::name_in(any::HTTP_FILTERS, config) else { return Ok(None) };
    Ok(Some(match name {
        "router.v3.Router" => K::Router(router::router(path, &unpack(path, config)?)?),
        "cors.v3.Cors" => {
            cors::filter(&unpack(path, config)?);
            K::Cors
        }
        "csrf.v3.CsrfPolicy" => K::Csrf(csrf::policy(path, &unpack(path, config)?)?),
        "buffer.v3.Buffer" => K::Buffer(buffer::buffer(path, &unpack(path, config)?)?),
        "fault.v3.HTTPFault" => K::Fault(Box::new(fault::fault(path, &unpack(path, config)?)?)),
        "header_mutation.v3.HeaderMutation" => {
            K::HeaderMutation(Box::new(header_mutation::filter(path, &unpack(path, config)?)?))
        }
        "local_ratelimit.v3.LocalRateLimit" => {
            K::LocalRateLimit(Box::new(local_rate_limit::filter(path, &unpack(path, config)?)?))
        }
        "ratelimit.v3.RateLimit" => K::RateLimit(Box::new(rate_limit::filter(path, &unpack(path, config)?)?)),
        "compressor.v3.Compressor" => {
            K::Compressor(Box::new(compressor::filter(path, &unpack(path, config)?)?))
        }
        "decompressor.v3.Decompressor" => {
            K::Decompressor(Box::new(decompressor::filter(path, &unpack(path, config)?)?))
        }
        "grpc_stats.v3.FilterConfig" => {
            K::GrpcStats(Box::new(grpc_stats::filter(path, &unpack(path, config)?)?))
        }
        "health_check.v3.HealthCheck" => {
            K::HealthCheck(Box::new(health_check::filter(path, &unpack(path, config)?)?))
        }
        "grpc_web.v3.GrpcWeb" => {
            grpc_web::filter(&unpack(path, config)?);
            K::GrpcWeb
        }
        "set_metadata.v3.Config" => {
            K::SetMetadata(Box::new(set_metadata::filter(path, &unpack(path, config)?)?))
        }
        "header_to_metadata.v3.Config" => {
            K::HeaderToMetadata(Box::new(header_to_metadata::filter(path, &unpack(path, config)?)?))
        }
        "set_filter_state.v3.Config" => {
            K::SetFilterState(Box::new(set_filter_state::filter(path, &unpack(path, config)?)?))
        }
        "stateful_session.v3.StatefulSession" => {
            K::StatefulSession(Box::new(stateful_session::filter(path, &unpack(path, config)?)?))
        }
        "ext_proc.v3.ExternalProcessor" => {
            K::ExtProc(Box::new(ext_proc::filter(path, &unpack(path, config)?)?))
        }
        _ => return Ok(None),
    }))
}
