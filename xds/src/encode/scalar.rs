//! Wrapped values, durations, percentages, and messages in an `Any`.

use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::{
    RuntimeDouble, RuntimeFeatureFlag, RuntimeFractionalPercent, RuntimeUInt32 as PbRuntimeUInt32,
};
use envoy_types::pb::envoy::r#type::v3::fractional_percent::DenominatorType;
use envoy_types::pb::envoy::r#type::v3::{FractionalPercent, Percent};
use envoy_types::pb::google::protobuf::{Any, BoolValue, Duration as Span, UInt32Value, UInt64Value};
use prost::{Message, Name};

use crate::model::{Fraction, RuntimeFraction, RuntimeSwitch, RuntimeUInt32};

/// The key where Envoy insists on one; no layer sets it, so that the default stands.
pub(super) const RUNTIME_KEY: &str = "tombolo.constant";

pub(super) fn uint32(value: u32) -> Option<UInt32Value> {
    Some(UInt32Value { value })
}

pub(super) fn uint64(value: u64) -> Option<UInt64Value> {
    Some(UInt64Value { value })
}

pub(super) fn switch(value: bool) -> Option<BoolValue> {
    Some(BoolValue { value })
}

/// A switch that is only written when it is on.
pub(super) fn if_on(value: bool) -> Option<BoolValue> {
    value.then_some(BoolValue { value })
}

pub(super) fn span(duration: Duration) -> Option<Span> {
    // Both casts are exact: what a decoder accepts is below 2^39 seconds and 10^9 nanoseconds.
    let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    Some(Span { seconds, nanos: duration.subsec_nanos().cast_signed() })
}

/// A duration that is left out when zero.
pub(super) fn unless_zero(duration: Duration) -> Option<Span> {
    if duration.is_zero() { None } else { span(duration) }
}

/// A limit; none is written as zero.
pub(super) fn limit(duration: Option<Duration>) -> Option<Span> {
    span(duration.unwrap_or_default())
}

pub(super) fn percent(value: f64) -> Option<Percent> {
    Some(Percent { value })
}

pub(super) fn fraction(fraction: Fraction) -> FractionalPercent {
    let Fraction { numerator, denominator } = fraction;
    let denominator = match denominator {
        0..=100 => DenominatorType::Hundred,
        101..=10_000 => DenominatorType::TenThousand,
        _ => DenominatorType::Million,
    };
    FractionalPercent { numerator, denominator: denominator.into() }
}

pub(super) fn runtime_fraction(share: &RuntimeFraction) -> RuntimeFractionalPercent {
    let RuntimeFraction { default, key } = share;
    RuntimeFractionalPercent { default_value: Some(fraction(*default)), runtime_key: key.clone() }
}

/// A switch; one that is always on is left out.
pub(super) fn runtime_switch(flag: &RuntimeSwitch) -> Option<RuntimeFeatureFlag> {
    let RuntimeSwitch { default, key } = flag;
    let switch = RuntimeFeatureFlag { default_value: switch(*default), runtime_key: key.clone() };
    (*flag != RuntimeSwitch::ON).then_some(switch)
}

pub(super) fn runtime_uint32(value: &RuntimeUInt32) -> PbRuntimeUInt32 {
    let RuntimeUInt32 { default, key } = value;
    PbRuntimeUInt32 { default_value: *default, runtime_key: key.clone() }
}

pub(super) fn runtime_double(default_value: f64) -> Option<RuntimeDouble> {
    Some(RuntimeDouble { default_value, runtime_key: RUNTIME_KEY.to_owned() })
}

/// `message` with its type URL.
pub(super) fn any<M: Message + Name>(message: &M) -> Any {
    Any { type_url: M::type_url(), value: message.encode_to_vec() }
}
