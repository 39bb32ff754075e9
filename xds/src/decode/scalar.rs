//! Plain values: durations, wrapped numbers, percentages, enumerations, texts. Each has its accepted range.

use std::ops::RangeInclusive;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::{
    RuntimeDouble, RuntimeFeatureFlag, RuntimeFractionalPercent, RuntimeUInt32 as PbRuntimeUInt32,
};
use envoy_types::pb::envoy::r#type::v3::fractional_percent::DenominatorType;
use envoy_types::pb::envoy::r#type::v3::{FractionalPercent, Percent};
use envoy_types::pb::google::protobuf::{BoolValue, Duration as Span, UInt32Value, UInt64Value};

use super::path::{Invalid, Path};
use crate::model::{Fraction, RuntimeFraction, RuntimeSwitch, RuntimeUInt32};

/// The longest span that `google.protobuf.Duration` allows, about 10,000 years.
const SECONDS_MAX: u64 = 315_576_000_000;

impl Path<'_> {
    /// A duration that is not negative.
    pub(super) fn duration(&self, span: &Span) -> Result<Duration, Invalid> {
        let Span { seconds, nanos } = span;
        match (u64::try_from(*seconds), u32::try_from(*nanos)) {
            (Ok(seconds), Ok(nanos)) if seconds <= SECONDS_MAX && nanos < 1_000_000_000 => {
                Ok(Duration::new(seconds, nanos))
            }
            _ => self.refuse(format!("{seconds} s {nanos} ns is not a duration; 0 s to {SECONDS_MAX} s are")),
        }
    }

    /// A duration that may be left out; zero stays zero.
    pub(super) fn optional(&self, span: &Option<Span>) -> Result<Option<Duration>, Invalid> {
        span.as_ref().map(|span| self.duration(span)).transpose()
    }

    /// A duration that may be left out but not be zero.
    pub(super) fn optional_positive(&self, span: &Option<Span>) -> Result<Option<Duration>, Invalid> {
        span.as_ref().map(|span| self.positive(span)).transpose()
    }

    /// A duration above zero.
    pub(super) fn positive(&self, span: &Span) -> Result<Duration, Invalid> {
        match self.duration(span)? {
            Duration::ZERO => self.refuse("0 s is not accepted; it must be more than zero"),
            duration => Ok(duration),
        }
    }

    /// A limit where zero means none.
    pub(super) fn limit(
        &self,
        span: &Option<Span>,
        default: Option<Duration>,
    ) -> Result<Option<Duration>, Invalid> {
        match self.optional(span)? {
            None => Ok(default),
            some => Ok(some.filter(|limit| !limit.is_zero())),
        }
    }

    /// A number within `range`.
    pub(super) fn within(&self, value: u32, range: &RangeInclusive<u32>) -> Result<u32, Invalid> {
        if range.contains(&value) {
            Ok(value)
        } else {
            self.refuse(format!("{value} is not accepted; {} to {} are", range.start(), range.end()))
        }
    }

    /// A wrapped number within `range`, if given.
    pub(super) fn ranged(
        &self,
        value: &Option<UInt32Value>,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, Invalid> {
        value.as_ref().map(|value| self.within(value.value, &range)).transpose()
    }

    /// A wrapped 64-bit number within `range`, if given.
    pub(super) fn ranged_u64(
        &self,
        value: &Option<UInt64Value>,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Invalid> {
        match value {
            Some(UInt64Value { value }) if !range.contains(value) => {
                self.refuse(format!("{value} is not accepted; {} to {} are", range.start(), range.end()))
            }
            value => Ok(value.as_ref().map(|value| value.value)),
        }
    }

    /// A port; zero is not one.
    pub(super) fn port(&self, value: u32) -> Result<u16, Invalid> {
        match u16::try_from(value) {
            Ok(port) if port > 0 => Ok(port),
            _ => self.refuse(format!("{value} is not a port; 1 to 65535 are")),
        }
    }

    /// A value of an enumeration that this build knows.
    pub(super) fn known<E: TryFrom<i32>>(&self, value: i32) -> Result<E, Invalid> {
        E::try_from(value).map_err(|_| self.invalid(format!("{value} is not a known value")))
    }

    /// A percentage.
    pub(super) fn percent(&self, percent: &Option<Percent>, default: f64) -> Result<f64, Invalid> {
        match percent {
            None => Ok(default),
            Some(Percent { value }) if (0.0..=100.0).contains(value) => Ok(*value),
            Some(Percent { value }) => self.refuse(format!("{value} is not a percentage; 0 to 100 are")),
        }
    }

    /// A share.
    pub(super) fn fraction(&self, fraction: &FractionalPercent) -> Result<Fraction, Invalid> {
        let FractionalPercent { numerator, denominator } = fraction;
        let denominator = match self.field("denominator").known(*denominator)? {
            DenominatorType::Hundred => 100,
            DenominatorType::TenThousand => 10_000,
            DenominatorType::Million => 1_000_000,
        };
        let numerator = self.field("numerator").within(*numerator, &(0..=denominator))?;
        Ok(Fraction { numerator, denominator })
    }

    /// A share that a runtime value may stand in for.
    pub(super) fn runtime_fraction(
        &self,
        fraction: &RuntimeFractionalPercent,
    ) -> Result<RuntimeFraction, Invalid> {
        let RuntimeFractionalPercent { default_value, runtime_key } = fraction;
        let path = self.field("default_value");
        let default = path.fraction(path.required(default_value)?)?;
        Ok(RuntimeFraction { default, key: runtime_key.clone() })
    }

    /// A share that may be left out.
    pub(super) fn optional_fraction(
        &self,
        fraction: Option<&RuntimeFractionalPercent>,
    ) -> Result<Option<RuntimeFraction>, Invalid> {
        fraction.map(|fraction| self.runtime_fraction(fraction)).transpose()
    }

    /// A switch that a runtime value may stand in for; on unless said.
    pub(super) fn runtime_switch(&self, flag: &Option<RuntimeFeatureFlag>) -> Result<RuntimeSwitch, Invalid> {
        let Some(RuntimeFeatureFlag { default_value, runtime_key }) = flag else {
            return Ok(RuntimeSwitch::ON);
        };
        let default = self.field("default_value").required(default_value)?.value;
        Ok(RuntimeSwitch { default, key: self.field("runtime_key").non_empty(runtime_key)? })
    }

    /// A number that a runtime value may stand in for.
    pub(super) fn runtime_uint32(&self, value: &PbRuntimeUInt32) -> Result<RuntimeUInt32, Invalid> {
        let PbRuntimeUInt32 { default_value, runtime_key } = value;
        let key = self.field("runtime_key").non_empty(runtime_key)?;
        Ok(RuntimeUInt32 { default: *default_value, key })
    }

    /// A number above zero whose default stands: balancers read no runtime values.
    pub(super) fn runtime_double(
        &self,
        value: &Option<RuntimeDouble>,
        default: f64,
        range: &RangeInclusive<f64>,
    ) -> Result<f64, Invalid> {
        let Some(RuntimeDouble { default_value, runtime_key: _ }) = value else { return Ok(default) };
        if range.contains(default_value) {
            Ok(*default_value)
        } else {
            let path = self.field("default_value");
            let (low, high) = (range.start(), range.end());
            path.refuse(format!("{default_value} is not accepted; {low} to {high} are"))
        }
    }

    /// A text that is not empty.
    pub(super) fn non_empty(&self, text: &str) -> Result<String, Invalid> {
        if text.is_empty() { self.refuse("must not be empty") } else { Ok(text.to_owned()) }
    }

    /// Refuses a text that stands in `texts` twice; `what` names the kind of thing.
    pub(super) fn unique<'t>(
        &self,
        what: &str,
        texts: impl IntoIterator<Item = &'t str>,
    ) -> Result<(), Invalid> {
        let mut seen = std::collections::HashSet::new();
        for (index, text) in texts.into_iter().enumerate() {
            if !seen.insert(text) {
                return self.index(index).refuse(format!("the {what} {text:?} is used twice"));
            }
        }
        Ok(())
    }
}

/// A switch with its default.
pub(super) fn switch(value: &Option<BoolValue>, default: bool) -> bool {
    value.as_ref().map_or(default, |value| value.value)
}
