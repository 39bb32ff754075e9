//! What hosts, routes and weighted clusters say about filters (`typed_per_filter_config`).

use std::collections::HashMap;

use envoy_types::pb::envoy::config::route::v3::FilterConfig as PbConfig;
use envoy_types::pb::google::protobuf::Any;

use super::super::any;
use super::super::path::{Invalid, Path};
use super::{buffer, compressor, cors, csrf, fault, header_mutation, local_rate_limit};
use crate::model::{FilterConfig, FilterOverride, FilterSetting};

/// Types that may stand here, for those who name another.
const ACCEPTED: &str = "FilterConfig, CorsPolicy, CsrfPolicy, BufferPerRoute, HTTPFault, HeaderMutationPerRoute, LocalRateLimit, CompressorPerRoute";

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

fn config(path: &Path<'_>, any: &Any) -> Result<Option<FilterConfig>, Invalid> {
    use FilterConfig as C;
    Ok(if let Some(policy) = any::unpack_if(path, any)? {
        Some(C::Cors(Box::new(cors::policy(path, &policy)?)))
    } else if let Some(policy) = any::unpack_if(path, any)? {
        Some(C::Csrf(csrf::policy(path, &policy)?))
    } else if let Some(found) = any::unpack_if(path, any)? {
        Some(C::Buffer(buffer::per_route(path, &found)?))
    } else if let Some(found) = any::unpack_if(path, any)? {
        Some(C::Fault(Box::new(fault::fault(path, &found)?)))
    } else if let Some(found) = any::unpack_if(path, any)? {
        Some(C::HeaderMutation(Box::new(header_mutation::per_route(path, &found)?)))
    } else if let Some(found) = any::unpack_if(path, any)? {
        Some(C::LocalRateLimit(Box::new(local_rate_limit::per_route(path, &found)?)))
    } else if let Some(found) = any::unpack_if(path, any)? {
        Some(C::Compressor(compressor::per_route(path, &found)?))
    } else {
        None
    })
}
