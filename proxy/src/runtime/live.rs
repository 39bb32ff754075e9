//! Where the current values stand, and how they are changed.
//!
//! One rule: a request takes the snapshot once and waits for nobody; only writers wait, for each other.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use xds::model::{RuntimeLayer, RuntimeSource, RuntimeValues, Value};

use super::entry::Entry;
use super::snapshot::{LayerValues, RuntimeSnapshot};
use crate::limits;

/// The values in use; the default has no layer, and can be given none.
#[derive(Debug, Default)]
pub struct LiveRuntime {
    current: ArcSwap<RuntimeSnapshot>,
    /// Counts changes.
    generation: AtomicU64,
    layers: Mutex<Vec<Layer>>,
}

#[derive(Debug)]
struct Layer {
    kind: Kind,
    values: LayerValues,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Static,
    Admin,
    /// The resource's name.
    Rtds(String),
}

/// Why values cannot be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModifyError {
    /// The configuration has no layer for them.
    NoAdminLayer,
    /// A value is not YAML.
    Malformed(String),
    /// There would be more keys than a layer may have.
    TooMany,
}

impl fmt::Display for ModifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Envoy's words.
            Self::NoAdminLayer => f.write_str("No admin layer specified"),
            Self::Malformed(why) => f.write_str(why),
            Self::TooMany => {
                write!(f, "more than {} keys; none was changed", limits::RUNTIME_ADMIN_KEYS_MAX)
            }
        }
    }
}

impl std::error::Error for ModifyError {}

impl LiveRuntime {
    /// The layers of a bootstrap; those that are fetched are empty.
    #[must_use]
    pub fn new(layers: &[RuntimeLayer]) -> Self {
        let layers = layers.iter().map(|RuntimeLayer { name, source }| {
            let (kind, values) = match source {
                RuntimeSource::Static(values) => (Kind::Static, LayerValues::new(name, values)),
                RuntimeSource::Admin => (Kind::Admin, LayerValues::new(name, &BTreeMap::new())),
                RuntimeSource::Rtds { resource, source: _ } => {
                    (Kind::Rtds(resource.clone()), LayerValues::new(name, &BTreeMap::new()))
                }
            };
            Layer { kind, values }
        });
        let live = Self { layers: Mutex::new(layers.collect()), ..Self::default() };
        live.change(|_| ());
        live
    }

    /// The values now.
    #[must_use]
    pub fn load(&self) -> Arc<RuntimeSnapshot> {
        self.current.load_full()
    }

    /// A number that is another one whenever the values are; cheaper to ask for than they are.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Sets keys of the admin layer; an empty text takes a key out. All of `changes` are made, or none.
    ///
    /// # Errors
    /// Why they cannot be made.
    pub fn modify(&self, changes: &BTreeMap<String, String>) -> Result<(), ModifyError> {
        let read = changes.iter().map(|(key, text)| Ok((key, read(text)?)));
        let read: Vec<_> = read.collect::<Result<_, ModifyError>>()?;
        self.change(|layers| {
            let layer = layers.iter_mut().find(|layer| layer.kind == Kind::Admin);
            let entries = &mut layer.ok_or(ModifyError::NoAdminLayer)?.values.entries;
            let mut next = entries.clone();
            for (key, entry) in read {
                match entry {
                    Some(entry) => next.insert(key.clone(), entry),
                    None => next.remove(key),
                };
            }
            if next.len() > limits::RUNTIME_ADMIN_KEYS_MAX {
                return Err(ModifyError::TooMany);
            }
            *entries = next;
            Ok(())
        })
    }

    /// Takes in what a control plane sent; tells whether a layer wants it.
    pub fn set_fetched(&self, values: &RuntimeValues) -> bool {
        let RuntimeValues { name, values } = values;
        self.change(|layers| {
            let mut wanted = false;
            for layer in layers.iter_mut().filter(|layer| layer.kind == Kind::Rtds(name.clone())) {
                layer.values = LayerValues::new(&layer.values.name, values);
                wanted = true;
            }
            wanted
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Layer>) -> T) -> T {
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = change(&mut layers);
        let values = layers.iter().map(|layer| layer.values.clone()).collect();
        self.current.store(Arc::new(RuntimeSnapshot::new(values)));
        // Only now: who sees the new number also sees the new values.
        self.generation.fetch_add(1, Ordering::Release);
        outcome
    }
}

/// A text as YAML; `None` for an empty one.
fn read(text: &str) -> Result<Option<Entry>, ModifyError> {
    if text.is_empty() {
        return Ok(None);
    }
    let documents =
        xds::file::plain_documents(text).map_err(|error| ModifyError::Malformed(error.to_string()))?;
    let value = match <[_; 1]>::try_from(documents) {
        Ok([document]) => value(&document.value),
        Err(_) => Value::Null,
    };
    Ok(Some(Entry::shown(text.to_owned(), &value)))
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(truth) => Value::Bool(*truth),
        serde_json::Value::Number(number) => number.as_f64().map_or(Value::Null, Value::Number),
        serde_json::Value::String(text) => Value::String(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(value).collect()),
        serde_json::Value::Object(fields) => {
            Value::Struct(fields.iter().map(|(key, field)| (key.clone(), value(field))).collect())
        }
    }
}
