//! How an endpoint is chosen, in the form of `lb_policy` and the fields around it, and as `load_balancing_policy` where
//! these have no word for it.

use envoy_types::pb::envoy::config::cluster::v3::LoadBalancingPolicy;
use envoy_types::pb::envoy::config::cluster::v3::cluster as pb;
use pb::common_lb_config::{
    ConsistentHashingLbConfig, LocalityConfigSpecifier, LocalityWeightedLbConfig, ZoneAwareLbConfig,
};
use pb::ring_hash_lb_config::HashFunction as PbHashFunction;
use pb::{CommonLbConfig, LbConfig, LbPolicy as PbLbPolicy, SlowStartConfig};

use super::balance_policy;
use super::scalar;
use crate::model::{
    HashFunction, LbPolicy, LeastRequest, LoadBalancing, LocalityBalancing, Maglev, RingHash, SlowStart,
};

/// The fields of a cluster that say it.
pub(super) struct Fields {
    pub(super) lb_policy: i32,
    pub(super) lb_config: Option<LbConfig>,
    pub(super) common_lb_config: Option<CommonLbConfig>,
    pub(super) load_balancing_policy: Option<LoadBalancingPolicy>,
}

pub(super) fn load_balancing(balancing: &LoadBalancing) -> Fields {
    let LoadBalancing {
        policy,
        healthy_panic_threshold,
        locality,
        ignore_new_hosts_until_first_hc,
        use_hostname_for_hashing,
        hash_balance_factor,
        override_headers,
    } = balancing;
    let mut common = CommonLbConfig {
        healthy_panic_threshold: scalar::percent(*healthy_panic_threshold),
        ignore_new_hosts_until_first_hc: *ignore_new_hosts_until_first_hc,
        ..Default::default()
    };
    let Some((policy, lb_config)) = self::policy(policy).filter(|_| override_headers.is_empty()) else {
        return Fields {
            lb_policy: PbLbPolicy::LoadBalancingPolicyConfig.into(),
            lb_config: None,
            common_lb_config: Some(common),
            load_balancing_policy: Some(balance_policy::policy(balancing)),
        };
    };
    let hashing = ConsistentHashingLbConfig {
        use_hostname_for_hashing: *use_hostname_for_hashing,
        hash_balance_factor: Some(*hash_balance_factor).filter(|factor| *factor > 0).and_then(scalar::uint32),
    };
    common.consistent_hashing_lb_config =
        Some(hashing).filter(|hashing| *hashing != ConsistentHashingLbConfig::default());
    common.locality_config_specifier = self::locality(*locality);
    Fields {
        lb_policy: policy.into(),
        lb_config,
        common_lb_config: Some(common),
        load_balancing_policy: None,
    }
}

fn locality(locality: LocalityBalancing) -> Option<LocalityConfigSpecifier> {
    match locality {
        LocalityBalancing::None => None,
        LocalityBalancing::Weighted => {
            Some(LocalityConfigSpecifier::LocalityWeightedLbConfig(LocalityWeightedLbConfig {}))
        }
        LocalityBalancing::ZoneAware { routing_enabled, min_cluster_size } => {
            Some(LocalityConfigSpecifier::ZoneAwareLbConfig(ZoneAwareLbConfig {
                routing_enabled: scalar::percent(routing_enabled),
                min_cluster_size: scalar::uint64(min_cluster_size),
                ..Default::default()
            }))
        }
    }
}

/// `None` for a policy that the older fields do not know.
fn policy(policy: &LbPolicy) -> Option<(PbLbPolicy, Option<LbConfig>)> {
    Some(match policy {
        LbPolicy::RoundRobin { slow_start: ramp } => {
            let config = pb::RoundRobinLbConfig { slow_start_config: ramp.as_ref().map(slow_start) };
            (PbLbPolicy::RoundRobin, Some(LbConfig::RoundRobinLbConfig(config)))
        }
        LbPolicy::LeastRequest(LeastRequest { choice_count, active_request_bias, slow_start: ramp }) => {
            let config = pb::LeastRequestLbConfig {
                choice_count: scalar::uint32(*choice_count),
                active_request_bias: scalar::runtime_double(*active_request_bias),
                slow_start_config: ramp.as_ref().map(slow_start),
            };
            (PbLbPolicy::LeastRequest, Some(LbConfig::LeastRequestLbConfig(config)))
        }
        LbPolicy::Random => (PbLbPolicy::Random, None),
        LbPolicy::RingHash(RingHash { minimum_ring_size, maximum_ring_size, hash_function }) => {
            let function = match hash_function {
                HashFunction::XxHash => PbHashFunction::XxHash,
                HashFunction::MurmurHash2 => PbHashFunction::MurmurHash2,
            };
            let config = pb::RingHashLbConfig {
                minimum_ring_size: scalar::uint64(*minimum_ring_size),
                hash_function: function.into(),
                maximum_ring_size: scalar::uint64(*maximum_ring_size),
            };
            (PbLbPolicy::RingHash, Some(LbConfig::RingHashLbConfig(config)))
        }
        LbPolicy::Maglev(Maglev { table_size }) => {
            let config = pb::MaglevLbConfig { table_size: scalar::uint64(*table_size) };
            (PbLbPolicy::Maglev, Some(LbConfig::MaglevLbConfig(config)))
        }
        LbPolicy::PickFirst { .. } => return None,
    })
}

fn slow_start(ramp: &SlowStart) -> SlowStartConfig {
    let SlowStart { window, aggression, min_weight_percent } = ramp;
    SlowStartConfig {
        slow_start_window: scalar::span(*window),
        aggression: scalar::runtime_double(*aggression),
        min_weight_percent: scalar::percent(*min_weight_percent),
    }
}
