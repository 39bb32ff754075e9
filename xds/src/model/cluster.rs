//! Clusters (`envoy.config.cluster.v3.Cluster`).

use std::time::Duration;

use super::{
    ClusterName, ConfigSource, HealthCheck, Http1Options, Http2Options, LoadAssignment, LoadBalancing,
    Metadata, OutlierDetection, ProxyProtocolVersion, Tlv, TlvSelection, UpstreamTls, Value,
};

/// A cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Its name, unique.
    pub name: ClusterName,
    /// Name in metrics, if another one.
    pub alt_stat_name: String,
    /// How its endpoints are found.
    pub discovery: Discovery,
    /// How long a connection may take; Envoy's default is 5 s.
    pub connect_timeout: Duration,
    /// How an endpoint is chosen.
    pub load_balancing: LoadBalancing,
    /// HTTP towards its endpoints.
    pub http: UpstreamHttp,
    /// How bytes travel, unless a match says otherwise.
    pub transport: UpstreamTransport,
    /// By endpoint metadata, the first match wins.
    pub transport_matches: Vec<TransportSocketMatch>,
    /// Active checks; all must pass.
    pub health_checks: Vec<HealthCheck>,
    /// Passive ejection; `None`: off.
    pub outlier_detection: Option<OutlierDetection>,
    /// Limits.
    pub circuit_breakers: CircuitBreakers,
    /// Soft limit of buffered bytes per connection.
    pub per_connection_buffer_limit_bytes: u32,
    /// Whether a removed endpoint that still passes checks is kept (false) or dropped at once (true).
    pub ignore_health_on_host_removal: bool,
    /// Whether connections to an endpoint are closed when it becomes unhealthy.
    pub close_connections_on_host_health_failure: bool,
    /// TCP keepalive; `None`: this proxy's default.
    pub tcp_keepalive: Option<TcpKeepalive>,
    /// Metadata.
    pub metadata: Metadata,
    /// Whether its load is reported to the control plane that it comes from (`lrs_server.self`).
    pub reports_load: bool,
}

/// How endpoints are found.
#[derive(Debug, Clone, PartialEq)]
pub enum Discovery {
    /// They stand here.
    Static(LoadAssignment),
    /// Every address of every name.
    StrictDns {
        /// Names.
        assignment: LoadAssignment,
        /// Lookups.
        dns: DnsOptions,
    },
    /// One address of one name at a time.
    LogicalDns {
        /// The name.
        assignment: LoadAssignment,
        /// Lookups.
        dns: DnsOptions,
    },
    /// A resource of its own.
    Eds {
        /// Its name: `service_name`, else the cluster's.
        service_name: String,
        /// Where it is fetched.
        source: ConfigSource,
    },
}

/// How names are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsOptions {
    /// How often; Envoy's default is 5 s.
    pub refresh_rate: Duration,
    /// Whether the record's time to live is used instead.
    pub respect_dns_ttl: bool,
    /// Which families.
    pub lookup_family: DnsLookupFamily,
    /// Random addition.
    pub jitter: Duration,
    /// After a failure, base and maximum; `None`: as `refresh_rate`.
    pub failure_refresh: Option<(Duration, Duration)>,
}

/// Which address families are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is Envoy's of the same name")]
pub enum DnsLookupFamily {
    Auto,
    V4Only,
    V6Only,
    V4Preferred,
    All,
}

/// HTTP towards endpoints (`HttpProtocolOptions`).
#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamHttp {
    /// Which version.
    pub protocol: UpstreamProtocol,
    /// Connections without streams are closed after this; Envoy's default is 1 h.
    pub idle_timeout: Option<Duration>,
    /// Longest life of a connection.
    pub max_connection_duration: Option<Duration>,
    /// Longest life of a stream.
    pub max_stream_duration: Option<Duration>,
    /// Most requests on a connection.
    pub max_requests_per_connection: Option<u32>,
    /// HTTP/1 settings.
    pub http1: Http1Options,
    /// HTTP/2 settings.
    pub http2: Http2Options,
    /// Whether the request's authority is the server name asked for.
    pub auto_sni: bool,
    /// Whether the peer's certificate must be valid for it.
    pub auto_san_validation: bool,
}

/// Which version is spoken to endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpstreamProtocol {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
    /// As the client's request came.
    Downstream,
    /// By ALPN.
    Auto,
}

/// How an upstream connection's bytes travel.
#[derive(Debug, Clone, PartialEq)]
pub enum UpstreamTransport {
    /// As they are.
    Plain,
    /// In TLS.
    Tls(Box<UpstreamTls>),
    /// After a header that says who asked; what is inside is plain or TLS.
    Proxied(Box<ProxiedTransport>),
}

impl UpstreamTransport {
    /// The TLS, if bytes are encrypted.
    #[must_use]
    pub fn tls(&self) -> Option<&UpstreamTls> {
        match self {
            Self::Plain => None,
            Self::Tls(tls) => Some(tls),
            Self::Proxied(proxied) => proxied.inner.tls(),
        }
    }
}

/// A transport that tells endpoints who asked (`ProxyProtocolUpstreamTransport`).
#[derive(Debug, Clone, PartialEq)]
pub struct ProxiedTransport {
    /// The header's form.
    pub version: ProxyProtocolVersion,
    /// Which TLVs of the client's header go on.
    pub pass_through: TlvSelection,
    /// More of them.
    pub added: Vec<Tlv>,
    /// Whether connections are made for clients without an IP address.
    pub allow_unspecified_address: bool,
    /// Whether TLVs tell connections apart, too (here they always do).
    pub tlv_as_pool_key: bool,
    /// What follows the header: plain or TLS.
    pub inner: UpstreamTransport,
}

/// A transport for endpoints whose `envoy.transport_socket_match` metadata holds all of `matches`.
#[derive(Debug, Clone, PartialEq)]
pub struct TransportSocketMatch {
    /// Its name in metrics.
    pub name: String,
    /// What the metadata must hold; empty matches all.
    pub matches: std::collections::BTreeMap<String, Value>,
    /// The transport.
    pub transport: UpstreamTransport,
}

/// Limits by routing priority (`CircuitBreakers`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CircuitBreakers {
    /// For [`super::RoutingPriority::Default`].
    pub default: Thresholds,
    /// For [`super::RoutingPriority::High`].
    pub high: Thresholds,
    /// Most connections to one endpoint.
    pub per_host_max_connections: Option<u32>,
}

/// Limits; Envoy's defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    /// 1,024.
    pub max_connections: u32,
    /// 1,024.
    pub max_pending_requests: u32,
    /// 1,024.
    pub max_requests: u32,
    /// 3, unless there is a budget.
    pub max_retries: u32,
    /// Retries as a share of requests.
    pub retry_budget: Option<RetryBudget>,
    /// Whether the headroom is shown as metrics.
    pub track_remaining: bool,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            max_pending_requests: 1024,
            max_requests: 1024,
            max_retries: 3,
            retry_budget: None,
            track_remaining: false,
        }
    }
}

/// Retries as a share of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryBudget {
    /// Percent; Envoy's default is 20.
    pub budget_percent: f64,
    /// Always allowed; Envoy's default is 3.
    pub min_retry_concurrency: u32,
}

/// TCP keepalive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpKeepalive {
    /// Probes until the connection is dead.
    pub probes: Option<u32>,
    /// Idle time before the first.
    pub time: Option<Duration>,
    /// Between them.
    pub interval: Option<Duration>,
}
