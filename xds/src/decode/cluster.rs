//! Clusters (`envoy.config.cluster.v3.Cluster`).

use std::time::Duration;

use envoy_types::pb::envoy::config::cluster::v3 as pb;
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::extensions::transport_sockets::proxy_protocol::v3::ProxyProtocolUpstreamTransport;
use envoy_types::pb::envoy::extensions::transport_sockets::raw_buffer::v3::RawBuffer;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::UpstreamTlsContext;
use envoy_types::pb::google::protobuf::UInt32Value;
use pb::cluster::ClusterProtocolSelection;

use super::any;
use super::balance;
use super::discovery;
use super::health;
use super::limits;
use super::metadata;
use super::path::{Invalid, Path, absent};
use super::proxy_protocol;
use super::source;
use super::tls;
use super::upstream_http;
use crate::model::{
    Cluster, ClusterName, Discovery, HealthCheckKind, TcpKeepalive, TransportSocketMatch, UpstreamProtocol,
    UpstreamTransport,
};

/// Envoy's `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Envoy's `per_connection_buffer_limit_bytes`.
const BUFFER_LIMIT_BYTES: u32 = 1024 * 1024;

/// A cluster.
pub(super) fn cluster(path: &Path<'_>, cluster: &pb::Cluster) -> Result<Cluster, Invalid> {
    #[rustfmt::skip]
    let pb::Cluster {
        name, alt_stat_name, connect_timeout, per_connection_buffer_limit_bytes, health_checks,
        circuit_breakers, outlier_detection, transport_socket, transport_socket_matches, metadata,
        close_connections_on_host_health_failure, ignore_health_on_host_removal, upstream_connection_options,
        lrs_server,
        // Discovery.
        cluster_discovery_type, eds_cluster_config, load_assignment, dns_refresh_rate, dns_jitter,
        dns_failure_refresh_rate, respect_dns_ttl, dns_lookup_family,
        // Load balancing.
        lb_policy, lb_config, common_lb_config, load_balancing_policy,
        // HTTP.
        typed_extension_protocol_options, upstream_http_protocol_options, common_http_protocol_options,
        http_protocol_options, http2_protocol_options, max_requests_per_connection, protocol_selection,
        // Refused when set.
        transport_socket_matcher, stats_matcher, per_connection_buffer_high_watermark_timeout, dns_resolvers,
        use_tcp_for_dns_lookups, dns_resolution_config, typed_dns_resolver_config, wait_for_warm_on_init,
        cleanup_interval, upstream_bind_config, lb_subset_config, filters,
        lrs_report_endpoint_metrics, track_timeout_budgets, upstream_config, track_cluster_stats,
        preconnect_policy, connection_pool_per_downstream_connection, queuing_policies,
    } = cluster;
    absent!(path; transport_socket_matcher, stats_matcher, per_connection_buffer_high_watermark_timeout,
        dns_resolvers, use_tcp_for_dns_lookups, dns_resolution_config, typed_dns_resolver_config,
        cleanup_interval, upstream_bind_config, lb_subset_config, filters,
        lrs_report_endpoint_metrics, track_timeout_budgets, upstream_config, track_cluster_stats,
        preconnect_policy, connection_pool_per_downstream_connection, queuing_policies);
    path.field("wait_for_warm_on_init").on(wait_for_warm_on_init.as_ref())?;
    let selection: ClusterProtocolSelection = path.field("protocol_selection").known(*protocol_selection)?;
    let name = path.field("name").non_empty(name)?;
    #[rustfmt::skip]
    let found = discovery::Fields {
        kind: cluster_discovery_type, eds: eds_cluster_config, assignment: load_assignment, dns_refresh_rate,
        dns_jitter, dns_failure_refresh_rate, respect_dns_ttl: *respect_dns_ttl,
        dns_lookup_family: *dns_lookup_family,
    };
    let chosen =
        balance::Fields { lb_policy: *lb_policy, lb_config, common_lb_config, load_balancing_policy };
    #[rustfmt::skip]
    let spoken = upstream_http::Fields {
        common: common_http_protocol_options, upstream: upstream_http_protocol_options,
        http1: http_protocol_options, http2: http2_protocol_options, max_requests_per_connection,
        as_downstream: selection == ClusterProtocolSelection::UseDownstreamProtocol,
    };
    let outliers = path.field("outlier_detection");
    let limit = per_connection_buffer_limit_bytes.as_ref();
    let connect = path.field("connect_timeout").optional_positive(connect_timeout)?;
    #[rustfmt::skip]
    let cluster = Cluster {
        discovery: discovery::discovery(path, &name, &found)?,
        name: ClusterName::new(name),
        alt_stat_name: alt_stat_name.clone(),
        connect_timeout: connect.unwrap_or(CONNECT_TIMEOUT),
        load_balancing: balance::load_balancing(path, &chosen)?,
        http: upstream_http::upstream_http(path, typed_extension_protocol_options, &spoken)?,
        transport: transport(&path.field("transport_socket"), transport_socket)?,
        transport_matches: path.field("transport_socket_matches").each(transport_socket_matches, transport_match)?,
        health_checks: path.field("health_checks").each(health_checks, health::health_check)?,
        outlier_detection: outlier_detection.as_ref().map(|outlier| limits::outlier_detection(&outliers, outlier)).transpose()?,
        circuit_breakers: limits::circuit_breakers(&path.field("circuit_breakers"), circuit_breakers)?,
        per_connection_buffer_limit_bytes: limit.map_or(BUFFER_LIMIT_BYTES, |limit| limit.value),
        ignore_health_on_host_removal: *ignore_health_on_host_removal,
        close_connections_on_host_health_failure: *close_connections_on_host_health_failure,
        tcp_keepalive: connection_options(&path.field("upstream_connection_options"), upstream_connection_options)?,
        metadata: metadata::metadata(&path.field("metadata"), metadata)?,
        reports_load: source::is_self(&path.field("lrs_server"), lrs_server)?,
    };
    consistent(path, &cluster)?;
    Ok(cluster)
}

/// Refuses settings that contradict each other across fields, as Envoy does.
fn consistent(path: &Path<'_>, cluster: &Cluster) -> Result<(), Invalid> {
    let Cluster { discovery, load_balancing, http, transport, transport_matches, health_checks, .. } =
        cluster;
    let mut transports = transport_matches.iter().map(|matched| &matched.transport).chain([transport]);
    if http.protocol == UpstreamProtocol::Auto && transports.any(|found| found.tls().is_none()) {
        return path.field("transport_socket").refuse("must be TLS: auto_config chooses the version by ALPN");
    }
    if load_balancing.use_hostname_for_hashing && !matches!(discovery, Discovery::StrictDns { .. }) {
        return path
            .field("common_lb_config")
            .field("consistent_hashing_lb_config")
            .field("use_hostname_for_hashing")
            .refuse("needs a STRICT_DNS cluster: the endpoints of others have no names");
    }
    let grpc = health_checks.iter().position(|check| matches!(check.kind, HealthCheckKind::Grpc(_)));
    match grpc {
        Some(index) if http.protocol == UpstreamProtocol::Http1 => path
            .field("health_checks")
            .index(index)
            .field("grpc_health_check")
            .refuse("needs HTTP/2 towards the cluster"),
        _ => Ok(()),
    }
}

/// How bytes travel to endpoints; unset is plain.
fn transport(path: &Path<'_>, socket: &Option<core::TransportSocket>) -> Result<UpstreamTransport, Invalid> {
    let Some(core::TransportSocket { name, config_type }) = socket else {
        return Ok(UpstreamTransport::Plain);
    };
    let path = path.field("typed_config");
    let core::transport_socket::ConfigType::TypedConfig(config) = path.required(config_type)?;
    if let Some(context) = any::unpack_if::<UpstreamTlsContext>(&path, config)? {
        return tls::upstream(&path, &context).map(|tls| UpstreamTransport::Tls(Box::new(tls)));
    }
    if let Some(RawBuffer {}) = any::unpack_if(&path, config)? {
        return Ok(UpstreamTransport::Plain);
    }
    if let Some(proxied) = any::unpack_if::<ProxyProtocolUpstreamTransport>(&path, config)? {
        let at = path.field("transport_socket");
        let inner = transport(&at, &Some(at.required(&proxied.transport_socket)?.clone()))?;
        if matches!(inner, UpstreamTransport::Proxied(_)) {
            return at.refuse(
                "has a PROXY header inside of a PROXY header; accepted: UpstreamTlsContext, RawBuffer",
            );
        }
        let proxied = proxy_protocol::transport(&path, &proxied, inner)?;
        return Ok(UpstreamTransport::Proxied(Box::new(proxied)));
    }
    any::unknown(&path, name, config, "UpstreamTlsContext, ProxyProtocolUpstreamTransport, RawBuffer")
}

fn transport_match(
    path: &Path<'_>,
    socket: &pb::cluster::TransportSocketMatch,
) -> Result<TransportSocketMatch, Invalid> {
    let pb::cluster::TransportSocketMatch { name, r#match, transport_socket } = socket;
    let matches = match r#match {
        Some(fields) => metadata::object(&path.field("match"), fields)?,
        None => std::collections::BTreeMap::new(),
    };
    Ok(TransportSocketMatch {
        name: path.field("name").non_empty(name)?,
        matches,
        transport: transport(&path.field("transport_socket"), transport_socket)?,
    })
}

fn connection_options(
    path: &Path<'_>,
    options: &Option<pb::UpstreamConnectionOptions>,
) -> Result<Option<TcpKeepalive>, Invalid> {
    let Some(options) = options else { return Ok(None) };
    let pb::UpstreamConnectionOptions {
        tcp_keepalive,
        set_local_interface_name_on_upstream_connections,
        happy_eyeballs_config,
    } = options;
    absent!(path; set_local_interface_name_on_upstream_connections, happy_eyeballs_config);
    let Some(core::TcpKeepalive { keepalive_probes, keepalive_time, keepalive_interval }) = tcp_keepalive
    else {
        return Ok(None);
    };
    let seconds = |value: &Option<UInt32Value>| value.as_ref().map(|it| Duration::from_secs(it.value.into()));
    Ok(Some(TcpKeepalive {
        probes: keepalive_probes.as_ref().map(|probes| probes.value),
        time: seconds(keepalive_time),
        interval: seconds(keepalive_interval),
    }))
}
