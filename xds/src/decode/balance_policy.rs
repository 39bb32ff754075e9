//! `load_balancing_policy`: a list of extensions, of which the first supported one is used. One that is
//! supported but ill-formed refuses the cluster; it is not skipped.

use envoy_types::pb::envoy::config::cluster::v3::LoadBalancingPolicy;
use envoy_types::pb::envoy::config::cluster::v3::load_balancing_policy::Policy;
use envoy_types::pb::envoy::extensions::load_balancing_policies as pb;
use envoy_types::pb::google::protobuf::{Any, UInt32Value};
use pb::common::v3::locality_lb_config::{
    LocalityConfigSpecifier, LocalityWeightedLbConfig, ZoneAwareLbConfig,
};
use pb::common::v3::{ConsistentHashingLbConfig, LocalityLbConfig, SlowStartConfig};
use pb::override_host::v3::override_host::OverrideHostSource;

use super::any::unpack_if;
use super::balancer::{self, Chosen, Hashing};
use super::headers;
use super::path::{Invalid, Path, absent, off};
use crate::model::{HashFunction, LbPolicy, LocalityBalancing, SlowStart};

/// Why `cluster_provided` is refused: no type of cluster that is supported brings a balancer (Envoy's `ORIGINAL_DST`
/// and dynamic forward proxy do).
pub(super) const NOT_PROVIDED: &str =
    "is left to the cluster, but clusters of this type bring no balancer of their own";

/// The first supported policy of the list.
pub(super) fn first(path: &Path<'_>, policies: &LoadBalancingPolicy) -> Result<Chosen, Invalid> {
    let LoadBalancingPolicy { policies } = policies;
    let path = path.field("policies");
    let mut passed_over = Vec::new();
    for (index, Policy { typed_extension_config }) in policies.iter().enumerate() {
        let at = path.index(index);
        let at = at.field("typed_extension_config");
        let extension = at.required(typed_extension_config)?;
        let at = at.field("typed_config");
        let config = at.required(&extension.typed_config)?;
        if let Some(chosen) = supported(&at, config)? {
            return Ok(chosen);
        }
        passed_over.push(format!("{:?} ({})", extension.name, config.type_url));
    }
    let found = if passed_over.is_empty() {
        "is empty".to_owned()
    } else {
        format!("has only {}", passed_over.join(", "))
    };
    path.refuse(format!(
        "{found}; supported: RoundRobin, LeastRequest, Random, RingHash, Maglev, PickFirst, OverrideHost, WrrLocality"
    ))
}

fn supported(path: &Path<'_>, config: &Any) -> Result<Option<Chosen>, Invalid> {
    if let Some(policy) = unpack_if::<pb::round_robin::v3::RoundRobin>(path, config)? {
        return round_robin(path, &policy).map(Some);
    }
    if let Some(policy) = unpack_if::<pb::least_request::v3::LeastRequest>(path, config)? {
        return least_request(path, &policy).map(Some);
    }
    if let Some(policy) = unpack_if::<pb::random::v3::Random>(path, config)? {
        let pb::random::v3::Random { locality_lb_config } = policy;
        let locality = locality(&path.field("locality_lb_config"), &locality_lb_config)?;
        return Ok(Some(Chosen { locality, ..Chosen::plain(LbPolicy::Random) }));
    }
    if let Some(policy) = unpack_if::<pb::ring_hash::v3::RingHash>(path, config)? {
        return ring_hash(path, &policy).map(Some);
    }
    if let Some(policy) = unpack_if::<pb::maglev::v3::Maglev>(path, config)? {
        let pb::maglev::v3::Maglev { table_size, consistent_hashing_lb_config, locality_weighted_lb_config } =
            policy;
        let hashing = hashing(path, false, &None, &consistent_hashing_lb_config)?;
        let locality = weighted(&locality_weighted_lb_config);
        let policy = balancer::maglev(path, &table_size)?;
        return Ok(Some(Chosen { locality, hashing, ..Chosen::plain(policy) }));
    }
    if let Some(policy) = unpack_if::<pb::wrr_locality::v3::WrrLocality>(path, config)? {
        return wrr_locality(path, &policy).map(Some);
    }
    if let Some(policy) = unpack_if::<pb::pick_first::v3::PickFirst>(path, config)? {
        let pb::pick_first::v3::PickFirst { shuffle_address_list } = policy;
        return Ok(Some(Chosen::plain(LbPolicy::PickFirst { shuffle_address_list })));
    }
    if let Some(policy) = unpack_if::<pb::override_host::v3::OverrideHost>(path, config)? {
        return override_host(path, &policy).map(Some);
    }
    if let Some(pb::cluster_provided::v3::ClusterProvided {}) = unpack_if(path, config)? {
        return path.refuse(NOT_PROVIDED);
    }
    Ok(None)
}

fn round_robin(path: &Path<'_>, policy: &pb::round_robin::v3::RoundRobin) -> Result<Chosen, Invalid> {
    let pb::round_robin::v3::RoundRobin { slow_start_config, locality_lb_config } = policy;
    let slow_start = slow_start(&path.field("slow_start_config"), slow_start_config)?;
    let locality = locality(&path.field("locality_lb_config"), locality_lb_config)?;
    Ok(Chosen { locality, ..Chosen::plain(LbPolicy::RoundRobin { slow_start }) })
}

fn least_request(path: &Path<'_>, policy: &pb::least_request::v3::LeastRequest) -> Result<Chosen, Invalid> {
    let pb::least_request::v3::LeastRequest {
        choice_count,
        active_request_bias,
        slow_start_config,
        locality_lb_config,
        enable_full_scan,
        selection_method,
    } = policy;
    off!(path; enable_full_scan);
    absent!(path; selection_method);
    let slow_start = slow_start(&path.field("slow_start_config"), slow_start_config)?;
    let policy = balancer::least_request(path, choice_count, active_request_bias, slow_start)?;
    let locality = locality(&path.field("locality_lb_config"), locality_lb_config)?;
    Ok(Chosen { locality, ..Chosen::plain(policy) })
}

fn ring_hash(path: &Path<'_>, policy: &pb::ring_hash::v3::RingHash) -> Result<Chosen, Invalid> {
    use pb::ring_hash::v3::ring_hash::HashFunction as PbHash;
    let pb::ring_hash::v3::RingHash {
        hash_function,
        minimum_ring_size,
        maximum_ring_size,
        use_hostname_for_hashing,
        hash_balance_factor,
        consistent_hashing_lb_config,
        locality_weighted_lb_config,
    } = policy;
    let function = match path.field("hash_function").known(*hash_function)? {
        PbHash::DefaultHash | PbHash::XxHash => HashFunction::XxHash,
        PbHash::MurmurHash2 => HashFunction::MurmurHash2,
    };
    Ok(Chosen {
        locality: weighted(locality_weighted_lb_config),
        hashing: hashing(path, *use_hostname_for_hashing, hash_balance_factor, consistent_hashing_lb_config)?,
        ..Chosen::plain(balancer::ring_hash(path, minimum_ring_size, maximum_ring_size, function)?)
    })
}

/// Localities by weight, and within one the policy inside.
fn wrr_locality(path: &Path<'_>, policy: &pb::wrr_locality::v3::WrrLocality) -> Result<Chosen, Invalid> {
    let pb::wrr_locality::v3::WrrLocality { endpoint_picking_policy } = policy;
    let path = path.field("endpoint_picking_policy");
    let chosen = first(&path, path.required(endpoint_picking_policy)?)?;
    if let LocalityBalancing::ZoneAware { .. } = chosen.locality {
        return path.refuse("is zone-aware, which contradicts the locality weights around it");
    }
    Ok(Chosen { locality: LocalityBalancing::Weighted, ..chosen })
}

/// Headers that name endpoints, and the policy for a request that names none that is there.
fn override_host(path: &Path<'_>, policy: &pb::override_host::v3::OverrideHost) -> Result<Chosen, Invalid> {
    let pb::override_host::v3::OverrideHost { override_host_sources, selected_host_key, fallback_policy } =
        policy;
    absent!(path; selected_host_key);
    let sources = path.field("override_host_sources");
    if override_host_sources.is_empty() {
        return sources.refuse("must not be empty");
    }
    let override_headers = sources.each(override_host_sources, |at, source| {
        let OverrideHostSource { header, metadata } = source;
        absent!(at; metadata);
        headers::name(&at.field("header"), header)
    })?;
    let at = path.field("fallback_policy");
    let chosen = first(&at, at.required(fallback_policy)?)?;
    if !chosen.override_headers.is_empty() {
        return at.refuse("is another OverrideHost; name all sources in one");
    }
    Ok(Chosen { override_headers, ..chosen })
}

/// What hash policies share; the two fields beside the message are its deprecated twins.
fn hashing(
    path: &Path<'_>,
    use_hostname: bool,
    factor: &Option<UInt32Value>,
    config: &Option<ConsistentHashingLbConfig>,
) -> Result<Hashing, Invalid> {
    let Some(config) = config else {
        return Ok(Hashing { use_hostname, balance_factor: balancer::balance_factor(path, factor)? });
    };
    let path = path.field("consistent_hashing_lb_config");
    if use_hostname || factor.is_some() {
        return path.refuse("and its deprecated twins beside it are both set; keep this one");
    }
    let ConsistentHashingLbConfig { use_hostname_for_hashing, hash_balance_factor, hash_policy } = config;
    absent!(path; hash_policy);
    let balance_factor = balancer::balance_factor(&path, hash_balance_factor)?;
    Ok(Hashing { use_hostname: *use_hostname_for_hashing, balance_factor })
}

fn weighted(config: &Option<LocalityWeightedLbConfig>) -> LocalityBalancing {
    match config {
        Some(LocalityWeightedLbConfig {}) => LocalityBalancing::Weighted,
        None => LocalityBalancing::None,
    }
}

fn locality(path: &Path<'_>, config: &Option<LocalityLbConfig>) -> Result<LocalityBalancing, Invalid> {
    let Some(LocalityLbConfig { locality_config_specifier }) = config else {
        return Ok(LocalityBalancing::None);
    };
    match locality_config_specifier {
        None => path.refuse("is empty; accepted: zone_aware_lb_config, locality_weighted_lb_config"),
        Some(LocalityConfigSpecifier::LocalityWeightedLbConfig(_)) => Ok(LocalityBalancing::Weighted),
        Some(LocalityConfigSpecifier::ZoneAwareLbConfig(config)) => {
            let ZoneAwareLbConfig {
                routing_enabled,
                min_cluster_size,
                fail_traffic_on_panic,
                force_locality_direct_routing,
                force_local_zone,
                locality_basis,
            } = config;
            let path = path.field("zone_aware_lb_config");
            absent!(path; fail_traffic_on_panic, force_locality_direct_routing, force_local_zone, locality_basis);
            balancer::zone_aware(&path, routing_enabled, min_cluster_size)
        }
    }
}

fn slow_start(path: &Path<'_>, config: &Option<SlowStartConfig>) -> Result<Option<SlowStart>, Invalid> {
    let Some(SlowStartConfig { slow_start_window, aggression, min_weight_percent }) = config else {
        return Ok(None);
    };
    balancer::slow_start(path, slow_start_window, aggression, min_weight_percent).map(Some)
}
