//! One runtime value, read once in every way in which it may be asked for, as Envoy reads it.

use std::collections::BTreeMap;

use xds::model::{Fraction, Value};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// As it is shown.
    pub(super) text: String,
    /// As an unsigned number: what stands behind the point is cut off.
    pub(super) integer: Option<u64>,
    /// As a share.
    pub(super) fraction: Option<Fraction>,
    /// As a switch.
    pub(super) truth: Option<bool>,
}

impl Entry {
    /// A value of a file or a control plane.
    pub(super) fn new(value: &Value) -> Self {
        Self::shown(shown(value), value)
    }

    /// A value that is shown as it was written.
    pub(super) fn shown(text: String, value: &Value) -> Self {
        let (integer, fraction) = match value {
            Value::Number(number) => (integer(*number), None),
            Value::Struct(fields) => (None, fraction(fields)),
            // A text may be a number, but no share.
            Value::String(_) => (text.trim().parse().ok().and_then(integer), None),
            Value::Null | Value::Bool(_) | Value::List(_) => (None, None),
        };
        let truth = truth(value);
        Self { text, integer, fraction, truth }
    }
}

/// A number is on unless it is zero, one in a text too. Another text is no switch, as in Envoy.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => Some(*number != 0.0),
        Value::String(text) => text.trim().parse().ok().map(|number: f64| number != 0.0),
        Value::Null | Value::Struct(_) | Value::List(_) => None,
    }
}

/// Whether an object is a value (a `FractionalPercent`), and not a folder of keys.
pub(super) fn is_fraction(fields: &BTreeMap<String, Value>) -> bool {
    fields.contains_key("numerator") || fields.contains_key("denominator")
}

fn integer(number: f64) -> Option<u64> {
    // The cast is exact enough: numbers beyond 2^53 have no neighbours to be confused with.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was looked at")]
    (0.0..18_446_744_073_709_551_616.0).contains(&number).then_some(number as u64)
}

/// A `FractionalPercent` in the proto3 JSON form; `None` if it is none.
fn fraction(fields: &BTreeMap<String, Value>) -> Option<Fraction> {
    let mut fraction = Fraction { numerator: 0, denominator: 100 };
    for (key, value) in fields {
        match (key.as_str(), value) {
            ("numerator", Value::Number(number)) if number.fract() == 0.0 => {
                fraction.numerator = u32::try_from(integer(*number)?).ok()?;
            }
            ("denominator", Value::String(name)) => {
                fraction.denominator = match name.as_str() {
                    "HUNDRED" => 100,
                    "TEN_THOUSAND" => 10_000,
                    "MILLION" => 1_000_000,
                    _ => return None,
                };
            }
            _ => return None,
        }
    }
    Some(fraction)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::String(text) => text.clone(),
        Value::Null | Value::Struct(_) | Value::List(_) => json(value).to_string(),
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 =>
        {
            #[allow(clippy::cast_possible_truncation, reason = "the range was looked at")]
            serde_json::Value::from(*number as i64)
        }
        Value::Number(number) => serde_json::Value::from(*number),
        Value::Bool(truth) => serde_json::Value::from(*truth),
        Value::String(text) => serde_json::Value::from(text.as_str()),
        Value::Struct(fields) => fields.iter().map(|(key, value)| (key.clone(), json(value))).collect(),
        Value::List(items) => items.iter().map(json).collect(),
    }
}
