//! The values of one moment.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use xds::model::{Fraction, RuntimeFraction, RuntimeSwitch, RuntimeUInt32, Value};

use super::entry::{Entry, is_fraction};

/// The values of one moment; the default has none.
#[derive(Debug, Clone, Default)]
pub struct RuntimeSnapshot {
    /// What the last layer that has the key says.
    values: HashMap<Box<str>, Entry, RandomState>,
    layers: Vec<LayerValues>,
}

/// A layer's values of one moment.
#[derive(Debug, Clone)]
pub struct LayerValues {
    /// The layer's name.
    pub name: Arc<str>,
    pub(super) entries: BTreeMap<String, Entry>,
}

impl LayerValues {
    /// What the layer says of a key, as text; `None` if nothing.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(|entry| entry.text.as_str())
    }

    /// A layer of values, in which objects are folders.
    pub(super) fn new(name: &str, values: &BTreeMap<String, Value>) -> Self {
        let mut entries = BTreeMap::new();
        flatten("", values, &mut entries);
        Self { name: name.into(), entries }
    }
}

fn flatten(folder: &str, values: &BTreeMap<String, Value>, entries: &mut BTreeMap<String, Entry>) {
    for (key, value) in values {
        let key = if folder.is_empty() { key.clone() } else { format!("{folder}.{key}") };
        match value {
            Value::Struct(inner) if !is_fraction(inner) => flatten(&key, inner, entries),
            value => {
                entries.insert(key, Entry::new(value));
            }
        }
    }
}

impl RuntimeSnapshot {
    /// The values of `layers`; the last one that has a key wins.
    pub(super) fn new(layers: Vec<LayerValues>) -> Self {
        let mut values: HashMap<Box<str>, Entry, RandomState> = HashMap::default();
        for layer in &layers {
            values.extend(layer.entries.iter().map(|(key, entry)| (key.as_str().into(), entry.clone())));
        }
        Self { values, layers }
    }

    /// Whether no key has a value: then all defaults stand.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The layers, first to last.
    #[must_use]
    pub fn layers(&self) -> &[LayerValues] {
        &self.layers
    }

    /// The keys, in order, with what they say.
    #[must_use]
    pub fn texts(&self) -> BTreeMap<&str, &str> {
        self.values.iter().map(|(key, entry)| (&**key, entry.text.as_str())).collect()
    }

    /// The number that `key` has; `default` where it has none.
    #[must_use]
    pub fn integer(&self, key: &str, default: u64) -> u64 {
        self.entry(key).and_then(|entry| entry.integer).unwrap_or(default)
    }

    /// The number that stands for `value`.
    #[must_use]
    pub fn uint32(&self, value: &RuntimeUInt32) -> u64 {
        self.integer(&value.key, value.default.into())
    }

    /// Whether `switch` is on. A number that its key has is on unless it is zero.
    #[must_use]
    pub fn is_on(&self, switch: &RuntimeSwitch) -> bool {
        self.entry(&switch.key).and_then(|entry| entry.truth).unwrap_or(switch.default)
    }

    /// Whether a uniformly random number falls into a share. A number that `key` has is percent, and may be above
    /// 100: then all fall into it.
    #[must_use]
    pub fn is_in(&self, share: &RuntimeFraction, random: u64) -> bool {
        let set = self.entry(&share.key).and_then(|entry| match (entry.fraction, entry.integer) {
            (Some(fraction), _) => Some(fraction),
            (None, Some(percent)) => {
                Some(Fraction { numerator: u32::try_from(percent).unwrap_or(u32::MAX), denominator: 100 })
            }
            (None, None) => None,
        });
        set.unwrap_or(share.default).contains(random)
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        if self.values.is_empty() || key.is_empty() {
            return None;
        }
        self.values.get(key)
    }
}
