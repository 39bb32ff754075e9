//! Dynamic metadata that is the same for every request (`envoy.extensions.filters.http.set_metadata.v3`).

use std::collections::BTreeMap;

use crate::model::Value;

/// What is put into a request's dynamic metadata, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SetMetadata {
    /// The entries.
    pub entries: Vec<SetMetadataEntry>,
}

/// What is put into one namespace.
#[derive(Debug, Clone, PartialEq)]
pub struct SetMetadataEntry {
    /// Never empty.
    pub namespace: String,
    /// Whether it is merged into what is there, or, typed, replaces it; else what is there stays.
    pub allow_overwrite: bool,
    /// What it is.
    pub value: MetadataContent,
}

/// What stands in a namespace.
#[derive(Debug, Clone, PartialEq)]
pub enum MetadataContent {
    /// Members.
    Fields(BTreeMap<String, Value>),
    /// A message that only extensions that know its type can read, and none here does.
    Typed {
        /// The message's type.
        type_url: String,
        /// The message, encoded.
        bytes: Vec<u8>,
    },
}
