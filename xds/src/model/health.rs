//! Active health checks and outlier detection (`envoy.config.core.v3.HealthCheck`,
//! `envoy.config.cluster.v3.OutlierDetection`).

use std::time::Duration;

use http::Method;

use super::StringMatcher;

/// An active health check.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthCheck {
    /// What is asked.
    pub kind: HealthCheckKind,
    /// How long an answer may take; more than zero.
    pub timeout: Duration,
    /// How often; more than zero.
    pub interval: Duration,
    /// Random addition to the interval.
    pub interval_jitter: Duration,
    /// Random addition to the interval, percent of it.
    pub interval_jitter_percent: u32,
    /// Random wait before the first check.
    pub initial_jitter: Duration,
    /// Interval while the cluster has no traffic; Envoy's default is 60 s.
    pub no_traffic_interval: Duration,
    /// The same after a check that passed, if another.
    pub no_traffic_healthy_interval: Option<Duration>,
    /// Interval after the first failure until unhealthy.
    pub unhealthy_edge_interval: Option<Duration>,
    /// Interval while unhealthy.
    pub unhealthy_interval: Option<Duration>,
    /// Interval after the first success until healthy.
    pub healthy_edge_interval: Option<Duration>,
    /// Failures in a row until unhealthy; at least 1.
    pub unhealthy_threshold: u32,
    /// Successes in a row until healthy; at least 1. The first check of all counts alone.
    pub healthy_threshold: u32,
    /// Port instead of the endpoint's.
    pub alt_port: Option<u16>,
    /// Whether a connection is kept between checks.
    pub reuse_connection: bool,
}

/// What an active check asks.
#[derive(Debug, Clone, PartialEq)]
pub enum HealthCheckKind {
    /// An HTTP request.
    Http(Box<HttpHealthCheck>),
    /// A TCP connection, with bytes or without.
    Tcp(TcpHealthCheck),
    /// `grpc.health.v1.Health/Check`.
    Grpc(GrpcHealthCheck),
}

/// An HTTP check.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpHealthCheck {
    /// `Host`; empty: the endpoint's check hostname, else the cluster's name.
    pub host: String,
    /// Path.
    pub path: String,
    /// Method.
    pub method: Method,
    /// Fields to add, name and value.
    pub request_headers_to_add: Vec<(String, String)>,
    /// Status ranges that are healthy; empty: 200.
    pub expected_statuses: Vec<StatusRange>,
    /// Status ranges that count towards the unhealthy threshold; others fail at once.
    pub retriable_statuses: Vec<StatusRange>,
    /// Whether HTTP/2 is spoken (`codec_client_type`).
    pub http2: bool,
    /// What `x-envoy-upstream-healthchecked-cluster` of the answer must be.
    pub service_name: Option<StringMatcher>,
}

/// Statuses from `start` up to but without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRange {
    /// Inclusive.
    pub start: u16,
    /// Exclusive.
    pub end: u16,
}

/// A TCP check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcpHealthCheck {
    /// Bytes to send; empty: connecting is enough.
    pub send: Vec<u8>,
    /// Pieces the answer must contain, in order.
    pub receive: Vec<Vec<u8>>,
}

/// A gRPC check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcHealthCheck {
    /// The service asked for; empty: the server.
    pub service_name: String,
    /// `:authority`; empty: the cluster's name.
    pub authority: String,
    /// Metadata to add.
    pub initial_metadata: Vec<(String, String)>,
}

/// Ejection of endpoints by how requests end. Shares are percent, defaults are Envoy's.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "each field is Envoy's of the same name")]
pub struct OutlierDetection {
    pub consecutive_5xx: u32,
    pub enforcing_consecutive_5xx: u32,
    pub consecutive_gateway_failure: u32,
    pub enforcing_consecutive_gateway_failure: u32,
    pub split_external_local_origin_errors: bool,
    pub consecutive_local_origin_failure: u32,
    pub enforcing_consecutive_local_origin_failure: u32,
    pub interval: Duration,
    pub base_ejection_time: Duration,
    pub max_ejection_time: Duration,
    pub max_ejection_time_jitter: Duration,
    pub max_ejection_percent: u32,
    pub always_eject_one_host: bool,
    pub enforcing_success_rate: u32,
    pub success_rate_minimum_hosts: u32,
    pub success_rate_request_volume: u32,
    pub success_rate_stdev_factor: u32,
    pub enforcing_local_origin_success_rate: u32,
    pub failure_percentage_threshold: u32,
    pub enforcing_failure_percentage: u32,
    pub enforcing_failure_percentage_local_origin: u32,
    pub failure_percentage_minimum_hosts: u32,
    pub failure_percentage_request_volume: u32,
    pub successful_active_health_check_uneject_host: bool,
}

impl Default for OutlierDetection {
    fn default() -> Self {
        Self {
            consecutive_5xx: 5,
            enforcing_consecutive_5xx: 100,
            consecutive_gateway_failure: 5,
            enforcing_consecutive_gateway_failure: 0,
            split_external_local_origin_errors: false,
            consecutive_local_origin_failure: 5,
            enforcing_consecutive_local_origin_failure: 100,
            interval: Duration::from_secs(10),
            base_ejection_time: Duration::from_secs(30),
            max_ejection_time: Duration::from_secs(300),
            max_ejection_time_jitter: Duration::ZERO,
            max_ejection_percent: 10,
            always_eject_one_host: false,
            enforcing_success_rate: 100,
            success_rate_minimum_hosts: 5,
            success_rate_request_volume: 100,
            success_rate_stdev_factor: 1900,
            enforcing_local_origin_success_rate: 100,
            failure_percentage_threshold: 85,
            enforcing_failure_percentage: 0,
            enforcing_failure_percentage_local_origin: 0,
            failure_percentage_minimum_hosts: 5,
            failure_percentage_request_volume: 50,
            successful_active_health_check_uneject_host: true,
        }
    }
}
