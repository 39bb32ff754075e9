//! Where and how a request is sent.

use envoy_types::pb::envoy::config::core::v3::RoutingPriority as PbPriority;
use envoy_types::pb::envoy::config::route::v3 as pb;
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
use super::rate_limit;
use super::retry;
use super::scalar;
use crate::model::{
    ClusterTarget, ConnectConfig, Forward, HashPolicy, HashSource, HostRewrite, MaxStreamDuration,
    PathRewrite, RouteRateLimits, RoutingPriority, UpgradeConfig, WeightedCluster, WeightedClusters,
};

#[allow(deprecated, reason = "include_vh_rate_limits is what routes still say")]
pub(super) fn forward(forward: &Forward) -> pb::RouteAction {
    let Forward {
        target: to,
        cluster_not_found,
        timeout,
        idle_timeout,
        max_stream_duration,
        path_rewrite,
        host_rewrite: host,
        append_x_forwarded_host,
        retry,
        hash_policy: hashes,
        upgrades,
        connect,
        priority,
        rate_limits: RouteRateLimits { rules, include_host },
        request_mirrors,
        internal_redirects,
    } = forward;
    let not_found = match *cluster_not_found {
        StatusCode::NOT_FOUND => ClusterNotFoundResponseCode::NotFound,
        StatusCode::INTERNAL_SERVER_ERROR => ClusterNotFoundResponseCode::InternalServerError,
        _ => ClusterNotFoundResponseCode::ServiceUnavailable,
    };
    let priority = match priority {
        RoutingPriority::Default => PbPriority::Default,
        RoutingPriority::High => PbPriority::High,
    };
    let (prefix_rewrite, regex_rewrite) = match path_rewrite {
        PathRewrite::None => (String::new(), None),
        PathRewrite::Prefix(prefix) => (prefix.clone(), None),
        PathRewrite::Regex { regex, substitution } => {
            (String::new(), Some(matcher::substitution(regex, substitution)))
        }
    };
    pb::RouteAction {
        cluster_not_found_response_code: not_found.into(),
        prefix_rewrite,
        regex_rewrite,
        append_x_forwarded_host: *append_x_forwarded_host,
        timeout: scalar::limit(*timeout),
        idle_timeout: idle_timeout.and_then(scalar::limit),
        retry_policy: retry.as_ref().map(retry::retry_policy),
        priority: priority.into(),
        rate_limits: rules.iter().map(rate_limit::rate_limit).collect(),
        include_vh_rate_limits: scalar::if_on(*include_host),
        request_mirror_policies: request_mirrors.iter().map(mirror::mirror).collect(),
        internal_redirect_policy: internal_redirects.as_ref().map(internal_redirect::internal_redirects),
        hash_policy: hashes.iter().map(hash_policy).collect(),
        upgrade_configs: upgrades.iter().map(|config| upgrade(config, connect.as_ref())).collect(),
        max_stream_duration: stream_duration(max_stream_duration),
        cluster_specifier: Some(target(to)),
        host_rewrite_specifier: host_rewrite(host),
        ..Default::default()
    }
}

fn target(target: &ClusterTarget) -> ClusterSpecifier {
    match target {
        ClusterTarget::Cluster(name) => ClusterSpecifier::Cluster(name.to_string()),
        ClusterTarget::Header(name) => ClusterSpecifier::ClusterHeader(name.clone()),
        ClusterTarget::Weighted(WeightedClusters { clusters, runtime_key_prefix }) => {
            ClusterSpecifier::WeightedClusters(pb::WeightedCluster {
                clusters: clusters.iter().map(weighted).collect(),
                runtime_key_prefix: runtime_key_prefix.clone(),
                ..Default::default()
            })
        }
    }
}

fn weighted(cluster: &WeightedCluster) -> ClusterWeight {
    let WeightedCluster { name, weight, request_headers, response_headers, host_rewrite_literal, filters } =
        cluster;
    let host = Some(host_rewrite_literal.clone()).filter(|host| !host.is_empty());
    ClusterWeight {
        name: name.to_string(),
        weight: scalar::uint32(*weight),
        request_headers_to_add: headers::add(&request_headers.add),
        request_headers_to_remove: request_headers.remove.clone(),
        response_headers_to_add: headers::add(&response_headers.add),
        response_headers_to_remove: response_headers.remove.clone(),
        typed_per_filter_config: filter::overrides(filters),
        host_rewrite_specifier: host.map(cluster_weight::HostRewriteSpecifier::HostRewriteLiteral),
        ..Default::default()
    }
}

fn stream_duration(durations: &MaxStreamDuration) -> Option<PbMaxStreamDuration> {
    let MaxStreamDuration { max_stream_duration, grpc_timeout_header_max, grpc_timeout_header_offset } =
        durations;
    let durations = PbMaxStreamDuration {
        max_stream_duration: max_stream_duration.and_then(scalar::span),
        grpc_timeout_header_max: grpc_timeout_header_max.and_then(scalar::span),
        grpc_timeout_header_offset: scalar::unless_zero(*grpc_timeout_header_offset),
    };
    Some(durations).filter(|durations| *durations != PbMaxStreamDuration::default())
}

fn host_rewrite(rewrite: &HostRewrite) -> Option<HostRewriteSpecifier> {
    match rewrite {
        HostRewrite::None => None,
        HostRewrite::Literal(host) => Some(HostRewriteSpecifier::HostRewriteLiteral(host.clone())),
        HostRewrite::Auto => scalar::switch(true).map(HostRewriteSpecifier::AutoHostRewrite),
        HostRewrite::Header(name) => Some(HostRewriteSpecifier::HostRewriteHeader(name.clone())),
        HostRewrite::PathRegex { regex, substitution } => {
            Some(HostRewriteSpecifier::HostRewritePathRegex(matcher::substitution(regex, substitution)))
        }
    }
}

fn hash_policy(policy: &HashPolicy) -> PbHashPolicy {
    use hash_policy::PolicySpecifier;
    let HashPolicy { source, terminal } = policy;
    let specifier = match source {
        HashSource::Header { name, rewrite } => PolicySpecifier::Header(hash_policy::Header {
            header_name: name.clone(),
            regex_rewrite: rewrite.as_ref().map(|(regex, by)| matcher::substitution(regex, by)),
        }),
        HashSource::Cookie { name, ttl, path, attributes } => PolicySpecifier::Cookie(hash_policy::Cookie {
            name: name.clone(),
            ttl: ttl.and_then(scalar::span),
            path: path.clone(),
            attributes: attributes
                .iter()
                .map(|(name, value)| hash_policy::CookieAttribute {
                    name: name.clone(),
                    value: value.clone(),
                })
                .collect(),
        }),
        HashSource::SourceIp => {
            PolicySpecifier::ConnectionProperties(hash_policy::ConnectionProperties { source_ip: true })
        }
        HashSource::QueryParameter(name) => {
            PolicySpecifier::QueryParameter(hash_policy::QueryParameter { name: name.clone() })
        }
        HashSource::FilterState(key) => {
            PolicySpecifier::FilterState(hash_policy::FilterState { key: key.clone() })
        }
    };
    PbHashPolicy { terminal: *terminal, policy_specifier: Some(specifier) }
}

fn upgrade(upgrade: &UpgradeConfig, connect: Option<&ConnectConfig>) -> PbUpgrade {
    let UpgradeConfig { upgrade_type, enabled } = upgrade;
    let connect = connect.filter(|_| upgrade_type == "connect");
    PbUpgrade {
        upgrade_type: upgrade_type.clone(),
        enabled: scalar::switch(*enabled),
        connect_config: connect
            .map(|ConnectConfig { allow_post }| PbConnect { allow_post: *allow_post, ..Default::default() }),
    }
}
