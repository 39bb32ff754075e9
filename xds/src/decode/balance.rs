//! How a cluster's endpoint is chosen: `lb_policy` with its settings and `common_lb_config`. When
//! `load_balancing_policy` is set it supersedes `lb_policy` and the settings beside it, as Envoy documents.

use envoy_types::pb::envoy::config::cluster::v3 as pb;
use pb::cluster::common_lb_config::{ConsistentHashingLbConfig, LocalityConfigSpecifier, ZoneAwareLbConfig};
use pb::cluster::{CommonLbConfig, LbConfig, LbPolicy as PbLbPolicy, SlowStartConfig};

use super::balance_policy as policy;
use super::balancer::{self, Chosen, Hashing};
use super::path::{Invalid, Path, absent};
use crate::model::{HashFunction, LbPolicy, LoadBalancing, LocalityBalancing, SlowStart};

/// Envoy's `healthy_panic_threshold`, percent.
const PANIC_THRESHOLD: f64 = 50.0;

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
            override_headers: Vec::new(),
        },
    };
    Ok(LoadBalancing {
        policy: chosen.policy,
        healthy_panic_threshold,
        locality: chosen.locality,
        ignore_new_hosts_until_first_hc: *ignore_new_hosts_until_first_hc,
        use_hostname_for_hashing: chosen.hashing.use_hostname,
        hash_balance_factor: chosen.hashing.balance_factor,
        override_headers: chosen.override_headers,
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
        (PbLbPolicy::LeastRequest, None) => balancer::least_request(path, &None, &None, None),
        (PbLbPolicy::LeastRequest, Some(LbConfig::LeastRequestLbConfig(config))) => {
            let pb::cluster::LeastRequestLbConfig { choice_count, active_request_bias, slow_start_config } =
                config;
            let path = path.field("least_request_lb_config");
            let slow_start = legacy_slow_start(&path.field("slow_start_config"), slow_start_config)?;
            balancer::least_request(&path, choice_count, active_request_bias, slow_start)
        }
        (PbLbPolicy::Random, None) => Ok(LbPolicy::Random),
        (PbLbPolicy::RingHash, None) => balancer::ring_hash(path, &None, &None, HashFunction::XxHash),
        (PbLbPolicy::RingHash, Some(LbConfig::RingHashLbConfig(config))) => {
            legacy_ring_hash(&path.field("ring_hash_lb_config"), config)
        }
        (PbLbPolicy::Maglev, None) => balancer::maglev(path, &None),
        (PbLbPolicy::Maglev, Some(LbConfig::MaglevLbConfig(config))) => {
            let pb::cluster::MaglevLbConfig { table_size } = config;
            balancer::maglev(&path.field("maglev_lb_config"), table_size)
        }
        (PbLbPolicy::ClusterProvided, _) => at.refuse(policy::NOT_PROVIDED),
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
    balancer::ring_hash(path, minimum_ring_size, maximum_ring_size, function)
}

fn legacy_slow_start(
    path: &Path<'_>,
    config: &Option<SlowStartConfig>,
) -> Result<Option<SlowStart>, Invalid> {
    let Some(SlowStartConfig { slow_start_window, aggression, min_weight_percent }) = config else {
        return Ok(None);
    };
    balancer::slow_start(path, slow_start_window, aggression, min_weight_percent).map(Some)
}

fn locality(path: &Path<'_>, config: &Option<LocalityConfigSpecifier>) -> Result<LocalityBalancing, Invalid> {
    match config {
        None => Ok(LocalityBalancing::None),
        Some(LocalityConfigSpecifier::LocalityWeightedLbConfig(_)) => Ok(LocalityBalancing::Weighted),
        Some(LocalityConfigSpecifier::ZoneAwareLbConfig(config)) => {
            let ZoneAwareLbConfig { routing_enabled, min_cluster_size, fail_traffic_on_panic } = config;
            let path = path.field("zone_aware_lb_config");
            absent!(path; fail_traffic_on_panic);
            balancer::zone_aware(&path, routing_enabled, min_cluster_size)
        }
    }
}

fn hashing(path: &Path<'_>, config: &Option<ConsistentHashingLbConfig>) -> Result<Hashing, Invalid> {
    let Some(ConsistentHashingLbConfig { use_hostname_for_hashing, hash_balance_factor }) = config else {
        return Ok(Hashing::default());
    };
    let balance_factor = balancer::balance_factor(path, hash_balance_factor)?;
    Ok(Hashing { use_hostname: *use_hostname_for_hashing, balance_factor })
}
