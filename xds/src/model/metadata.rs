//! Metadata on resources (`envoy.config.core.v3.Metadata`): filter name to a struct.

use std::collections::BTreeMap;

/// Metadata by filter name, e.g. `envoy.lb` or `envoy.transport_socket_match`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata(pub BTreeMap<String, BTreeMap<String, Value>>);

/// A `google.protobuf.Value`.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Null.
    Null,
    /// A number.
    Number(f64),
    /// A text.
    String(String),
    /// A truth value.
    Bool(bool),
    /// An object.
    Struct(BTreeMap<String, Value>),
    /// A list.
    List(Vec<Value>),
}

impl Metadata {
    /// The fields under one filter's name.
    #[must_use]
    pub fn of(&self, filter: &str) -> Option<&BTreeMap<String, Value>> {
        self.0.get(filter)
    }
}
