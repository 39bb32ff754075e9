//! Metadata, structs and values.

use std::collections::BTreeMap;

use envoy_types::pb::envoy::config::core::v3 as pb;
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{ListValue, Struct, Value as PbValue};

use crate::model::{Metadata, Value};

pub(super) fn metadata(metadata: &Metadata) -> Option<pb::Metadata> {
    let Metadata(filters) = metadata;
    if filters.is_empty() {
        return None;
    }
    let filter_metadata = filters.iter().map(|(name, fields)| (name.clone(), object(fields))).collect();
    Some(pb::Metadata { filter_metadata, ..Default::default() })
}

pub(super) fn object(fields: &BTreeMap<String, Value>) -> Struct {
    Struct { fields: fields.iter().map(|(key, member)| (key.clone(), value(member))).collect() }
}

pub(super) fn value(value: &Value) -> PbValue {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Number(number) => Kind::NumberValue(*number),
        Value::String(text) => Kind::StringValue(text.clone()),
        Value::Bool(truth) => Kind::BoolValue(*truth),
        Value::Struct(fields) => Kind::StructValue(object(fields)),
        Value::List(items) => Kind::ListValue(ListValue { values: items.iter().map(self::value).collect() }),
    };
    PbValue { kind: Some(kind) }
}
