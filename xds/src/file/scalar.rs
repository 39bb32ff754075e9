//! Scalars by the proto3 JSON mapping: what a text, number or truth value means to a field of a scalar type.
//!
//! The one rule: `Err` says what is accepted, in words that fit behind "expected".

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use prost_reflect::{EnumDescriptor, MapKey, Value as Proto};

use super::yaml::Value;

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

pub(super) fn boolean(value: &Value) -> Result<Proto, String> {
    match value {
        Value::Bool(value) => Ok(Proto::Bool(*value)),
        _ => Err("true or false".to_owned()),
    }
}

pub(super) fn string(value: &Value) -> Result<Proto, String> {
    match value {
        Value::Text(text) => Ok(Proto::String(text.clone())),
        Value::Bool(_) | Value::Signed(_) | Value::Unsigned(_) | Value::Float(_) => {
            Err("a string (put it in quotes)".to_owned())
        }
        _ => Err("a string".to_owned()),
    }
}

/// Base64 in either alphabet, padded or not.
pub(super) fn bytes(value: &Value) -> Result<Proto, String> {
    let accepted = || "bytes in base64".to_owned();
    let Value::Text(text) = value else {
        return Err(accepted());
    };
    GeneralPurpose::new(&STANDARD, LENIENT)
        .decode(text)
        .or_else(|_| GeneralPurpose::new(&URL_SAFE, LENIENT).decode(text))
        .map(|bytes| Proto::Bytes(bytes.into()))
        .map_err(|_| accepted())
}

pub(super) fn int32(value: &Value) -> Result<Proto, String> {
    let number = whole(value, i32::MIN.into(), i32::MAX.into())?;
    Ok(Proto::I32(i32::try_from(number).map_err(|_| "a 32-bit number".to_owned())?))
}

pub(super) fn int64(value: &Value) -> Result<Proto, String> {
    let number = whole(value, i64::MIN.into(), i64::MAX.into())?;
    Ok(Proto::I64(i64::try_from(number).map_err(|_| "a 64-bit number".to_owned())?))
}

pub(super) fn uint32(value: &Value) -> Result<Proto, String> {
    let number = whole(value, 0, u32::MAX.into())?;
    Ok(Proto::U32(u32::try_from(number).map_err(|_| "a 32-bit number".to_owned())?))
}

pub(super) fn uint64(value: &Value) -> Result<Proto, String> {
    let number = whole(value, 0, u64::MAX.into())?;
    Ok(Proto::U64(u64::try_from(number).map_err(|_| "a 64-bit number".to_owned())?))
}

pub(super) fn float(value: &Value) -> Result<Proto, String> {
    let number = real(value)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float field holds the nearest float; the range is checked"
    )]
    let narrow = number as f32;
    if number.is_finite() && !narrow.is_finite() {
        return Err(format!("a number from {} to {}", f32::MIN, f32::MAX));
    }
    Ok(Proto::F32(narrow))
}

pub(super) fn double(value: &Value) -> Result<Proto, String> {
    Ok(Proto::F64(real(value)?))
}

/// An enum value by name, or by a number that the enum defines.
pub(super) fn enumeration(descriptor: &EnumDescriptor, value: &Value) -> Result<Proto, String> {
    let accepted = || {
        let names: Vec<_> = descriptor.values().map(|value| value.name().to_owned()).collect();
        format!("one of {}", names.join(", "))
    };
    let number = match value {
        Value::Text(name) => descriptor.get_value_by_name(name).map(|value| value.number()),
        other => whole(other, i32::MIN.into(), i32::MAX.into())
            .ok()
            .and_then(|number| i32::try_from(number).ok())
            .filter(|number| descriptor.get_value(*number).is_some()),
    };
    number.map(Proto::EnumNumber).ok_or_else(accepted)
}

/// The key of a map field; keys are always texts in a file.
pub(super) fn key(kind: &prost_reflect::Kind, text: &str) -> Result<MapKey, String> {
    use prost_reflect::Kind;
    let number = || Value::Text(text.to_owned());
    let key = match kind {
        Kind::String => Some(MapKey::String(text.to_owned())),
        Kind::Bool => match text {
            "true" => Some(MapKey::Bool(true)),
            "false" => Some(MapKey::Bool(false)),
            _ => return Err("true or false as the key".to_owned()),
        },
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => int32(&number())?.as_i32().map(MapKey::I32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => int64(&number())?.as_i64().map(MapKey::I64),
        Kind::Uint32 | Kind::Fixed32 => uint32(&number())?.as_u32().map(MapKey::U32),
        Kind::Uint64 | Kind::Fixed64 => uint64(&number())?.as_u64().map(MapKey::U64),
        _ => None,
    };
    key.ok_or_else(|| "a key that protobuf allows".to_owned())
}

/// A number without a fraction: written as such, as `1e3`, or in quotes.
fn whole(value: &Value, least: i128, most: i128) -> Result<i128, String> {
    let number = match value {
        Value::Signed(number) => Some(i128::from(*number)),
        Value::Unsigned(number) => Some(i128::from(*number)),
        Value::Float(number) => whole_float(*number),
        Value::Text(text) => {
            text.parse().ok().or_else(|| text.parse().ok().filter(|_| !text.is_empty()).and_then(whole_float))
        }
        _ => None,
    };
    number
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("a whole number from {least} to {most}"))
}

fn whole_float(number: f64) -> Option<i128> {
    // Every f64 of this size without a fraction is an exact i128.
    #[expect(clippy::cast_possible_truncation, reason = "the bound is far inside i128")]
    let whole = (number.fract() == 0.0 && number.abs() < 1e30).then_some(number as i128);
    whole
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a floating point field holds the nearest value of what was written"
)]
fn real(value: &Value) -> Result<f64, String> {
    let number = match value {
        Value::Signed(number) => Some(*number as f64),
        Value::Unsigned(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            // Rust also parses `inf` and `nan`, which the mapping does not know.
            text => text.parse().ok().filter(|number: &f64| number.is_finite()),
        },
        _ => None,
    };
    number.ok_or_else(|| "a number".to_owned())
}
