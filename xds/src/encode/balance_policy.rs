//! How an endpoint is chosen, in the form of `load_balancing_policy`.

use envoy_types::pb::envoy::config::cluster::v3::LoadBalancingPolicy;
use envoy_types::pb::envoy::config::cluster::v3::load_balancing_policy::Policy;
use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::extensions::load_balancing_policies as pb;
use envoy_types::pb::google::protobuf::Any;
use pb::common::v3::locality_lb_config::{
    LocalityConfigSpecifier, LocalityWeightedLbConfig, ZoneAwareLbConfig,
};
use pb::common::v3::{ConsistentHashingLbConfig, LocalityLbConfig, SlowStartConfig};
use pb::override_host::v3::override_host::OverrideHostSource;

use super::scalar;
use crate::model::{
    HashFunction, LbPolicy, LeastRequest, LoadBalancing, LocalityBalancing, Maglev, RingHash, SlowStart,
};

pub(super) fn policy(balancing: &LoadBalancing) -> LoadBalancingPolicy {
    let (name, config) = balancer(balancing);
    let balancer = list(name, config);
    if balancing.override_headers.is_empty() {
        return balancer;
    }
    let source = |header: &String| OverrideHostSource { header: header.clone(), metadata: None };
    let policy = pb::override_host::v3::OverrideHost {
        override_host_sources: balancing.override_headers.iter().map(source).collect(),
        selected_host_key: None,
        fallback_policy: Some(balancer),
    };
    list("override_host", scalar::any(&policy))
}

fn list(name: &str, config: Any) -> LoadBalancingPolicy {
    let extension = TypedExtensionConfig {
        name: format!("envoy.load_balancing_policies.{name}"),
        typed_config: Some(config),
    };
    LoadBalancingPolicy { policies: vec![Policy { typed_extension_config: Some(extension) }] }
}

fn balancer(balancing: &LoadBalancing) -> (&'static str, Any) {
    let locality_lb_config = locality(balancing.locality);
    let locality_weighted_lb_config =
        (balancing.locality == LocalityBalancing::Weighted).then_some(LocalityWeightedLbConfig {});
    let consistent_hashing_lb_config = Some(hashing(balancing));
    match &balancing.policy {
        LbPolicy::RoundRobin { slow_start: ramp } => {
            let slow_start_config = ramp.as_ref().map(slow_start);
            let config = pb::round_robin::v3::RoundRobin { slow_start_config, locality_lb_config };
            ("round_robin", scalar::any(&config))
        }
        LbPolicy::LeastRequest(LeastRequest { choice_count, active_request_bias, slow_start: ramp }) => {
            let config = pb::least_request::v3::LeastRequest {
                choice_count: scalar::uint32(*choice_count),
                active_request_bias: scalar::runtime_double(*active_request_bias),
                slow_start_config: ramp.as_ref().map(slow_start),
                locality_lb_config,
                ..Default::default()
            };
            ("least_request", scalar::any(&config))
        }
        LbPolicy::Random => ("random", scalar::any(&pb::random::v3::Random { locality_lb_config })),
        LbPolicy::RingHash(RingHash { minimum_ring_size, maximum_ring_size, hash_function }) => {
            use pb::ring_hash::v3::ring_hash::HashFunction as PbHash;
            let function = match hash_function {
                HashFunction::XxHash => PbHash::XxHash,
                HashFunction::MurmurHash2 => PbHash::MurmurHash2,
            };
            let config = pb::ring_hash::v3::RingHash {
                hash_function: function.into(),
                minimum_ring_size: scalar::uint64(*minimum_ring_size),
                maximum_ring_size: scalar::uint64(*maximum_ring_size),
                consistent_hashing_lb_config,
                locality_weighted_lb_config,
                ..Default::default()
            };
            ("ring_hash", scalar::any(&config))
        }
        LbPolicy::Maglev(Maglev { table_size }) => {
            let table_size = scalar::uint64(*table_size);
            let config = pb::maglev::v3::Maglev {
                table_size,
                consistent_hashing_lb_config,
                locality_weighted_lb_config,
            };
            ("maglev", scalar::any(&config))
        }
        LbPolicy::PickFirst { shuffle_address_list } => {
            let config = pb::pick_first::v3::PickFirst { shuffle_address_list: *shuffle_address_list };
            ("pick_first", scalar::any(&config))
        }
    }
}

fn locality(locality: LocalityBalancing) -> Option<LocalityLbConfig> {
    let specifier = match locality {
        LocalityBalancing::None => return None,
        LocalityBalancing::Weighted => {
            LocalityConfigSpecifier::LocalityWeightedLbConfig(LocalityWeightedLbConfig {})
        }
        LocalityBalancing::ZoneAware { routing_enabled, min_cluster_size } => {
            LocalityConfigSpecifier::ZoneAwareLbConfig(ZoneAwareLbConfig {
                routing_enabled: scalar::percent(routing_enabled),
                min_cluster_size: scalar::uint64(min_cluster_size),
                ..Default::default()
            })
        }
    };
    Some(LocalityLbConfig { locality_config_specifier: Some(specifier) })
}

fn hashing(balancing: &LoadBalancing) -> ConsistentHashingLbConfig {
    let factor = Some(balancing.hash_balance_factor).filter(|factor| *factor > 0);
    ConsistentHashingLbConfig {
        use_hostname_for_hashing: balancing.use_hostname_for_hashing,
        hash_balance_factor: factor.and_then(scalar::uint32),
        ..Default::default()
    }
}

fn slow_start(ramp: &SlowStart) -> SlowStartConfig {
    let SlowStart { window, aggression, min_weight_percent } = ramp;
    SlowStartConfig {
        slow_start_window: scalar::span(*window),
        aggression: scalar::runtime_double(*aggression),
        min_weight_percent: scalar::percent(*min_weight_percent),
    }
}
