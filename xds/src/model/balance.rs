//! How a cluster's endpoint is chosen (`lb_policy`, `load_balancing_policy`, `common_lb_config`).

use std::time::Duration;

/// All of a cluster's load balancing settings.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadBalancing {
    /// The balancer.
    pub policy: LbPolicy,
    /// Below this share of healthy endpoints a priority ignores health; percent, Envoy's default is 50, 0 never.
    pub healthy_panic_threshold: f64,
    /// How localities share a priority's load.
    pub locality: LocalityBalancing,
    /// Whether an endpoint is only used after its first health check.
    pub ignore_new_hosts_until_first_hc: bool,
    /// Whether hash balancers hash the hostname instead of the address.
    pub use_hostname_for_hashing: bool,
    /// Most load an endpoint may have over the mean, percent (bounded-load hashing); 0: no bound.
    pub hash_balance_factor: u32,
    /// Request headers, lower case, that name the endpoints to try before the balancer is asked (`override_host`),
    /// as `ip:port,ip:port`; none: only the balancer chooses.
    pub override_headers: Vec<String>,
}

/// How localities share load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LocalityBalancing {
    /// They do not: endpoints count alone.
    None,
    /// By configured weight (`locality_weighted_lb_config`).
    Weighted,
    /// The own zone first (`zone_aware_lb_config`).
    ZoneAware {
        /// Share of requests that are zone-aware, percent.
        routing_enabled: f64,
        /// Fewest endpoints for it.
        min_cluster_size: u64,
    },
}

/// The balancers.
#[derive(Debug, Clone, PartialEq)]
pub enum LbPolicy {
    /// In turn, by weight.
    RoundRobin {
        /// Ramp for new endpoints.
        slow_start: Option<SlowStart>,
    },
    /// The least loaded of a few.
    LeastRequest(LeastRequest),
    /// Any, evenly.
    Random,
    /// Ketama.
    RingHash(RingHash),
    /// Maglev.
    Maglev(Maglev),
    /// The first in configured order that can be reached, kept until it fails (gRFC A62).
    PickFirst {
        /// Whether the order is drawn, so that many proxies do not all choose the same.
        shuffle_address_list: bool,
    },
}

/// Least-request settings.
#[derive(Debug, Clone, PartialEq)]
pub struct LeastRequest {
    /// How many are drawn; at least 2, Envoy's default is 2.
    pub choice_count: u32,
    /// How strongly active requests count when weights differ; Envoy's default is 1.
    pub active_request_bias: f64,
    /// Ramp for new endpoints.
    pub slow_start: Option<SlowStart>,
}

/// Ring hash settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingHash {
    /// Fewest entries; Envoy's default is 1,024.
    pub minimum_ring_size: u64,
    /// Most entries; at most 8 Mi, which is the default.
    pub maximum_ring_size: u64,
    /// How keys are hashed.
    pub hash_function: HashFunction,
}

/// Maglev settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Maglev {
    /// Prime; Envoy's default is 65,537, at most 5,000,011.
    pub table_size: u64,
}

/// Hash functions for rings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashFunction {
    /// xxHash64.
    XxHash,
    /// MurmurHash2, as std::hash on 64-bit Linux.
    MurmurHash2,
}

/// A ramp of an endpoint's weight after it appears.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SlowStart {
    /// How long the ramp takes.
    pub window: Duration,
    /// Its curve; 1 is linear.
    pub aggression: f64,
    /// Least weight, percent.
    pub min_weight_percent: f64,
}
