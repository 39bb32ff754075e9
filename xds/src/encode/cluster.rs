//! Clusters.

use std::collections::HashMap;

use envoy_types::pb::envoy::config::cluster::v3 as pb;
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::extensions::transport_sockets::raw_buffer::v3::RawBuffer;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::HttpProtocolOptions;
use envoy_types::pb::envoy::extensions::upstreams::http::v3::http_protocol_options as http;
use http::UpstreamProtocolOptions;
use http::explicit_http_config::ProtocolConfig;
use pb::cluster::{ClusterDiscoveryType, DiscoveryType, DnsLookupFamily as PbFamily};

use super::balance;
use super::endpoint;
use super::health;
use super::http_options as options;
use super::limits;
use super::metadata;
use super::proxy_protocol;
use super::scalar;
use super::source;
use super::tls;
use crate::model::{
    Cluster, Discovery, DnsLookupFamily, DnsOptions, LoadAssignment, TcpKeepalive, TransportSocketMatch,
    UpstreamHttp, UpstreamProtocol, UpstreamTransport,
};

pub(super) fn cluster(cluster: &Cluster) -> pb::Cluster {
    let Cluster {
        name,
        alt_stat_name,
        discovery: found,
        connect_timeout,
        load_balancing,
        http,
        transport: socket,
        transport_matches,
        health_checks,
        outlier_detection,
        circuit_breakers,
        per_connection_buffer_limit_bytes,
        ignore_health_on_host_removal,
        close_connections_on_host_health_failure,
        tcp_keepalive,
        metadata,
        reports_load,
    } = cluster;
    let balance::Fields { lb_policy, lb_config, common_lb_config, load_balancing_policy } =
        balance::load_balancing(load_balancing);
    let http = (
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions".to_owned(),
        scalar::any(&upstream_http(http)),
    );
    let cluster = pb::Cluster {
        name: name.to_string(),
        alt_stat_name: alt_stat_name.clone(),
        connect_timeout: scalar::span(*connect_timeout),
        lb_policy,
        lb_config,
        common_lb_config,
        load_balancing_policy,
        typed_extension_protocol_options: HashMap::from([http]),
        transport_socket: transport(socket),
        transport_socket_matches: transport_matches.iter().map(transport_match).collect(),
        health_checks: health_checks.iter().map(health::health_check).collect(),
        outlier_detection: outlier_detection.as_ref().map(limits::outlier_detection),
        circuit_breakers: Some(limits::circuit_breakers(circuit_breakers)),
        per_connection_buffer_limit_bytes: scalar::uint32(*per_connection_buffer_limit_bytes),
        ignore_health_on_host_removal: *ignore_health_on_host_removal,
        close_connections_on_host_health_failure: *close_connections_on_host_health_failure,
        upstream_connection_options: tcp_keepalive.as_ref().map(connection_options),
        metadata: metadata::metadata(metadata),
        lrs_server: reports_load.then(source::own_server),
        ..Default::default()
    };
    discovery(found, cluster)
}

fn discovery(discovery: &Discovery, cluster: pb::Cluster) -> pb::Cluster {
    let of = |kind: DiscoveryType| Some(ClusterDiscoveryType::Type(kind.into()));
    let here = |assignment: &LoadAssignment| Some(endpoint::load_assignment(assignment));
    match discovery {
        Discovery::Static(assignment) => pb::Cluster {
            cluster_discovery_type: of(DiscoveryType::Static),
            load_assignment: here(assignment),
            ..cluster
        },
        Discovery::StrictDns { assignment, dns: options } => pb::Cluster {
            cluster_discovery_type: of(DiscoveryType::StrictDns),
            load_assignment: here(assignment),
            ..dns(options, cluster)
        },
        Discovery::LogicalDns { assignment, dns: options } => pb::Cluster {
            cluster_discovery_type: of(DiscoveryType::LogicalDns),
            load_assignment: here(assignment),
            ..dns(options, cluster)
        },
        Discovery::Eds { service_name, source } => {
            let config = pb::cluster::EdsClusterConfig {
                eds_config: Some(source::config_source(source)),
                service_name: service_name.clone(),
            };
            pb::Cluster {
                cluster_discovery_type: of(DiscoveryType::Eds),
                eds_cluster_config: Some(config),
                ..cluster
            }
        }
    }
}

#[allow(deprecated, reason = "a DnsCluster would say the same in a form that fewer readers know")]
fn dns(options: &DnsOptions, cluster: pb::Cluster) -> pb::Cluster {
    let DnsOptions { refresh_rate, respect_dns_ttl, lookup_family, jitter, failure_refresh } = options;
    let family = match lookup_family {
        DnsLookupFamily::Auto => PbFamily::Auto,
        DnsLookupFamily::V4Only => PbFamily::V4Only,
        DnsLookupFamily::V6Only => PbFamily::V6Only,
        DnsLookupFamily::V4Preferred => PbFamily::V4Preferred,
        DnsLookupFamily::All => PbFamily::All,
    };
    pb::Cluster {
        dns_refresh_rate: scalar::span(*refresh_rate),
        dns_jitter: scalar::unless_zero(*jitter),
        dns_failure_refresh_rate: failure_refresh.map(|(base, max)| pb::cluster::RefreshRate {
            base_interval: scalar::span(base),
            max_interval: scalar::span(max),
        }),
        respect_dns_ttl: *respect_dns_ttl,
        dns_lookup_family: family.into(),
        ..cluster
    }
}

fn upstream_http(http: &UpstreamHttp) -> HttpProtocolOptions {
    let UpstreamHttp {
        protocol,
        idle_timeout,
        max_connection_duration,
        max_stream_duration,
        max_requests_per_connection,
        http1,
        http2,
        auto_sni,
        auto_san_validation,
    } = http;
    let (http1, http2) = (options::http1(http1), options::http2(http2));
    let explicit = |config| {
        UpstreamProtocolOptions::ExplicitHttpConfig(http::ExplicitHttpConfig {
            protocol_config: Some(config),
        })
    };
    let protocol = match protocol {
        UpstreamProtocol::Http1 => explicit(ProtocolConfig::HttpProtocolOptions(http1)),
        UpstreamProtocol::Http2 => explicit(ProtocolConfig::Http2ProtocolOptions(http2)),
        UpstreamProtocol::Downstream => {
            UpstreamProtocolOptions::UseDownstreamProtocolConfig(http::UseDownstreamHttpConfig {
                http_protocol_options: Some(http1),
                http2_protocol_options: Some(http2),
                ..Default::default()
            })
        }
        UpstreamProtocol::Auto => UpstreamProtocolOptions::AutoConfig(http::AutoHttpConfig {
            http_protocol_options: Some(http1),
            http2_protocol_options: Some(http2),
            ..Default::default()
        }),
    };
    let names = core::UpstreamHttpProtocolOptions {
        auto_sni: *auto_sni,
        auto_san_validation: *auto_san_validation,
        ..Default::default()
    };
    let common = core::HttpProtocolOptions {
        idle_timeout: scalar::limit(*idle_timeout),
        max_connection_duration: max_connection_duration.and_then(scalar::span),
        max_stream_duration: max_stream_duration.and_then(scalar::span),
        max_requests_per_connection: max_requests_per_connection.and_then(scalar::uint32),
        ..Default::default()
    };
    HttpProtocolOptions {
        common_http_protocol_options: Some(common),
        upstream_http_protocol_options: Some(names)
            .filter(|names| *names != core::UpstreamHttpProtocolOptions::default()),
        upstream_protocol_options: Some(protocol),
        ..Default::default()
    }
}

fn transport(socket: &UpstreamTransport) -> Option<core::TransportSocket> {
    match socket {
        UpstreamTransport::Plain => None,
        UpstreamTransport::Tls(context) => Some(tls::socket(&tls::upstream(context))),
        UpstreamTransport::Proxied(proxied) => {
            let inner = transport(&proxied.inner).unwrap_or_else(raw_buffer);
            let config = scalar::any(&proxy_protocol::transport(proxied, inner));
            Some(core::TransportSocket {
                name: "envoy.transport_sockets.upstream_proxy_protocol".to_owned(),
                config_type: Some(core::transport_socket::ConfigType::TypedConfig(config)),
            })
        }
    }
}

/// Unlike in a cluster, Envoy insists on a socket in some places.
fn raw_buffer() -> core::TransportSocket {
    core::TransportSocket {
        name: "envoy.transport_sockets.raw_buffer".to_owned(),
        config_type: Some(core::transport_socket::ConfigType::TypedConfig(scalar::any(&RawBuffer {}))),
    }
}

fn transport_match(found: &TransportSocketMatch) -> pb::cluster::TransportSocketMatch {
    let TransportSocketMatch { name, matches, transport: socket } = found;
    pb::cluster::TransportSocketMatch {
        name: name.clone(),
        r#match: Some(metadata::object(matches)),
        transport_socket: transport(socket).or_else(|| Some(raw_buffer())),
    }
}

fn connection_options(keepalive: &TcpKeepalive) -> pb::UpstreamConnectionOptions {
    let TcpKeepalive { probes, time, interval } = keepalive;
    // The fields count whole seconds; a longer time than they hold is as good as never.
    let seconds = |time: std::time::Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    pb::UpstreamConnectionOptions {
        tcp_keepalive: Some(core::TcpKeepalive {
            keepalive_probes: probes.and_then(scalar::uint32),
            keepalive_time: time.map(seconds).and_then(scalar::uint32),
            keepalive_interval: interval.map(seconds).and_then(scalar::uint32),
        }),
        ..Default::default()
    }
}
