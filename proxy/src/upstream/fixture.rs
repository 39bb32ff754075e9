//! Clusters and endpoints for tests: each builder states only what matters.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use xds::model::{
    self, CircuitBreakers, Discovery, Endpoint, EndpointHealth, HealthCheck, HealthCheckKind, LbPolicy,
    LoadAssignment, LoadBalancing, Locality, LocalityBalancing, LocalityEndpoints, Metadata, TcpHealthCheck,
    UpstreamHttp, UpstreamProtocol, UpstreamTransport,
};

use super::cluster::Cluster;
use super::host::Host;
use super::set::LocalityHosts;
use super::state::HostState;
use super::transport::{Transport, Transports};
use crate::observe::metrics::Registry;

pub(super) fn endpoint(address: impl Into<SocketAddr>) -> Endpoint {
    Endpoint {
        address: address.into().into(),
        hostname: String::new(),
        health: EndpointHealth::Unknown,
        weight: 1,
        metadata: Metadata::default(),
        health_check_port: None,
        health_check_hostname: String::new(),
        disable_active_health_check: false,
    }
}

/// Loopback endpoints at these ports.
pub(super) fn endpoints(ports: impl IntoIterator<Item = u16>) -> Vec<Endpoint> {
    ports.into_iter().map(|port| endpoint(([127, 0, 0, 1], port))).collect()
}

pub(super) fn locality(priority: u32, endpoints: Vec<Endpoint>) -> LocalityEndpoints {
    LocalityEndpoints { locality: Locality::default(), priority, weight: None, endpoints }
}

pub(super) fn assignment(localities: Vec<LocalityEndpoints>) -> LoadAssignment {
    LoadAssignment {
        cluster_name: "test".to_owned(),
        localities,
        overprovisioning_factor: 140,
        weighted_priority_health: false,
        drop_overloads: Vec::new(),
    }
}

pub(super) fn balancing(policy: LbPolicy) -> LoadBalancing {
    LoadBalancing {
        policy,
        healthy_panic_threshold: 50.0,
        locality: LocalityBalancing::None,
        ignore_new_hosts_until_first_hc: false,
        use_hostname_for_hashing: false,
        hash_balance_factor: 0,
        override_headers: Vec::new(),
    }
}

pub(super) fn http(protocol: UpstreamProtocol) -> UpstreamHttp {
    UpstreamHttp {
        protocol,
        idle_timeout: None,
        max_connection_duration: None,
        max_stream_duration: None,
        max_requests_per_connection: None,
        http1: model::Http1Options::default(),
        http2: model::Http2Options::default(),
        auto_sni: false,
        auto_san_validation: false,
    }
}

/// A static cluster with these endpoints in one locality.
pub(super) fn model(endpoints: Vec<Endpoint>) -> model::Cluster {
    model::Cluster {
        name: "test".into(),
        alt_stat_name: String::new(),
        discovery: Discovery::Static(assignment(vec![locality(0, endpoints)])),
        connect_timeout: Duration::from_secs(2),
        load_balancing: balancing(LbPolicy::RoundRobin { slow_start: None }),
        http: http(UpstreamProtocol::Http1),
        transport: UpstreamTransport::Plain,
        transport_matches: Vec::new(),
        health_checks: Vec::new(),
        outlier_detection: None,
        circuit_breakers: CircuitBreakers::default(),
        per_connection_buffer_limit_bytes: 1 << 20,
        ignore_health_on_host_removal: false,
        close_connections_on_host_health_failure: false,
        tcp_keepalive: None,
        metadata: Metadata::default(),
        reports_load: false,
    }
}

pub(super) fn cluster(model: model::Cluster) -> Arc<Cluster> {
    Cluster::new(Arc::new(model), Transports::plain(), &Registry::default(), &Arc::default()).unwrap()
}

pub(super) fn host(endpoint: &Endpoint, priority: u32) -> Arc<Host> {
    let state = Arc::new(HostState::new(0, Instant::now()));
    state.apply(endpoint.health);
    Arc::new(Host::new(endpoint, Arc::default(), priority, Transport::Plain, state))
}

/// `healthy`, `degraded` and `unhealthy` endpoints of one locality, their ports counted from `first_port`.
pub(super) fn locality_hosts(
    priority: u32,
    weight: Option<u32>,
    first_port: u16,
    [healthy, degraded, unhealthy]: [u16; 3],
) -> LocalityHosts {
    let health = |index: u16| match index {
        index if index < healthy => EndpointHealth::Healthy,
        index if index < healthy + degraded => EndpointHealth::Degraded,
        _ => EndpointHealth::Unhealthy,
    };
    let hosts = (0..healthy + degraded + unhealthy)
        .map(|index| {
            let endpoint = endpoint(([127, 0, 0, 1], first_port + index));
            host(&Endpoint { health: health(index), ..endpoint }, priority)
        })
        .collect();
    LocalityHosts { priority, weight, hosts }
}

/// A TCP check that passes or fails at once.
pub(super) fn tcp_check() -> HealthCheck {
    HealthCheck {
        kind: HealthCheckKind::Tcp(TcpHealthCheck { send: Vec::new(), receive: Vec::new() }),
        timeout: Duration::from_secs(1),
        interval: Duration::from_millis(20),
        interval_jitter: Duration::ZERO,
        interval_jitter_percent: 0,
        initial_jitter: Duration::ZERO,
        no_traffic_interval: Duration::from_millis(20),
        no_traffic_healthy_interval: None,
        unhealthy_edge_interval: None,
        unhealthy_interval: None,
        healthy_edge_interval: None,
        unhealthy_threshold: 1,
        healthy_threshold: 1,
        alt_port: None,
        reuse_connection: false,
    }
}

pub(super) fn port(host: &Host) -> u16 {
    host.socket_address().unwrap().port()
}
