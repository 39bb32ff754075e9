//! The TCP proxy.

use std::time::Duration;

use envoy_types::pb::envoy::extensions::filters::network::tcp_proxy::v3 as pb;
use envoy_types::pb::envoy::r#type::v3 as types;
use pb::tcp_proxy::weighted_cluster::ClusterWeight;
use pb::tcp_proxy::{ClusterSpecifier, WeightedCluster};
use types::hash_policy::{FilterState, PolicySpecifier};

use super::access_log;
use super::http_options::IDLE_TIMEOUT;
use super::path::{Invalid, Path, absent, off};
use crate::model::{ClusterName, HashPolicy, HashSource, TcpProxy, TcpTarget};

/// The TCP proxy.
pub(super) fn tcp_proxy(path: &Path<'_>, proxy: &pb::TcpProxy) -> Result<TcpProxy, Invalid> {
    #[rustfmt::skip]
    let pb::TcpProxy {
        stat_prefix, idle_timeout, access_log, max_connect_attempts, hash_policy,
        max_downstream_connection_duration, cluster_specifier,
        // Refused when set.
        on_demand, metadata_match, downstream_idle_timeout, upstream_idle_timeout, backoff_options,
        tunneling_config, max_downstream_connection_duration_jitter_percentage, access_log_flush_interval,
        flush_access_log_on_connected, access_log_options, proxy_protocol_tlvs,
        proxy_protocol_tlv_merge_policy, upstream_connect_mode, max_early_data_bytes, check_drain_close,
    } = proxy;
    absent!(path; on_demand, metadata_match, downstream_idle_timeout, upstream_idle_timeout, backoff_options,
        tunneling_config, max_downstream_connection_duration_jitter_percentage, access_log_flush_interval,
        flush_access_log_on_connected, access_log_options, proxy_protocol_tlvs,
        proxy_protocol_tlv_merge_policy, upstream_connect_mode, max_early_data_bytes);
    off!(path; check_drain_close);
    let attempts = path.field("max_connect_attempts").ranged(max_connect_attempts, 1..=u32::MAX)?;
    let longest: Option<Duration> = path
        .field("max_downstream_connection_duration")
        .optional_positive(max_downstream_connection_duration)?;
    if hash_policy.len() > 1 {
        let found = hash_policy.len();
        return path.field("hash_policy").refuse(format!("has {found} policies; at most 1 is accepted"));
    }
    Ok(TcpProxy {
        stat_prefix: path.field("stat_prefix").non_empty(stat_prefix)?,
        target: target(path, cluster_specifier)?,
        idle_timeout: path.field("idle_timeout").limit(idle_timeout, Some(IDLE_TIMEOUT))?,
        max_connect_attempts: attempts.unwrap_or(1),
        max_downstream_connection_duration: longest,
        access_log: access_log::access_logs(&path.field("access_log"), access_log)?,
        hash_policy: path.field("hash_policy").each(hash_policy, self::hash_policy)?,
    })
}

fn target(path: &Path<'_>, specifier: &Option<ClusterSpecifier>) -> Result<TcpTarget, Invalid> {
    match specifier {
        Some(ClusterSpecifier::Cluster(name)) => {
            path.field("cluster").non_empty(name).map(|name| TcpTarget::Cluster(ClusterName::new(name)))
        }
        Some(ClusterSpecifier::WeightedClusters(WeightedCluster { clusters })) => {
            let path = path.field("weighted_clusters");
            let at = path.field("clusters");
            if clusters.is_empty() {
                return at.refuse("must not be empty");
            }
            let clusters = at.each(clusters, weighted)?;
            let sum: u64 = clusters.iter().map(|(_, weight)| u64::from(*weight)).sum();
            if sum > u64::from(u32::MAX) {
                return at
                    .refuse(format!("has weights whose sum is {sum}; at most {} is accepted", u32::MAX));
            }
            Ok(TcpTarget::Weighted(clusters))
        }
        None => path.refuse("has no cluster; accepted: cluster, weighted_clusters"),
    }
}

fn weighted(path: &Path<'_>, cluster: &ClusterWeight) -> Result<(ClusterName, u32), Invalid> {
    let ClusterWeight { name, weight, metadata_match } = cluster;
    absent!(path; metadata_match);
    let weight = path.field("weight").within(*weight, &(1..=u32::MAX))?;
    Ok((ClusterName::new(path.field("name").non_empty(name)?), weight))
}

fn hash_policy(path: &Path<'_>, policy: &types::HashPolicy) -> Result<HashPolicy, Invalid> {
    let types::HashPolicy { policy_specifier } = policy;
    match policy_specifier {
        Some(PolicySpecifier::SourceIp(_)) => {
            Ok(HashPolicy { source: HashSource::SourceIp, terminal: false })
        }
        Some(PolicySpecifier::FilterState(FilterState { key })) => {
            let at = path.field("filter_state");
            let source = HashSource::FilterState(at.field("key").non_empty(key)?);
            Ok(HashPolicy { source, terminal: false })
        }
        None => path.refuse("is empty; accepted: source_ip, filter_state"),
    }
}
