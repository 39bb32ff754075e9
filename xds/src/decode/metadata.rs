//! Metadata, structs and values. Typed metadata is skipped: only extensions read it, and none here does.

use std::collections::{BTreeMap, HashMap};

use envoy_types::pb::envoy::config::core::v3 as pb;
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{Struct, Value as PbValue};
use prost::Message;

use super::path::{Invalid, Path};
use crate::model::{Metadata, Value};

/// Metadata of a resource.
pub(super) fn metadata(path: &Path<'_>, metadata: &Option<pb::Metadata>) -> Result<Metadata, Invalid> {
    let Some(pb::Metadata { filter_metadata, typed_filter_metadata: _ }) = metadata else {
        return Ok(Metadata::default());
    };
    let fields = path.field("filter_metadata");
    let entries =
        filter_metadata.iter().map(|(key, value)| Ok((key.clone(), object(&fields.key(key), value)?)));
    entries.collect::<Result<_, Invalid>>().map(Metadata)
}

/// A struct.
pub(super) fn object(path: &Path<'_>, object: &Struct) -> Result<BTreeMap<String, Value>, Invalid> {
    let Struct { fields } = object;
    members(path, fields)
}

fn members(path: &Path<'_>, fields: &HashMap<String, PbValue>) -> Result<BTreeMap<String, Value>, Invalid> {
    fields.iter().map(|(key, member)| Ok((key.clone(), value(&path.inside().key(key), member)?))).collect()
}

/// The value that `bytes` encode, if they do.
#[must_use]
pub fn encoded(bytes: &[u8]) -> Option<Value> {
    let found = PbValue::decode(bytes).ok()?;
    found.kind.as_ref()?;
    value(&Path::ROOT, &found).ok()
}

/// A value.
fn value(path: &Path<'_>, value: &PbValue) -> Result<Value, Invalid> {
    let PbValue { kind } = value;
    Ok(match kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::NumberValue(number)) if number.is_finite() => Value::Number(*number),
        Some(Kind::NumberValue(number)) => return path.refuse(format!("{number} is not a JSON number")),
        Some(Kind::StringValue(text)) => Value::String(text.clone()),
        Some(Kind::BoolValue(truth)) => Value::Bool(*truth),
        Some(Kind::StructValue(inner)) => Value::Struct(object(path, inner)?),
        Some(Kind::ListValue(list)) => Value::List(path.inside().each(&list.values, self::value)?),
    })
}
