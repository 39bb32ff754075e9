//! What hosts, routes and weighted clusters say about filters (`typed_per_filter_config`).

use std::collections::HashMap;

use envoy_types::pb::envoy::config::route::v3::FilterConfig as PbConfig;
use envoy_types::pb::google::protobuf::Any;

use super::super::any::{self, unpack};
use super::super::path::{Invalid, Path};
use super::{
    buffer, compressor, cors, csrf, ext_proc, fault, header_mutation, header_to_metadata, local_rate_limit,
    rate_limit, set_filter_state, stateful_session,
};
use crate::model::{FilterConfig, FilterOverride, FilterSetting};

/// Types that may stand here, for those who name another.
const ACCEPTED: &str = "FilterConfig, CorsPolicy, CsrfPolicy, BufferPerRoute, HTTPFault, HeaderMutationPerRoute, LocalRateLimit, RateLimitPerRoute, CompressorPerRoute, header_to_metadata.v3.Config, set_filter_state.v3.Config, StatefulSessionPerRoute, ExtProcPerRoute";

/// Every entry, by the name of its filter.
pub(in crate::decode) fn overrides(
    path: &Path<'_>,
    configs: &HashMap<String, Any>,
) -> Result<Vec<FilterOverride>, Invalid> {
    let path = path.field("typed_per_filter_config");
    let mut entries: Vec<(&String, &Any)> = configs.iter().collect();
    entries.sort_unstable_by_key(|(name, _)| *name);
    let mut found = Vec::with_capacity(entries.len());
    for (name, config) in entries {
        if let Some(setting) = setting(&path.key(name), name, config)? {
            found.push(FilterOverride { filter: name.clone(), setting });
        }
    }
    Ok(found)
}

/// What is said; `None` for what is of an unknown type and optional.
fn setting(path: &Path<'_>, name: &str, any: &Any) -> Result<Option<FilterSetting>, Invalid> {
    let Some(PbConfig { config: inner, is_optional, disabled }) = any::unpack_if(path, any)? else {
        return match config(path, any)? {
            Some(config) => Ok(Some(FilterSetting::Config(config))),
            None => any::unknown(path, name, any, ACCEPTED),
        };
    };
    if disabled {
        return Ok(Some(FilterSetting::Disabled));
    }
    let path = path.field("config");
    let any = path.required(&inner)?;
    if any.type_url.is_empty() {
        return Ok(Some(FilterSetting::Enabled));
    }
    match config(&path, any)? {
        Some(config) => Ok(Some(FilterSetting::Config(config))),
        None if is_optional => Ok(None),
        None => any::unknown(&path, name, any, ACCEPTED),
    }
}

/// What the filter is told; `None` when it is of an unknown type.
fn config(path: &Path<'_>, config: &Any) -> Result<Option<FilterConfig>, Invalid> {
    use FilterConfig as C;
    let Some(name) = any::name_in(any::HTTP_FILTERS, config) else { return Ok(None) };
    Ok(Some(match name {
        "cors.v3.CorsPolicy" => C::Cors(Box::new(cors::policy(path, &unpack(path, config)?)?)),
        "csrf.v3.CsrfPolicy" => C::Csrf(csrf::policy(path, &unpack(path, config)?)?),
        "buffer.v3.BufferPerRoute" => C::Buffer(buffer::per_route(path, &unpack(path, config)?)?),
        "fault.v3.HTTPFault" => C::Fault(Box::new(fault::fault(path, &unpack(path, config)?)?)),
        "header_mutation.v3.HeaderMutationPerRoute" => {
            C::HeaderMutation(Box::new(header_mutation::per_route(path, &unpack(path, config)?)?))
        }
        "local_ratelimit.v3.LocalRateLimit" => {
            C::LocalRateLimit(Box::new(local_rate_limit::per_route(path, &unpack(path, config)?)?))
        }
        "ratelimit.v3.RateLimitPerRoute" => {
            C::RateLimit(Box::new(rate_limit::per_route(path, &unpack(path, config)?)?))
        }
        "compressor.v3.CompressorPerRoute" => {
            C::Compressor(compressor::per_route(path, &unpack(path, config)?)?)
        }
        "header_to_metadata.v3.Config" => {
            C::HeaderToMetadata(Box::new(header_to_metadata::per_route(path, &unpack(path, config)?)?))
        }
        "set_filter_state.v3.Config" => {
            C::SetFilterState(Box::new(set_filter_state::filter(path, &unpack(path, config)?)?))
        }
        "stateful_session.v3.StatefulSessionPerRoute" => {
            C::StatefulSession(Box::new(stateful_session::per_route(path, &unpack(path, config)?)?))
        }
        "ext_proc.v3.ExtProcPerRoute" => {
            C::ExtProc(Box::new(ext_proc::per_route(path, &unpack(path, config)?)?))
        }
        _ => return Ok(None),
    }))
}
