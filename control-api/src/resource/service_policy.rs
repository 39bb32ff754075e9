//! How a service's instances are probed, set aside, chosen, retried and bounded.
//!
//! One rule: the defaults stand here, in one function per value, so that documents stay short and
//! what a gateway is told never depends on a proxy's own defaults.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::invalid::Invalid;
use super::name;
use super::protocol::Protocol;
use super::span::Span;

/// How instances are probed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HealthCheck {
    /// The kind of probe.
    pub r#type: HealthCheckType,
    /// For `http`: the path asked for; by default `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// For `http`: the Host sent; by default the service's first host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// For `grpc`: the service name in the health request; by default the whole server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc_service: Option<String>,
    /// Between probes; by default 2s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// For one probe; by default 1s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Failures in a row until unhealthy; by default 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unhealthy_threshold: Option<u32>,
    /// Successes in a row until healthy again; by default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy_threshold: Option<u32>,
}

/// The kinds of probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HealthCheckType {
    /// A connect that succeeds.
    Tcp,
    /// A GET answered with 200.
    Http,
    /// The gRPC health protocol.
    Grpc,
    /// No probe: only failed requests tell.
    None,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            r#type: HealthCheckType::Tcp,
            path: None,
            host: None,
            grpc_service: None,
            interval: None,
            timeout: None,
            unhealthy_threshold: None,
            healthy_threshold: None,
        }
    }
}

impl HealthCheck {
    /// Between probes.
    pub fn interval(&self) -> Duration {
        self.interval.map_or(Duration::from_secs(2), |s| s.0)
    }

    /// For one probe.
    pub fn timeout(&self) -> Duration {
        self.timeout.map_or(Duration::from_secs(1), |s| s.0)
    }

    /// Failures in a row until unhealthy.
    pub fn unhealthy_threshold(&self) -> u32 {
        self.unhealthy_threshold.unwrap_or(2)
    }

    /// Successes in a row until healthy again.
    pub fn healthy_threshold(&self) -> u32 {
        self.healthy_threshold.unwrap_or(1)
    }

    /// Checks the fields against the probe's kind and the service's protocol.
    pub fn check(&self, protocol: Protocol) -> Result<(), Invalid> {
        match (self.r#type, protocol) {
            (HealthCheckType::Http, Protocol::Tcp) | (HealthCheckType::Grpc, Protocol::Tcp) => {
                return Err(Invalid::new("type", "a tcp service is probed with tcp"));
            }
            (HealthCheckType::Grpc, Protocol::Http) => {
                return Err(Invalid::new(
                    "type",
                    "grpc needs HTTP/2: accepted for an http service are http, tcp and none",
                ));
            }
            _ => {}
        }
        for (field, is_set, needs) in [
            ("path", self.path.is_some(), HealthCheckType::Http),
            ("host", self.host.is_some(), HealthCheckType::Http),
            ("grpcService", self.grpc_service.is_some(), HealthCheckType::Grpc),
        ] {
            if is_set && self.r#type != needs {
                return Err(Invalid::new(
                    field,
                    format!("has a meaning only with type {needs:?}").to_lowercase(),
                ));
            }
        }
        if let Some(path) = &self.path {
            let parses = http::uri::PathAndQuery::try_from(path.as_str()).is_ok();
            if !parses || !path.starts_with('/') {
                return Err(Invalid::new("path", "is not a path: it begins with '/'"));
            }
        }
        if let Some(host) = &self.host {
            name::check_dns_name("host", host)?;
        }
        not_zero("interval", self.interval())?;
        not_zero("timeout", self.timeout())?;
        at_least_one("unhealthyThreshold", self.unhealthy_threshold())?;
        at_least_one("healthyThreshold", self.healthy_threshold())
    }
}

/// When an instance or a site that fails requests is set aside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Outlier {
    /// Failures in a row (no connection, 502, 503, 504) until set aside; by default 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consecutive_errors: Option<u32>,
    /// How often it is looked at whether to take one back; by default 1s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// How long the first time; the n-th time n times as long, up to 60s; by default 5s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ejection_time: Option<Span>,
    /// How many of all may be set aside at once, in percent; by default 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ejection_percent: Option<u32>,
}

impl Outlier {
    /// Failures in a row until set aside.
    pub fn consecutive_errors(&self) -> u32 {
        self.consecutive_errors.unwrap_or(3)
    }

    /// How often it is looked at whether to take one back.
    pub fn interval(&self) -> Duration {
        self.interval.map_or(Duration::from_secs(1), |s| s.0)
    }

    /// How long the first time.
    pub fn ejection_time(&self) -> Duration {
        self.ejection_time.map_or(Duration::from_secs(5), |s| s.0)
    }

    /// How many of all may be set aside at once, in percent.
    pub fn max_ejection_percent(&self) -> u32 {
        self.max_ejection_percent.unwrap_or(100)
    }

    /// Checks the ranges.
    pub fn check(&self) -> Result<(), Invalid> {
        at_least_one("consecutiveErrors", self.consecutive_errors())?;
        not_zero("interval", self.interval())?;
        not_zero("ejectionTime", self.ejection_time())?;
        if self.max_ejection_percent() > 100 {
            return Err(Invalid::new(
                "maxEjectionPercent",
                format!("{}: accepted are 0 to 100", self.max_ejection_percent()),
            ));
        }
        Ok(())
    }
}

/// How one of several instances is chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LoadBalancing {
    /// The rule.
    pub policy: LoadBalancingPolicy,
    /// For `ringHash` and `maglev`: the request header whose value decides; by default the
    /// client's IP address does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash_header: Option<String>,
}

/// The rules of choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LoadBalancingPolicy {
    /// In turn.
    RoundRobin,
    /// The less busy of two.
    LeastRequest,
    /// Any.
    Random,
    /// The same for the same key, on a ring.
    RingHash,
    /// The same for the same key, by a table.
    Maglev,
}

impl LoadBalancing {
    /// Whether the choice follows a key.
    pub fn is_hashing(&self) -> bool {
        matches!(self.policy, LoadBalancingPolicy::RingHash | LoadBalancingPolicy::Maglev)
    }

    /// Checks that a hash header stands only where it decides.
    pub fn check(&self, protocol: Protocol) -> Result<(), Invalid> {
        let Some(header) = &self.hash_header else {
            return Ok(());
        };
        if !self.is_hashing() || !protocol.is_http() {
            return Err(Invalid::new(
                "hashHeader",
                "has a meaning only with policy ringHash or maglev of an http, http2 or grpc service",
            ));
        }
        name::check_header_name("hashHeader", header)
    }
}

/// How failed requests are tried again. Methods that are not idempotent are tried again only when
/// the request cannot have reached an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Retry {
    /// How often after the first time, 0 to 10; by default 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// How long one try may take; by default as long as the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_try_timeout: Option<Span>,
    /// For `grpc`: the statuses that are tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grpc_statuses: Option<Vec<GrpcStatus>>,
}

/// The gRPC statuses after which a retry can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GrpcStatus {
    /// CANCELLED.
    Cancelled,
    /// DEADLINE_EXCEEDED.
    DeadlineExceeded,
    /// INTERNAL.
    Internal,
    /// RESOURCE_EXHAUSTED.
    ResourceExhausted,
    /// UNAVAILABLE.
    Unavailable,
}

impl GrpcStatus {
    /// As Envoy's `retry_on` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::DeadlineExceeded => "deadline-exceeded",
            Self::Internal => "internal",
            Self::ResourceExhausted => "resource-exhausted",
            Self::Unavailable => "unavailable",
        }
    }
}

impl Retry {
    /// How often after the first time.
    pub fn attempts(&self) -> u32 {
        self.attempts.unwrap_or(4)
    }

    /// Checks the ranges.
    pub fn check(&self, protocol: Protocol) -> Result<(), Invalid> {
        if self.attempts() > 10 {
            return Err(Invalid::new("attempts", format!("{}: accepted are 0 to 10", self.attempts())));
        }
        if self.grpc_statuses.is_some() && protocol != Protocol::Grpc {
            return Err(Invalid::new("grpcStatuses", "has a meaning only for a grpc service"));
        }
        if let Some(span) = self.per_try_timeout {
            not_zero("perTryTimeout", span.0)?;
        }
        Ok(())
    }
}

/// How much may be under way at once, for each gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// Connections; by default 10000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<u32>,
    /// Requests that wait for a connection; by default 10000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pending_requests: Option<u32>,
    /// Requests; by default 10000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<u32>,
    /// Retries; by default 10000, for when a site dies every request of it is retried at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<u32>,
}

impl CircuitBreaker {
    /// The value of a threshold, the default filled in.
    pub fn or_default(threshold: Option<u32>) -> u32 {
        threshold.unwrap_or(10_000)
    }
}

fn not_zero(field: &str, duration: Duration) -> Result<(), Invalid> {
    if duration.is_zero() {
        return Err(Invalid::new(field, "0s: accepted is more than nothing"));
    }
    Ok(())
}

fn at_least_one(field: &str, number: u32) -> Result<(), Invalid> {
    if number == 0 {
        return Err(Invalid::new(field, "0: accepted is 1 or more"));
    }
    Ok(())
}
