//! Network filters: those that look at a connection first, and the terminal one, which is the last and no other.

use envoy_types::pb::envoy::config::listener::v3 as pb;
use envoy_types::pb::envoy::extensions::filters::network as extensions;
use envoy_types::pb::google::protobuf::Any;
use extensions::connection_limit::v3::ConnectionLimit as PbLimit;
use extensions::direct_response::v3::Config as PbDirect;
use extensions::echo::v3::Echo;
use extensions::http_connection_manager::v3::HttpConnectionManager;
use extensions::local_ratelimit::v3::LocalRateLimit as PbRate;
use extensions::sni_cluster::v3::SniCluster;
use extensions::tcp_proxy::v3::TcpProxy;
use pb::filter::ConfigType;

use super::any;
use super::filter_state;
use super::hcm;
use super::path::{Invalid, Path};
use super::rate_limit;
use super::source;
use super::tcp_proxy;
use crate::model::{ConnectionFilter, ConnectionLimit, ConnectionRateLimit, NetworkFilter};

/// What is accepted at the end of a chain.
const TERMINAL: &str = "HttpConnectionManager, TcpProxy, Echo, direct_response.v3.Config";

/// What is accepted in a chain.
const ACCEPTED: &str = "HttpConnectionManager, TcpProxy, Echo, direct_response.v3.Config and, before one of them, \
    set_filter_state.v3.Config, ConnectionLimit, LocalRateLimit, SniCluster";

/// A filter of a chain.
enum Filter {
    /// The last one.
    Terminal(NetworkFilter),
    /// One of those before.
    Before(ConnectionFilter),
}

/// What a chain's filters are.
pub(super) fn filters(
    path: &Path<'_>,
    filters: &[pb::Filter],
) -> Result<(Vec<ConnectionFilter>, NetworkFilter), Invalid> {
    let mut before = Vec::new();
    let mut terminal: Option<(&str, NetworkFilter)> = None;
    for (index, found) in filters.iter().enumerate() {
        let path = path.index(index);
        if let Some((first, _)) = &terminal {
            let second = &found.name;
            return path.refuse(format!("{second:?} would never run: {first:?} before it is terminal"));
        }
        match filter(&path, found)? {
            Filter::Terminal(filter) => terminal = Some((&found.name, filter)),
            Filter::Before(filter) => before.push(filter),
        }
    }
    match terminal {
        Some((_, filter)) => Ok((before, filter)),
        None if filters.is_empty() => path.refuse(format!("must not be empty; accepted: {TERMINAL}")),
        None => path.refuse(format!("has no terminal filter; those are: {TERMINAL}")),
    }
}

fn filter(path: &Path<'_>, filter: &pb::Filter) -> Result<Filter, Invalid> {
    let pb::Filter { name, config_type } = filter;
    path.field("name").non_empty(name)?;
    let at = path.field("typed_config");
    let config = match config_type {
        Some(ConfigType::TypedConfig(config)) => config,
        Some(ConfigType::ConfigDiscovery(_)) => return path.field("config_discovery").unsupported(),
        None => return at.refuse(format!("is required for {name:?}")),
    };
    if let Some(filter) = terminal(&at, config)? {
        return Ok(Filter::Terminal(filter));
    }
    match before(&at, config)? {
        Some(filter) => Ok(Filter::Before(filter)),
        None => any::unknown(&at, name, config, ACCEPTED),
    }
}

fn terminal(path: &Path<'_>, config: &Any) -> Result<Option<NetworkFilter>, Invalid> {
    if let Some(manager) = any::unpack_if::<HttpConnectionManager>(path, config)? {
        let manager = hcm::http_connection_manager(path, &manager)?;
        return Ok(Some(NetworkFilter::Http(Box::new(manager))));
    }
    if let Some(proxy) = any::unpack_if::<TcpProxy>(path, config)? {
        let proxy = tcp_proxy::tcp_proxy(path, &proxy)?;
        return Ok(Some(NetworkFilter::Tcp(Box::new(proxy))));
    }
    if let Some(Echo {}) = any::unpack_if(path, config)? {
        return Ok(Some(NetworkFilter::Echo));
    }
    if let Some(PbDirect { response }) = any::unpack_if(path, config)? {
        let at = path.field("response");
        let response = response.map(|found| source::data_source(&at, &found, None)).transpose()?;
        return Ok(Some(NetworkFilter::Direct(response)));
    }
    Ok(None)
}

fn before(path: &Path<'_>, config: &Any) -> Result<Option<ConnectionFilter>, Invalid> {
    if let Some(state) = any::unpack_if(path, config)? {
        return filter_state::connection(path, &state).map(ConnectionFilter::State).map(Some);
    }
    if let Some(limit) = any::unpack_if::<PbLimit>(path, config)? {
        return connection_limit(path, &limit).map(ConnectionFilter::Limit).map(Some);
    }
    if let Some(limit) = any::unpack_if::<PbRate>(path, config)? {
        return rate(path, &limit).map(ConnectionFilter::Rate).map(Some);
    }
    let sni_cluster = any::unpack_if(path, config)?;
    Ok(sni_cluster.map(|SniCluster {}| ConnectionFilter::SniCluster))
}

fn connection_limit(path: &Path<'_>, limit: &PbLimit) -> Result<ConnectionLimit, Invalid> {
    let PbLimit { stat_prefix, max_connections, delay, runtime_enabled } = limit;
    let at = path.field("max_connections");
    let max_connections = at.ranged_u64(max_connections, 1..=u64::MAX)?;
    Ok(ConnectionLimit {
        stat_prefix: path.field("stat_prefix").non_empty(stat_prefix)?,
        max_connections: *at.required(&max_connections)?,
        delay: path.field("delay").optional(delay)?.unwrap_or_default(),
        enabled: path.field("runtime_enabled").runtime_switch(runtime_enabled)?,
    })
}

fn rate(path: &Path<'_>, limit: &PbRate) -> Result<ConnectionRateLimit, Invalid> {
    let PbRate { stat_prefix, token_bucket, runtime_enabled, share_key } = limit;
    let at = path.field("token_bucket");
    Ok(ConnectionRateLimit {
        stat_prefix: path.field("stat_prefix").non_empty(stat_prefix)?,
        token_bucket: rate_limit::token_bucket(&at, at.required(token_bucket)?)?,
        enabled: path.field("runtime_enabled").runtime_switch(runtime_enabled)?,
        share_key: share_key.clone(),
    })
}
