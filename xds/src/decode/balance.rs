//! How a cluster's endpoint is chosen: `lb_policy` with its settings and `common_lb_config`. When
//! `load_balancing_policy` is set it supersedes `lb_policy` and the settings beside it, as Envoy documents.

use envoy_types::pb::envoy::config::cluster::v3 as pb;
use envoy_types::pb::envoy::config::core::v3::RuntimeDouble;
use envoy_types::pb::envoy::r#type::v3::Percent;
use envoy_types::pb::google::protobuf::{Duration as Span, UInt32Value, UInt64Value};
use pb::cluster::common_lb_config::{ConsistentHashingLbConfig, LocalityConfigSpecifier, ZoneAwareLbConfig};
use pb::cluster::{CommonLbConfig, LbConfig, LbPolicy as PbLbPolicy, SlowStartConfig};

use super::balance_policy as policy;
use super::path::{Invalid, Path, absent};
use crate::model::{
    HashFunction, LbPolicy, LeastRequest, LoadBalancing, LocalityBalancing, Maglev, RingHash, SlowStart,
};

/// The most entries of a hash ring, as in Envoy.
const RING_SIZE_MAX: u64 = 8 * 1024 * 1024;

/// The largest Maglev table, as in Envoy.
const MAGLEV_SIZE_MAX: u64 = 5_000_011;

/// Envoy's `healthy_panic_threshold`, percent.
const PANIC_THRESHOLD: f64 = 50.0;

/// A policy and what it says about localities and hashing.
pub(super) struct Chosen {
    pub(super) policy: LbPolicy,
    pub(super) locality: LocalityBalancing,
    pub(super) hashing: Hashing,
}

/// What hash balancers share.
#[derive(Clone, Copy, Default)]
pub(super) struct Hashing {
    pub(super) use_hostname: bool,
    pub(super) balance_factor: u32,
}

/// The load balancing fields of a cluster.
pub(super) struct Fields<'a> {
    pub(super) lb_policy: i32,
    pub(super) lb_config: &'a Option<LbConfig>,
    pub(super) common_lb_config: &'a Option<CommonLbConfig>,
    pub(super) load_balancing_policy: &'a Option<pb::LoadBalancingPolicy>,
}

/// All of a cluster's load balancing.
pub(super) fn load_balancing(path: &Path<'_>, fields: &Fields<'_>) -> Result<LoadBalancing, Invalid> {
    let common = path.field("common_lb_config");
    let nothing = CommonLbConfig::default();
    let CommonLbConfig {
        healthy_panic_threshold,
        // Envoy gathers updates of health and weight for so long; here each is applied at once.
        update_merge_window: _,
        ignore_new_hosts_until_first_hc,
        close_connections_on_host_set_change,
        consistent_hashing_lb_config,
        override_host_status,
        locality_config_specifier,
    } = fields.common_lb_config.as_ref().unwrap_or(&nothing);
    absent!(common; close_connections_on_host_set_change, override_host_status);
    let healthy_panic_threshold =
        common.field("healthy_panic_threshold").percent(healthy_panic_threshold, PANIC_THRESHOLD)?;
    let chosen = match fields.load_balancing_policy {
        Some(policies) => self::policy::first(&path.field("load_balancing_policy"), policies)?,
        None => Chosen {
            policy: legacy(path, fields)?,
            locality: locality(&common, locality_config_specifier)?,
            hashing: hashing(&common.field("consistent_hashing_lb_config"), consistent_hashing_lb_config)?,
        },
    };
    Ok(LoadBalancing {
        policy: chosen.policy,
        healthy_panic_threshold,
        locality: chosen.locality,
        ignore_new_hosts_until_first_hc: *ignore_new_hosts_until_first_hc,
        use_hostname_for_hashing: chosen.hashing.use_hostname,
        hash_balance_factor: chosen.hashing.balance_factor,
    })
}

fn legacy(path: &Path<'_>, fields: &Fields<'_>) -> Result<LbPolicy, Invalid> {
    let at = path.field("lb_policy");
    let policy: PbLbPolicy = at.known(fields.lb_policy)?;
    match (policy, fields.lb_config) {
        (PbLbPolicy::RoundRobin, None) => Ok(LbPolicy::RoundRobin { slow_start: None }),
        (PbLbPolicy::RoundRobin, Some(LbConfig::RoundRobinLbConfig(config))) => {
            let pb::cluster::RoundRobinLbConfig { slow_start_config } = config;
            let path = path.field("round_robin_lb_config");
            let slow_start = legacy_slow_start(&path.field("slow_start_config"), slow_start_config)?;
            Ok(LbPolicy::RoundRobin { slow_start })
        }
        (PbLbPolicy::LeastRequest, None) => least_request(path, &None, &None, None),
        (PbLbPolicy::LeastRequest, Some(LbConfig::LeastRequestLbConfig(config))) => {
            let pb::cluster::LeastRequestLbConfig { choice_count, active_request_bias, slow_start_config } =
                config;
            let path = path.field("least_request_lb_config");
            let slow_start = legacy_slow_start(&path.field("slow_start_config"), slow_start_config)?;
            least_request(&path, choice_count, active_request_bias, slow_start)
        }
        (PbLbPolicy::Random, None) => Ok(LbPolicy::Random),
        (PbLbPolicy::RingHash, None) => ring_hash(path, &None, &None, HashFunction::XxHash),
        (PbLbPolicy::RingHash, Some(LbConfig::RingHashLbConfig(config))) => {
            legacy_ring_hash(&path.field("ring_hash_lb_config"), config)
        }
        (PbLbPolicy::Maglev, None) => maglev(path, &None),
        (PbLbPolicy::Maglev, Some(LbConfig::MaglevLbConfig(config))) => {
            let pb::cluster::MaglevLbConfig { table_size } = config;
            maglev(&path.field("maglev_lb_config"), table_size)
        }
        (PbLbPolicy::ClusterProvided, _) => at.refuse("CLUSTER_PROVIDED is not supported here"),
        (PbLbPolicy::LoadBalancingPolicyConfig, _) => {
            at.refuse("LOAD_BALANCING_POLICY_CONFIG needs load_balancing_policy")
        }
        (policy, Some(_)) => {
            at.refuse(format!("is {}, but the settings beside it are another policy's", policy.as_str_name()))
        }
    }
}

fn legacy_ring_hash(path: &Path<'_>, config: &pb::cluster::RingHashLbConfig) -> Result<LbPolicy, Invalid> {
    use pb::cluster::ring_hash_lb_config::HashFunction as PbHash;
    let pb::cluster::RingHashLbConfig { minimum_ring_size, hash_function, maximum_ring_size } = config;
    let function = match path.field("hash_function").known(*hash_function)? {
        PbHash::XxHash => HashFunction::XxHash,
        PbHash::MurmurHash2 => HashFunction::MurmurHash2,
    };
    ring_hash(path, minimum_ring_size, maximum_ring_size, function)
}

fn legacy_slow_start(
    path: &Path<'_>,
    config: &Option<SlowStartConfig>,
) -> Result<Option<SlowStart>, Invalid> {
    let Some(SlowStartConfig { slow_start_window, aggression, min_weight_percent }) = config else {
        return Ok(None);
    };
    slow_start(path, slow_start_window, aggression, min_weight_percent).map(Some)
}

fn locality(path: &Path<'_>, config: &Option<LocalityConfigSpecifier>) -> Result<LocalityBalancing, Invalid> {
    match config {
        None => Ok(LocalityBalancing::None),
        Some(LocalityConfigSpecifier::LocalityWeightedLbConfig(_)) => Ok(LocalityBalancing::Weighted),
        Some(LocalityConfigSpecifier::ZoneAwareLbConfig(config)) => {
            let ZoneAwareLbConfig { routing_enabled, min_cluster_size, fail_traffic_on_panic } = config;
            let path = path.field("zone_aware_lb_config");
            absent!(path; fail_traffic_on_panic);
            zone_aware(&path, routing_enabled, min_cluster_size)
        }
    }
}

fn hashing(path: &Path<'_>, config: &Option<ConsistentHashingLbConfig>) -> Result<Hashing, Invalid> {
    let Some(ConsistentHashingLbConfig { use_hostname_for_hashing, hash_balance_factor }) = config else {
        return Ok(Hashing::default());
    };
    let balance_factor = balance_factor(path, hash_balance_factor)?;
    Ok(Hashing { use_hostname: *use_hostname_for_hashing, balance_factor })
}

/// `hash_balance_factor`; zero: no bound.
pub(super) fn balance_factor(path: &Path<'_>, factor: &Option<UInt32Value>) -> Result<u32, Invalid> {
    Ok(path.field("hash_balance_factor").ranged(factor, 100..=u32::MAX)?.unwrap_or(0))
}

/// Zone-aware routing.
pub(super) fn zone_aware(
    path: &Path<'_>,
    routing_enabled: &Option<Percent>,
    min_cluster_size: &Option<UInt64Value>,
) -> Result<LocalityBalancing, Invalid> {
    Ok(LocalityBalancing::ZoneAware {
        routing_enabled: path.field("routing_enabled").percent(routing_enabled, 100.0)?,
        min_cluster_size: min_cluster_size.as_ref().map_or(6, |size| size.value),
    })
}

/// Least request.
pub(super) fn least_request(
    path: &Path<'_>,
    choice_count: &Option<UInt32Value>,
    active_request_bias: &Option<RuntimeDouble>,
    slow_start: Option<SlowStart>,
) -> Result<LbPolicy, Invalid> {
    let bias = path.field("active_request_bias");
    Ok(LbPolicy::LeastRequest(LeastRequest {
        choice_count: path.field("choice_count").ranged(choice_count, 2..=u32::MAX)?.unwrap_or(2),
        active_request_bias: bias.runtime_double(active_request_bias, 1.0, &(0.0..=f64::MAX))?,
        slow_start,
    }))
}

/// Ring hash.
pub(super) fn ring_hash(
    path: &Path<'_>,
    minimum: &Option<UInt64Value>,
    maximum: &Option<UInt64Value>,
    hash_function: HashFunction,
) -> Result<LbPolicy, Invalid> {
    let at = path.field("minimum_ring_size");
    let minimum_ring_size = at.ranged_u64(minimum, 1..=RING_SIZE_MAX)?.unwrap_or(1024);
    let maximum_ring_size =
        path.field("maximum_ring_size").ranged_u64(maximum, 1..=RING_SIZE_MAX)?.unwrap_or(RING_SIZE_MAX);
    if minimum_ring_size > maximum_ring_size {
        return at.refuse(format!("{minimum_ring_size} is above the maximum_ring_size {maximum_ring_size}"));
    }
    Ok(LbPolicy::RingHash(RingHash { minimum_ring_size, maximum_ring_size, hash_function }))
}

/// Maglev.
pub(super) fn maglev(path: &Path<'_>, table_size: &Option<UInt64Value>) -> Result<LbPolicy, Invalid> {
    let at = path.field("table_size");
    let table_size = at.ranged_u64(table_size, 2..=MAGLEV_SIZE_MAX)?.unwrap_or(65_537);
    if (2..).take_while(|divisor| divisor * divisor <= table_size).any(|divisor| table_size % divisor == 0) {
        return at.refuse(format!("{table_size} is not a prime number"));
    }
    Ok(LbPolicy::Maglev(Maglev { table_size }))
}

/// A ramp for new endpoints.
pub(super) fn slow_start(
    path: &Path<'_>,
    window: &Option<Span>,
    aggression: &Option<RuntimeDouble>,
    min_weight_percent: &Option<Percent>,
) -> Result<SlowStart, Invalid> {
    let at = path.field("slow_start_window");
    let curve = path.field("aggression");
    Ok(SlowStart {
        window: at.positive(at.required(window)?)?,
        aggression: curve.runtime_double(aggression, 1.0, &(f64::MIN_POSITIVE..=f64::MAX))?,
        min_weight_percent: path.field("min_weight_percent").percent(min_weight_percent, 10.0)?,
    })
}
