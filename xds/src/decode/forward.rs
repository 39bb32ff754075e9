//! Where and how a request is sent (`RouteAction`).

use std::collections::BTreeSet;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::RoutingPriority as PbPriority;
use envoy_types::pb::envoy::config::route::v3 as pb;
use envoy_types::pb::envoy::r#type::matcher::v3::RegexMatchAndSubstitute;
use http::StatusCode;
use pb::route_action::{
    ClusterNotFoundResponseCode, ClusterSpecifier, HashPolicy as PbHashPolicy, HostRewriteSpecifier,
    MaxStreamDuration as PbMaxStreamDuration, UpgradeConfig as PbUpgrade, hash_policy,
    upgrade_config::ConnectConfig as PbConnect,
};
use pb::weighted_cluster::{ClusterWeight, cluster_weight};

use super::filter;
use super::headers;
use super::internal_redirect;
use super::matcher;
use super::mirror;
use super::path::{Invalid, Path, absent};
use super::rate_limit;
use super::retry;
use super::scalar;
use super::specifier_plugin;
use super::upgrade;
use crate::model::{
    ClusterName, ClusterTarget, ConnectConfig, Forward, HashPolicy, HashSource, HostRewrite,
    MaxStreamDuration, PathRewrite, RouteRateLimits, RoutingPriority, UpgradeConfig, WeightedCluster,
    WeightedClusters,
};

/// Envoy's route timeout.
const TIMEOUT: Duration = Duration::from_secs(15);

/// A forwarding action; `None` where it leaves the choice of a cluster to one of the `ignored` plugins.
pub(super) fn forward(
    path: &Path<'_>,
    action: &pb::RouteAction,
    ignored: &BTreeSet<&str>,
) -> Result<Option<Forward>, Invalid> {
    #[rustfmt::skip]
    let pb::RouteAction {
        cluster_not_found_response_code, prefix_rewrite, regex_rewrite, append_x_forwarded_host, timeout,
        idle_timeout, retry_policy, priority, hash_policy, upgrade_configs, max_stream_duration,
        cluster_specifier, host_rewrite_specifier, rate_limits, include_vh_rate_limits,
        request_mirror_policies, internal_redirect_policy,
        // Refused when set.
        metadata_match, path_rewrite_policy, path_rewrite, flush_timeout, early_data_policy,
        retry_policy_typed_config, cors,
        max_grpc_timeout, grpc_timeout_offset, internal_redirect_action,
        max_internal_redirects, hedge_policy,
    } = action;
    absent!(path; metadata_match, path_rewrite_policy, path_rewrite, flush_timeout, early_data_policy,
        retry_policy_typed_config, cors, max_grpc_timeout,
        grpc_timeout_offset, internal_redirect_action, max_internal_redirects,
        hedge_policy);
    let at = path.field("cluster_not_found_response_code");
    let cluster_not_found = match at.known(*cluster_not_found_response_code)? {
        ClusterNotFoundResponseCode::ServiceUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        ClusterNotFoundResponseCode::NotFound => StatusCode::NOT_FOUND,
        ClusterNotFoundResponseCode::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let priority = match path.field("priority").known(*priority)? {
        PbPriority::Default => RoutingPriority::Default,
        PbPriority::High => RoutingPriority::High,
    };
    let target = target(path, cluster_specifier, ignored)?;
    let timeout = path.field("timeout").limit(timeout, Some(TIMEOUT))?;
    let idle = path.field("idle_timeout").optional(idle_timeout)?;
    let max_stream_duration = stream_duration(&path.field("max_stream_duration"), max_stream_duration)?;
    let path_rewrite = path_rewrite_of(path, prefix_rewrite, regex_rewrite)?;
    let host_rewrite = host_rewrite(path, host_rewrite_specifier)?;
    let at = path.field("retry_policy");
    let retry = retry_policy.as_ref().map(|policy| retry::retry_policy(&at, policy)).transpose()?;
    let hash_policy = path.field("hash_policy").each(hash_policy, self::hash_policy)?;
    let (upgrades, connect) = upgrades(&path.field("upgrade_configs"), upgrade_configs)?;
    let rate_limits = RouteRateLimits {
        rules: path.field("rate_limits").each(rate_limits, rate_limit::rate_limit)?,
        include_host: scalar::switch(include_vh_rate_limits, false),
    };
    let request_mirrors = mirror::mirrors(path, request_mirror_policies)?;
    let at = path.field("internal_redirect_policy");
    let internal_redirects = internal_redirect_policy
        .as_ref()
        .map(|policy| internal_redirect::internal_redirects(&at, policy))
        .transpose()?;
    Ok(target.map(|target| Forward {
        target,
        cluster_not_found,
        timeout,
        idle_timeout: idle.map(|idle| Some(idle).filter(|idle| !idle.is_zero())),
        max_stream_duration,
        path_rewrite,
        host_rewrite,
        append_x_forwarded_host: *append_x_forwarded_host,
        retry,
        hash_policy,
        upgrades,
        connect,
        priority,
        rate_limits,
        request_mirrors,
        internal_redirects,
    }))
}

fn target(
    path: &Path<'_>,
    specifier: &Option<ClusterSpecifier>,
    ignored: &BTreeSet<&str>,
) -> Result<Option<ClusterTarget>, Invalid> {
    let target = match specifier {
        Some(ClusterSpecifier::Cluster(name)) => {
            ClusterTarget::Cluster(ClusterName::new(path.field("cluster").non_empty(name)?))
        }
        Some(ClusterSpecifier::ClusterHeader(header)) => {
            ClusterTarget::Header(headers::name_or_pseudo(&path.field("cluster_header"), header)?)
        }
        Some(ClusterSpecifier::WeightedClusters(clusters)) => {
            ClusterTarget::Weighted(weighted(&path.field("weighted_clusters"), clusters)?)
        }
        Some(ClusterSpecifier::ClusterSpecifierPlugin(name)) if ignored.contains(name.as_str()) => {
            return Ok(None);
        }
        Some(ClusterSpecifier::ClusterSpecifierPlugin(name)) => {
            return path
                .field("cluster_specifier_plugin")
                .refuse(format!("{name:?} is none of the table's cluster_specifier_plugins"));
        }
        Some(ClusterSpecifier::InlineClusterSpecifierPlugin(plugin)) => {
            specifier_plugin::plugin(&path.field("inline_cluster_specifier_plugin"), plugin)?;
            return Ok(None);
        }
        None => return path.refuse("has no cluster; accepted: cluster, cluster_header, weighted_clusters"),
    };
    Ok(Some(target))
}

fn weighted(path: &Path<'_>, weighted: &pb::WeightedCluster) -> Result<WeightedClusters, Invalid> {
    let pb::WeightedCluster { clusters, total_weight, runtime_key_prefix, random_value_specifier } = weighted;
    absent!(path; random_value_specifier);
    let at = path.field("clusters");
    let clusters = at.each(clusters, weighted_cluster)?;
    let sum: u64 = clusters.iter().map(|cluster| u64::from(cluster.weight)).sum();
    if sum == 0 || sum > u64::from(u32::MAX) {
        return at.refuse(format!("has weights whose sum is {sum}; 1 to {} are accepted", u32::MAX));
    }
    if let Some(total) = total_weight
        && u64::from(total.value) != sum
    {
        return path
            .field("total_weight")
            .refuse(format!("is {}, but the weights' sum is {sum}", total.value));
    }
    Ok(WeightedClusters { clusters, runtime_key_prefix: runtime_key_prefix.clone() })
}

fn weighted_cluster(path: &Path<'_>, cluster: &ClusterWeight) -> Result<WeightedCluster, Invalid> {
    let ClusterWeight {
        name,
        cluster_header,
        weight,
        metadata_match,
        request_headers_to_add,
        request_headers_to_remove,
        response_headers_to_add,
        response_headers_to_remove,
        typed_per_filter_config,
        host_rewrite_specifier,
    } = cluster;
    absent!(path; cluster_header, metadata_match);
    let filters = filter::overrides(path, typed_per_filter_config)?;
    let host_rewrite_literal = match host_rewrite_specifier {
        Some(cluster_weight::HostRewriteSpecifier::HostRewriteLiteral(host)) => {
            headers::value(&path.field("host_rewrite_literal"), host)?
        }
        None => String::new(),
    };
    let at_weight = path.field("weight");
    let (request_headers, response_headers) = headers::mutations(
        path,
        (request_headers_to_add, request_headers_to_remove),
        (response_headers_to_add, response_headers_to_remove),
    )?;
    Ok(WeightedCluster {
        name: ClusterName::new(path.field("name").non_empty(name)?),
        weight: at_weight.required(weight)?.value,
        request_headers,
        response_headers,
        host_rewrite_literal,
        filters,
    })
}

fn stream_duration(
    path: &Path<'_>,
    durations: &Option<PbMaxStreamDuration>,
) -> Result<MaxStreamDuration, Invalid> {
    let Some(PbMaxStreamDuration {
        max_stream_duration,
        grpc_timeout_header_max,
        grpc_timeout_header_offset,
    }) = durations
    else {
        return Ok(MaxStreamDuration::default());
    };
    let offset = path.field("grpc_timeout_header_offset").optional(grpc_timeout_header_offset)?;
    Ok(MaxStreamDuration {
        max_stream_duration: path.field("max_stream_duration").optional(max_stream_duration)?,
        grpc_timeout_header_max: path.field("grpc_timeout_header_max").optional(grpc_timeout_header_max)?,
        grpc_timeout_header_offset: offset.unwrap_or_default(),
    })
}

fn path_rewrite_of(
    path: &Path<'_>,
    prefix: &str,
    regex: &Option<RegexMatchAndSubstitute>,
) -> Result<PathRewrite, Invalid> {
    let at = path.field("regex_rewrite");
    match regex {
        None if prefix.is_empty() => Ok(PathRewrite::None),
        None => headers::value(&path.field("prefix_rewrite"), prefix).map(PathRewrite::Prefix),
        Some(_) if !prefix.is_empty() => at.refuse("and prefix_rewrite are both set; keep one"),
        Some(rewrite) => {
            let (regex, substitution) = matcher::substitution(&at, rewrite)?;
            Ok(PathRewrite::Regex { regex, substitution })
        }
    }
}

fn host_rewrite(path: &Path<'_>, specifier: &Option<HostRewriteSpecifier>) -> Result<HostRewrite, Invalid> {
    match specifier {
        None => Ok(HostRewrite::None),
        Some(HostRewriteSpecifier::HostRewriteLiteral(host)) => {
            let at = path.field("host_rewrite_literal");
            headers::value(&at, &at.non_empty(host)?).map(HostRewrite::Literal)
        }
        Some(HostRewriteSpecifier::AutoHostRewrite(auto)) if auto.value => Ok(HostRewrite::Auto),
        Some(HostRewriteSpecifier::AutoHostRewrite(_)) => Ok(HostRewrite::None),
        Some(HostRewriteSpecifier::HostRewriteHeader(header)) => {
            headers::name_or_pseudo(&path.field("host_rewrite_header"), header).map(HostRewrite::Header)
        }
        Some(HostRewriteSpecifier::HostRewritePathRegex(rewrite)) => {
            let (regex, substitution) =
                matcher::substitution(&path.field("host_rewrite_path_regex"), rewrite)?;
            Ok(HostRewrite::PathRegex { regex, substitution })
        }
        Some(HostRewriteSpecifier::HostRewrite(_)) => path.field("host_rewrite").unsupported(),
    }
}

fn hash_policy(path: &Path<'_>, policy: &PbHashPolicy) -> Result<HashPolicy, Invalid> {
    use hash_policy::PolicySpecifier;
    let PbHashPolicy { terminal, policy_specifier } = policy;
    let source = match policy_specifier {
        Some(PolicySpecifier::Header(header)) => {
            let hash_policy::Header { header_name, regex_rewrite } = header;
            let at = path.field("header");
            let rewrite = at.field("regex_rewrite");
            HashSource::Header {
                name: headers::name_or_pseudo(&at.field("header_name"), header_name)?,
                rewrite: regex_rewrite
                    .as_ref()
                    .map(|found| matcher::substitution(&rewrite, found))
                    .transpose()?,
            }
        }
        Some(PolicySpecifier::Cookie(cookie)) => {
            let hash_policy::Cookie { name, ttl, path: cookie_path, attributes } = cookie;
            let at = path.field("cookie");
            HashSource::Cookie {
                name: headers::value(&at.field("name"), &at.field("name").non_empty(name)?)?,
                ttl: at.field("ttl").optional(ttl)?,
                path: headers::value(&at.field("path"), cookie_path)?,
                attributes: at.field("attributes").each(attributes, |at, attribute| {
                    let hash_policy::CookieAttribute { name, value } = attribute;
                    headers::attribute(at, name, value)
                })?,
            }
        }
        Some(PolicySpecifier::ConnectionProperties(hash_policy::ConnectionProperties { source_ip })) => {
            if !source_ip {
                return path.field("connection_properties").refuse("has nothing to hash; set source_ip");
            }
            HashSource::SourceIp
        }
        Some(PolicySpecifier::QueryParameter(hash_policy::QueryParameter { name })) => {
            let at = path.field("query_parameter");
            HashSource::QueryParameter(at.field("name").non_empty(name)?)
        }
        Some(PolicySpecifier::FilterState(hash_policy::FilterState { key })) => {
            let at = path.field("filter_state");
            HashSource::FilterState(at.field("key").non_empty(key)?)
        }
        None => {
            return path.refuse(
                "is empty; accepted: header, cookie, connection_properties, query_parameter, filter_state",
            );
        }
    };
    Ok(HashPolicy { source, terminal: *terminal })
}

/// Upgrades, and whether CONNECT tunnels end here.
fn upgrades(
    path: &Path<'_>,
    upgrades: &[PbUpgrade],
) -> Result<(Vec<UpgradeConfig>, Option<ConnectConfig>), Invalid> {
    let decoded = path.each(upgrades, |at, config| {
        let PbUpgrade { upgrade_type, enabled, connect_config } = config;
        let upgrade = upgrade::upgrade(at, upgrade_type, enabled)?;
        let at = at.field("connect_config");
        let connect = connect_config.as_ref().map(|config| connect(&at, config)).transpose()?;
        if connect.is_some() && upgrade.upgrade_type != "connect" {
            return at.refuse(format!("belongs to CONNECT, not to {upgrade_type:?}"));
        }
        Ok((upgrade, connect))
    })?;
    let (configs, connects): (Vec<_>, Vec<_>) = decoded.into_iter().unzip();
    upgrade::distinct(path, &configs)?;
    Ok((configs, connects.into_iter().flatten().next()))
}

fn connect(path: &Path<'_>, config: &PbConnect) -> Result<ConnectConfig, Invalid> {
    let PbConnect { proxy_protocol_config, allow_post } = config;
    absent!(path; proxy_protocol_config);
    Ok(ConnectConfig { allow_post: *allow_post })
}
