//! One change of one resource, as watchers see it and as the history keeps it.
//!
//! One rule: an event carries the whole resource, so that a watcher needs nothing else.

use serde_json::{Value, json};

use crate::resource::document::Metadata;
use crate::resource::object::Object;

/// What happened to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It is different.
    Modified,
    /// It is gone; the event carries what it was.
    Deleted,
}

impl Change {
    /// As watches spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Added, Self::Modified, Self::Deleted].into_iter().find(|c| c.name() == name)
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The revision that the change made.
    pub revision: u64,
    /// What happened.
    pub change: Change,
    /// The resource.
    pub object: Object,
}

impl Event {
    /// As the history keeps it.
    pub fn encode(&self) -> Vec<u8> {
        json!({"type": self.change.name(), "object": self.object.to_json()}).to_string().into_bytes()
    }

    /// Reads what `encode` wrote at `revision`.
    pub fn decode(revision: u64, bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        let change = value["type"].as_str().and_then(Change::from_name).ok_or("an event has no type")?;
        let object = object_of(&value["object"])?;
        Ok(Self { revision, change, object })
    }

    /// Reads a stored resource.
    pub fn read_object(bytes: &[u8]) -> Result<Object, String> {
        let value: Value = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        object_of(&value)
    }
}

/// A stored document keeps the status, which a document from a client loses.
fn object_of(document: &Value) -> Result<Object, String> {
    let object = Object::parse(document).map_err(|e| e.to_string())?;
    let metadata: Metadata = object.metadata().clone();
    Ok(object.with(metadata, document.get("status").cloned()))
}
