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

    /// The value that `path` leads to under `namespace`; an empty path leads nowhere, as in Envoy.
    #[must_use]
    pub fn value(&self, namespace: &str, path: &[String]) -> Option<&Value> {
        let (last, inner) = path.split_last()?;
        let mut fields = self.of(namespace)?;
        for name in inner {
            let Value::Struct(next) = fields.get(name)? else { return None };
            fields = next;
        }
        fields.get(last)
    }

    /// Puts `fields` into a namespace; a member that is there already is replaced.
    pub fn put(&mut self, namespace: &str, fields: BTreeMap<String, Value>) {
        match self.0.get_mut(namespace) {
            Some(there) => there.extend(fields),
            None => {
                self.0.insert(namespace.to_owned(), fields);
            }
        }
    }

    /// Merges `fields` into a namespace: objects member by member, lists end to end, anything else is replaced.
    pub fn merge(&mut self, namespace: &str, fields: &BTreeMap<String, Value>) {
        match self.0.get_mut(namespace) {
            Some(there) => merge(there, fields),
            None => {
                self.0.insert(namespace.to_owned(), fields.clone());
            }
        }
    }
}

/// Where a value stands in metadata (`envoy.type.metadata.v3.MetadataKey`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataKey {
    /// The namespace.
    pub namespace: String,
    /// The members to walk down; an empty path is the whole namespace.
    pub path: Vec<String>,
}

fn merge(there: &mut BTreeMap<String, Value>, fields: &BTreeMap<String, Value>) {
    for (name, value) in fields {
        match (there.get_mut(name), value) {
            (Some(Value::Struct(there)), Value::Struct(new)) => merge(there, new),
            (Some(Value::List(there)), Value::List(new)) => there.extend(new.iter().cloned()),
            _ => {
                there.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::String(text.to_owned())
    }

    fn object<const N: usize>(members: [(&str, Value); N]) -> BTreeMap<String, Value> {
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    #[test]
    fn a_path_leads_to_members_of_objects_only() {
        let inner = object([("b", text("x"))]);
        let metadata =
            Metadata([("n".to_owned(), object([("a", Value::Struct(inner)), ("c", text("y"))]))].into());
        let at = |namespace: &str, path: &[&str]| {
            let path: Vec<String> = path.iter().map(|&name| name.to_owned()).collect();
            metadata.value(namespace, &path).cloned()
        };
        assert_eq!(at("n", &["a", "b"]), Some(text("x")));
        assert_eq!(at("n", &["c"]), Some(text("y")));
        assert_eq!(at("n", &["c", "b"]), None);
        assert_eq!(at("n", &[]), None);
        assert_eq!(at("m", &["c"]), None);
    }

    #[test]
    fn merging_joins_objects_and_lists_and_replaces_the_rest() {
        let mut metadata = Metadata::default();
        let tags = |name: &str| Value::Struct(object([(name, Value::Number(1.0))]));
        metadata
            .merge("n", &object([("l", Value::List(vec![text("a")])), ("t", tags("x")), ("k", text("1"))]));
        metadata
            .merge("n", &object([("l", Value::List(vec![text("b")])), ("t", tags("y")), ("k", Value::Null)]));
        let both = Value::Struct(object([("x", Value::Number(1.0)), ("y", Value::Number(1.0))]));
        let list = Value::List(vec![text("a"), text("b")]);
        assert_eq!(metadata.of("n"), Some(&object([("l", list), ("t", both), ("k", Value::Null)])));
    }

    #[test]
    fn putting_replaces_members_whole() {
        let mut metadata = Metadata::default();
        metadata.put("n", object([("l", Value::List(vec![text("a")])), ("k", text("1"))]));
        metadata.put("n", object([("l", Value::List(vec![text("b")]))]));
        assert_eq!(metadata.of("n"), Some(&object([("l", Value::List(vec![text("b")])), ("k", text("1"))])));
    }
}
