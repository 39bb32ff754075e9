//! Models of clusters and endpoints.

use std::time::Duration;

use http::Method;

use super::choices::Choices;
use super::{common, manager, tls};
use crate::model::{
    Address, CircuitBreakers, Cluster, ClusterName, Discovery, DnsLookupFamily, DnsOptions, Endpoint,
    EndpointHealth, GrpcHealthCheck, HashFunction, HealthCheck, HealthCheckKind, HttpHealthCheck, LbPolicy,
    LeastRequest, LoadAssignment, LoadBalancing, LocalityBalancing, LocalityEndpoints, Maglev,
    OutlierDetection, ProxiedTransport, RetryBudget, RingHash, SlowStart, StatusRange, TcpHealthCheck,
    TcpKeepalive, Thresholds, Tlv, TransportSocketMatch, UpstreamProtocol, UpstreamTransport,
};

type MakeAddress = fn(&mut Choices<'_>) -> Address;

fn endpoint(from: &mut Choices<'_>, address: MakeAddress) -> Endpoint {
    let at = address(from);
    Endpoint {
        address: at.clone(),
        hostname: from.text(),
        health: from.one_of(&[
            EndpointHealth::Unknown,
            EndpointHealth::Healthy,
            EndpointHealth::Unhealthy,
            EndpointHealth::Draining,
            EndpointHealth::Timeout,
            EndpointHealth::Degraded,
        ]),
        weight: from.between(1, 128),
        metadata: common::metadata(from),
        health_check_port: from.maybe(Choices::port).filter(|_| !matches!(at, Address::Pipe(_))),
        health_check_hostname: from.text(),
        disable_active_health_check: from.flag(),
    }
}

pub(super) fn load_assignment(from: &mut Choices<'_>, address: MakeAddress) -> LoadAssignment {
    let mut priority = 0;
    let mut first = true;
    let localities = from.list(3, |from| {
        priority += u32::from(!first && from.flag());
        first = false;
        LocalityEndpoints {
            locality: common::locality(from),
            priority,
            weight: from.maybe(|from| from.between(1, 1000)),
            endpoints: from.list(3, |from| endpoint(from, address)),
        }
    });
    LoadAssignment {
        cluster_name: from.name(),
        localities,
        overprovisioning_factor: from.between(100, 300),
        weighted_priority_health: from.flag(),
        drop_overloads: from.list(1, |from| (from.name(), common::fraction(from))),
    }
}

fn dns(from: &mut Choices<'_>) -> DnsOptions {
    let families = [
        DnsLookupFamily::Auto,
        DnsLookupFamily::V4Only,
        DnsLookupFamily::V6Only,
        DnsLookupFamily::V4Preferred,
        DnsLookupFamily::All,
    ];
    DnsOptions {
        refresh_rate: from.positive(),
        respect_dns_ttl: from.flag(),
        lookup_family: from.one_of(&families),
        jitter: from.duration(),
        failure_refresh: from.maybe(|from| {
            let base = from.positive();
            (base, base + from.duration())
        }),
    }
}

fn discovery(from: &mut Choices<'_>) -> Discovery {
    match from.between(0, 3) {
        0 => Discovery::Static(load_assignment(from, common::connect_address)),
        1 => Discovery::StrictDns {
            assignment: load_assignment(from, common::resolve_address),
            dns: dns(from),
        },
        2 => {
            let mut assignment = load_assignment(from, common::resolve_address);
            let endpoints = vec![endpoint(from, common::resolve_address)];
            let locality = common::locality(from);
            assignment.localities =
                vec![LocalityEndpoints { locality, priority: 0, weight: None, endpoints }];
            Discovery::LogicalDns { assignment, dns: dns(from) }
        }
        _ => Discovery::Eds { service_name: from.name(), source: common::config_source(from) },
    }
}

fn slow_start(from: &mut Choices<'_>) -> SlowStart {
    let aggression = f64::from(from.between(1, 50)) / 10.0;
    SlowStart { window: from.positive(), aggression, min_weight_percent: from.percent() }
}

fn load_balancing(from: &mut Choices<'_>, named: bool) -> LoadBalancing {
    let policy = match from.between(0, 5) {
        0 => LbPolicy::RoundRobin { slow_start: from.maybe(slow_start) },
        1 => LbPolicy::LeastRequest(LeastRequest {
            choice_count: from.between(2, 9),
            active_request_bias: f64::from(from.between(0, 30)) / 10.0,
            slow_start: from.maybe(slow_start),
        }),
        2 => LbPolicy::Random,
        3 => LbPolicy::RingHash(RingHash {
            minimum_ring_size: u64::from(from.between(1, 1000)),
            maximum_ring_size: u64::from(from.between(1000, 8_388_608)),
            hash_function: from.one_of(&[HashFunction::XxHash, HashFunction::MurmurHash2]),
        }),
        4 => LbPolicy::Maglev(Maglev { table_size: from.one_of(&[65_537, 2, 5_000_011]) }),
        _ => LbPolicy::PickFirst { shuffle_address_list: from.flag() },
    };
    let override_headers = from.list(2, Choices::name);
    let extended = !override_headers.is_empty() || matches!(policy, LbPolicy::PickFirst { .. });
    // As an extension, each policy says only what concerns it.
    let hashes = !extended || matches!(policy, LbPolicy::RingHash(_) | LbPolicy::Maglev(_));
    let localities = match policy {
        LbPolicy::PickFirst { .. } => 0,
        LbPolicy::RingHash(_) | LbPolicy::Maglev(_) if extended => 1,
        _ => 2,
    };
    LoadBalancing {
        policy,
        healthy_panic_threshold: from.percent(),
        locality: match from.between(0, localities) {
            0 => LocalityBalancing::None,
            1 => LocalityBalancing::Weighted,
            _ => LocalityBalancing::ZoneAware {
                routing_enabled: from.percent(),
                min_cluster_size: u64::from(from.number()),
            },
        },
        ignore_new_hosts_until_first_hc: from.flag(),
        use_hostname_for_hashing: hashes && named && from.flag(),
        hash_balance_factor: if hashes { from.maybe(|from| from.between(100, 500)).unwrap_or(0) } else { 0 },
        override_headers,
    }
}

fn status_range(from: &mut Choices<'_>) -> StatusRange {
    let start = u16::try_from(from.between(100, 598)).unwrap();
    StatusRange { start, end: from.one_of(&[start + 1, 600]) }
}

fn check_kind(from: &mut Choices<'_>, grpc: bool) -> HealthCheckKind {
    let fields = |from: &mut Choices<'_>| from.list(2, |from| (from.name(), from.text()));
    match from.between(0, if grpc { 2 } else { 1 }) {
        0 => HealthCheckKind::Tcp(TcpHealthCheck {
            send: from.list(3, |_| 0xAB),
            receive: from.list(2, |from| from.some(3, |_| 0x01)),
        }),
        1 => HealthCheckKind::Http(Box::new(HttpHealthCheck {
            host: from.text(),
            path: "/health".into(),
            method: from.one_of(&[Method::GET, Method::HEAD, Method::POST, Method::OPTIONS]),
            request_headers_to_add: fields(from),
            expected_statuses: from.list(2, status_range),
            retriable_statuses: from.list(2, status_range),
            http2: from.flag(),
            service_name: from.maybe(common::string_matcher),
        })),
        _ => HealthCheckKind::Grpc(GrpcHealthCheck {
            service_name: from.text(),
            authority: from.text(),
            initial_metadata: fields(from),
        }),
    }
}

fn health_check(from: &mut Choices<'_>, grpc: bool) -> HealthCheck {
    HealthCheck {
        kind: check_kind(from, grpc),
        timeout: from.positive(),
        interval: from.positive(),
        interval_jitter: from.duration(),
        interval_jitter_percent: from.between(0, 100),
        initial_jitter: from.duration(),
        no_traffic_interval: from.positive(),
        no_traffic_healthy_interval: from.maybe(Choices::positive),
        unhealthy_edge_interval: from.maybe(Choices::positive),
        unhealthy_interval: from.maybe(Choices::positive),
        healthy_edge_interval: from.maybe(Choices::positive),
        unhealthy_threshold: from.between(1, 9),
        healthy_threshold: from.between(1, 9),
        alt_port: from.maybe(Choices::port),
        reuse_connection: from.flag(),
    }
}

fn outlier_detection(from: &mut Choices<'_>) -> OutlierDetection {
    let base = from.positive();
    OutlierDetection {
        consecutive_5xx: from.number(),
        enforcing_consecutive_5xx: from.between(0, 100),
        split_external_local_origin_errors: from.flag(),
        interval: from.positive(),
        base_ejection_time: base,
        max_ejection_time: base + from.duration(),
        max_ejection_time_jitter: from.duration(),
        max_ejection_percent: from.between(0, 100),
        always_eject_one_host: from.flag(),
        enforcing_success_rate: from.between(0, 100),
        failure_percentage_threshold: from.between(0, 100),
        successful_active_health_check_uneject_host: from.flag(),
        ..OutlierDetection::default()
    }
}

fn thresholds(from: &mut Choices<'_>) -> Thresholds {
    Thresholds {
        max_connections: from.number(),
        max_pending_requests: from.number(),
        max_requests: from.number(),
        max_retries: from.number(),
        retry_budget: from.maybe(|from| RetryBudget {
            budget_percent: from.percent(),
            min_retry_concurrency: from.number(),
        }),
        track_remaining: from.flag(),
    }
}

fn transport(from: &mut Choices<'_>) -> UpstreamTransport {
    let inner = from.maybe(tls::upstream);
    let inner = inner.map_or(UpstreamTransport::Plain, |tls| UpstreamTransport::Tls(Box::new(tls)));
    if !from.flag() {
        return inner;
    }
    UpstreamTransport::Proxied(Box::new(ProxiedTransport {
        version: common::proxy_protocol_version(from),
        pass_through: common::tlv_selection(from),
        added: from.list(2, |from| Tlv { kind: from.between(0, 255) as u8, value: from.name().into_bytes() }),
        allow_unspecified_address: from.flag(),
        tlv_as_pool_key: from.flag(),
        inner,
    }))
}

fn seconds(from: &mut Choices<'_>) -> Duration {
    Duration::from_secs(u64::from(from.number()))
}

pub(super) fn cluster(from: &mut Choices<'_>) -> Cluster {
    let found = discovery(from);
    let named = matches!(found, Discovery::StrictDns { .. });
    let transport_here = transport(from);
    let transport_matches = from.list(2, |from| TransportSocketMatch {
        name: from.name(),
        matches: common::object(from, 1),
        transport: transport(from),
    });
    let plain = transport_matches
        .iter()
        .map(|found| &found.transport)
        .chain([&transport_here])
        .any(|found| found.tls().is_none());
    let http = manager::upstream(from, !plain);
    Cluster {
        name: ClusterName::new(from.name()),
        alt_stat_name: from.text(),
        discovery: found,
        connect_timeout: from.positive(),
        load_balancing: load_balancing(from, named),
        http: http.clone(),
        transport: transport_here,
        transport_matches,
        health_checks: from.list(2, |from| health_check(from, http.protocol != UpstreamProtocol::Http1)),
        outlier_detection: from.maybe(outlier_detection),
        circuit_breakers: CircuitBreakers {
            default: thresholds(from),
            high: thresholds(from),
            per_host_max_connections: from.maybe(Choices::number),
        },
        per_connection_buffer_limit_bytes: from.number(),
        ignore_health_on_host_removal: from.flag(),
        close_connections_on_host_health_failure: from.flag(),
        tcp_keepalive: from.maybe(|from| TcpKeepalive {
            probes: from.maybe(Choices::number),
            time: from.maybe(seconds),
            interval: from.maybe(seconds),
        }),
        metadata: common::metadata(from),
        reports_load: from.flag(),
    }
}
