//! One resource as a document: `apiVersion`, `kind`, `metadata`, `spec`, `status`.
//!
//! One rule: `metadata.resourceVersion`, `generation`, `creationTimestamp` and `status` are written
//! by the store only; what a client sends in `status` is dropped, as Kubernetes does.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields;
use super::invalid::Invalid;
use super::kind::{Kind, ObjectRef};

/// What every resource says about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Metadata {
    /// The resource's name, unique within its kind.
    pub name: String,
    /// Only `default` is accepted: there are no namespaces here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The operator's own marks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The operator's own notes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The revision of the store at which this resource last changed. Sent with an apply, the
    /// apply is refused unless it is still that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
    /// How often `spec` has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// When the resource was created (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
}

/// One resource whose `spec` is an `S`.
#[derive(Clone, Debug, PartialEq)]
pub struct Document<S> {
    /// Who it is.
    pub metadata: Metadata,
    /// What is wanted.
    pub spec: S,
    /// What is: written by the control API.
    pub status: Option<Value>,
}

/// The `spec` of one kind.
pub trait Spec: Clone + PartialEq + Serialize + DeserializeOwned + JsonSchema + 'static {
    /// The kind that it is the spec of.
    const KIND: Kind;

    /// Checks everything that can be checked without other resources; paths start at `spec`.
    fn check(&self, name: &str) -> Result<(), Invalid>;
}

impl<S: Spec> Document<S> {
    /// Reads and checks a document of this kind.
    pub fn parse(document: &Map<String, Value>) -> Result<Self, Invalid> {
        for key in document.keys() {
            if !["apiVersion", "kind", "metadata", "spec", "status"].contains(&key.as_str()) {
                return Err(Invalid::new(
                    key.clone(),
                    "unknown field: accepted are apiVersion, kind, metadata, spec and status",
                ));
            }
        }
        let metadata: Metadata = part(document, "metadata")?;
        let spec: S = part(document, "spec")?;
        let written = serde_json::to_value(&spec)
            .map_err(|e| Invalid::new("spec", format!("cannot be written back: {e}")))?;
        if let Some(path) = unread_field(&document["spec"], &written) {
            let message = match fields::accepted::<S>(&path) {
                none if none.is_empty() => "unknown field".to_owned(),
                names => format!("unknown field: accepted are {names}"),
            };
            return Err(Invalid::new(format!("spec{path}"), message));
        }
        let document = Self { metadata, spec, status: None };
        document.check()?;
        Ok(document)
    }

    /// This resource's kind and name.
    pub fn object_ref(&self) -> ObjectRef {
        ObjectRef::new(S::KIND, self.metadata.name.clone())
    }

    /// The document as it is sent and stored.
    pub fn to_json(&self) -> Value {
        let mut document = Map::new();
        document.insert("apiVersion".into(), S::KIND.api_version().into());
        document.insert("kind".into(), S::KIND.name().into());
        document.insert("metadata".into(), encode(&self.metadata));
        document.insert("spec".into(), encode(&self.spec));
        if let Some(status) = &self.status {
            document.insert("status".into(), status.clone());
        }
        Value::Object(document)
    }

    fn check(&self) -> Result<(), Invalid> {
        match self.metadata.namespace.as_deref() {
            None | Some("default") => {}
            Some(other) => {
                return Err(Invalid::new(
                    "metadata.namespace",
                    format!("{other:?}: there are no namespaces; leave it out"),
                ));
            }
        }
        self.spec.check(&self.metadata.name)
    }
}

fn encode(part: &impl Serialize) -> Value {
    serde_json::to_value(part).expect("documents hold only string keys and finite numbers")
}

/// Deserializes one part of a document; the error names the field.
fn part<T: DeserializeOwned>(document: &Map<String, Value>, key: &str) -> Result<T, Invalid> {
    let value = document.get(key).ok_or_else(|| Invalid::new(key, "missing"))?;
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = match error.path().to_string() {
            path if path == "." => key.to_string(),
            path => format!("{key}.{path}"),
        };
        Invalid::new(path, accepted(&error.inner().to_string()))
    })
}

/// A type's refusal in the words of who writes documents, not of who writes Rust.
fn accepted(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let words = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "u64" | "i64" | "usize" => "a whole number",
        "a sequence" => "a list",
        "a map" => "a mapping",
        "a boolean" => "true or false",
        "a string" => "a text",
        named if named.starts_with("struct ") => "a mapping",
        other => other,
    };
    format!("{found}: accepted is {words}")
}

/// The path of a field that was sent but is not in what was understood. The Gateway API's types
/// skip fields that they do not know; this finds them. `null` says the same as absent.
fn unread_field(sent: &Value, understood: &Value) -> Option<String> {
    match (sent, understood) {
        (Value::Object(sent), Value::Object(understood)) => sent
            .iter()
            .filter(|(_, value)| !value.is_null())
            .find_map(|(key, value)| match understood.get(key) {
                None => Some(format!(".{key}")),
                Some(inner) => unread_field(value, inner).map(|p| format!(".{key}{p}")),
            }),
        (Value::Array(sent), Value::Array(understood)) => sent
            .iter()
            .zip(understood)
            .enumerate()
            .find_map(|(i, (s, u))| unread_field(s, u).map(|p| format!("[{i}]{p}"))),
        _ => None,
    }
}
