//! Network filters: those before the terminal one, and the terminal ones.

use envoy_types::pb::envoy::config::listener::v3 as pb;
use envoy_types::pb::envoy::extensions::filters::network as extensions;
use envoy_types::pb::envoy::r#type::v3 as types;
use extensions::connection_limit::v3::ConnectionLimit as PbLimit;
use extensions::direct_response::v3::Config as PbDirect;
use extensions::echo::v3::Echo;
use extensions::local_ratelimit::v3::LocalRateLimit as PbRate;
use extensions::sni_cluster::v3::SniCluster;
use extensions::tcp_proxy::v3 as tcp;
use prost::{Message, Name};
use tcp::tcp_proxy::{ClusterSpecifier, WeightedCluster, weighted_cluster::ClusterWeight};
use types::hash_policy::{FilterState, PolicySpecifier, SourceIp};

use super::access_log;
use super::filter_state;
use super::hcm;
use super::rate_limit;
use super::scalar;
use super::source;
use crate::model::{
    ConnectionFilter, ConnectionLimit, ConnectionRateLimit, HashPolicy, HashSource, NetworkFilter, TcpProxy,
    TcpTarget,
};

/// A filter before the terminal one.
pub(super) fn before(filter: &ConnectionFilter) -> pb::Filter {
    match filter {
        ConnectionFilter::State(state) => named("set_filter_state", &filter_state::connection(state)),
        ConnectionFilter::Limit(limit) => named("connection_limit", &connection_limit(limit)),
        ConnectionFilter::Rate(limit) => named("local_ratelimit", &rate(limit)),
        ConnectionFilter::SniCluster => named("sni_cluster", &SniCluster {}),
    }
}

/// The terminal filter.
pub(super) fn terminal(filter: &NetworkFilter) -> pb::Filter {
    match filter {
        NetworkFilter::Http(manager) => {
            named("http_connection_manager", &hcm::http_connection_manager(manager))
        }
        NetworkFilter::Tcp(proxy) => named("tcp_proxy", &tcp_proxy(proxy)),
        NetworkFilter::Echo => named("echo", &Echo {}),
        NetworkFilter::Direct(response) => {
            named("direct_response", &PbDirect { response: response.as_ref().map(source::data_source) })
        }
    }
}

fn named<M: Message + Name>(name: &str, config: &M) -> pb::Filter {
    pb::Filter {
        name: format!("envoy.filters.network.{name}"),
        config_type: Some(pb::filter::ConfigType::TypedConfig(scalar::any(config))),
    }
}

fn connection_limit(limit: &ConnectionLimit) -> PbLimit {
    let ConnectionLimit { stat_prefix, max_connections, delay, enabled } = limit;
    PbLimit {
        stat_prefix: stat_prefix.clone(),
        max_connections: scalar::uint64(*max_connections),
        delay: scalar::unless_zero(*delay),
        runtime_enabled: scalar::runtime_switch(enabled),
    }
}

fn rate(limit: &ConnectionRateLimit) -> PbRate {
    let ConnectionRateLimit { stat_prefix, token_bucket, enabled, share_key } = limit;
    PbRate {
        stat_prefix: stat_prefix.clone(),
        token_bucket: Some(rate_limit::token_bucket(*token_bucket)),
        runtime_enabled: scalar::runtime_switch(enabled),
        share_key: share_key.clone(),
    }
}

fn tcp_proxy(proxy: &TcpProxy) -> tcp::TcpProxy {
    let TcpProxy {
        stat_prefix,
        target,
        idle_timeout,
        max_connect_attempts,
        max_downstream_connection_duration,
        access_log,
        hash_policy,
    } = proxy;
    let target = match target {
        TcpTarget::Cluster(name) => ClusterSpecifier::Cluster(name.to_string()),
        TcpTarget::Weighted(clusters) => {
            let clusters = clusters.iter().map(|(name, weight)| ClusterWeight {
                name: name.to_string(),
                weight: *weight,
                ..Default::default()
            });
            ClusterSpecifier::WeightedClusters(WeightedCluster { clusters: clusters.collect() })
        }
    };
    tcp::TcpProxy {
        stat_prefix: stat_prefix.clone(),
        idle_timeout: scalar::limit(*idle_timeout),
        access_log: access_log::access_logs(access_log),
        max_connect_attempts: scalar::uint32(*max_connect_attempts),
        hash_policy: hash_policy.iter().filter_map(hash).collect(),
        max_downstream_connection_duration: max_downstream_connection_duration.and_then(scalar::span),
        cluster_specifier: Some(target),
        ..Default::default()
    }
}

/// A connection has an address and objects to hash and nothing else: other sources cannot stand here.
fn hash(policy: &HashPolicy) -> Option<types::HashPolicy> {
    let specifier = match &policy.source {
        HashSource::SourceIp => PolicySpecifier::SourceIp(SourceIp {}),
        HashSource::FilterState(key) => PolicySpecifier::FilterState(FilterState { key: key.clone() }),
        HashSource::Header { .. } | HashSource::Cookie { .. } | HashSource::QueryParameter(_) => return None,
    };
    Some(types::HashPolicy { policy_specifier: Some(specifier) })
}
