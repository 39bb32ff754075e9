//! Runtime layers and values.

use std::collections::BTreeMap;

use super::choices::Choices;
use super::common;
use crate::model::{RuntimeLayer, RuntimeSource, RuntimeValues, Value};

/// Layers of which one at most is the admin server's.
pub(super) fn layers(from: &mut Choices<'_>) -> Vec<RuntimeLayer> {
    let mut layers = from.list(3, |from| RuntimeLayer {
        name: from.name(),
        source: if from.flag() {
            RuntimeSource::Static(entries(from))
        } else {
            RuntimeSource::Rtds { resource: from.name(), source: common::config_source(from) }
        },
    });
    layers.extend(from.maybe(|from| RuntimeLayer { name: from.name(), source: RuntimeSource::Admin }));
    layers
}

pub(super) fn values(from: &mut Choices<'_>) -> RuntimeValues {
    RuntimeValues { name: from.name(), values: entries(from) }
}

fn entries(from: &mut Choices<'_>) -> BTreeMap<String, Value> {
    allowed(common::object(from, 2))
}

/// What a runtime can hold of an object.
fn allowed(object: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let entries = object.into_iter().filter_map(|(key, value)| match value {
        Value::Null | Value::List(_) => None,
        Value::Struct(inner) => Some((key, Value::Struct(allowed(inner)))),
        other => Some((key, other)),
    });
    entries.collect()
}
