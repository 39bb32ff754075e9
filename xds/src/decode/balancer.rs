//! The balancers themselves, which the older fields and the extensions describe in the same words.

use envoy_types::pb::envoy::config::core::v3::RuntimeDouble;
use envoy_types::pb::envoy::r#type::v3::Percent;
use envoy_types::pb::google::protobuf::{Duration as Span, UInt32Value, UInt64Value};

use super::path::{Invalid, Path};
use crate::model::{HashFunction, LbPolicy, LeastRequest, LocalityBalancing, Maglev, RingHash, SlowStart};

/// The most entries of a hash ring, as in Envoy.
const RING_SIZE_MAX: u64 = 8 * 1024 * 1024;

/// The largest Maglev table, as in Envoy.
const MAGLEV_SIZE_MAX: u64 = 5_000_011;

/// A policy and what it says about localities and hashing.
pub(super) struct Chosen {
    pub(super) policy: LbPolicy,
    pub(super) locality: LocalityBalancing,
    pub(super) hashing: Hashing,
    /// Headers that name endpoints.
    pub(super) override_headers: Vec<String>,
}

impl Chosen {
    /// A policy that says nothing of localities, hashing and headers.
    pub(super) fn plain(policy: LbPolicy) -> Self {
        let (locality, hashing) = (LocalityBalancing::None, Hashing::default());
        Self { policy, locality, hashing, override_headers: Vec::new() }
    }
}

/// What hash balancers share.
#[derive(Clone, Copy, Default)]
pub(super) struct Hashing {
    pub(super) use_hostname: bool,
    pub(super) balance_factor: u32,
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
