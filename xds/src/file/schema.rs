//! Reads and shows many messages with descriptors that are loaded once.
//!
//! The one rule: nobody keeps a [`Schema`] longer than the reading or showing it was loaded for; loaded it costs
//! about 14 MB, which a proxy at work has better uses for.

use envoy_types::pb::google::protobuf::Any;
use prost::{Message, bytes::Bytes};
use prost_reflect::{DynamicMessage, MessageDescriptor};

use super::catalog::Catalog;
use super::error::{FileError, Position};
use super::read::Reader;
use super::write;
use super::yaml::{self, Node, Value};

/// The full name of the message that Envoy's filesystem xDS files hold.
const DISCOVERY_RESPONSE: &str = "envoy.service.discovery.v3.DiscoveryResponse";

/// Knows the fields of every message of the Envoy API that a file may hold.
#[derive(Debug)]
pub struct Schema {
    catalog: Catalog,
}

/// What a file of resources holds, in its order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FileResources {
    /// The `version_info` of a discovery response; empty for a plain list.
    pub version: String,
    /// The resources, each packed with its type.
    pub resources: Vec<Any>,
}

impl Schema {
    /// Loads the descriptors; drop the value as soon as the work is done.
    pub fn load() -> Self {
        Self { catalog: Catalog::load() }
    }

    /// Reads one YAML or JSON document as the message with this full name, which must be the name of `M`.
    pub fn read<M: Message + Default>(&self, full_name: &str, text: &str) -> Result<M, FileError> {
        let node = yaml::document(text)?;
        self.read_node(full_name, &node)
    }

    /// Reads resources: a discovery response (`resources: […]`), one message with `@type`, a list of these, or
    /// several such documents in one text.
    pub fn read_resources(&self, text: &str) -> Result<FileResources, FileError> {
        let mut all = FileResources::default();
        for document in &yaml::documents(text)? {
            self.collect_resources(document, &mut all)?;
        }
        Ok(all)
    }

    /// The message as JSON, with the field names of the `.proto` files (as Envoy's `config_dump` shows them).
    ///
    /// An `Any` of a type that is not known here, or whose bytes are damaged, becomes `{"@type": …, "value": <base64>}`.
    pub fn to_json<M: Message>(&self, full_name: &str, message: &M) -> Result<serde_json::Value, FileError> {
        let descriptor = self.named(full_name)?;
        let dynamic = DynamicMessage::decode(descriptor, Bytes::from(message.encode_to_vec()))
            .map_err(|error| nowhere(format!("this message is no {full_name}: {error}")))?;
        write::message(&self.catalog, &dynamic)
    }

    /// The message in an `Any` as JSON, with its `@type`.
    pub fn any_to_json(&self, any: &Any) -> Result<serde_json::Value, FileError> {
        write::any(&self.catalog, &any.type_url, &any.value)
    }

    /// The descriptors, for tests that want every message there is.
    #[cfg(test)]
    pub(super) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn named(&self, full_name: &str) -> Result<MessageDescriptor, FileError> {
        self.catalog
            .message(full_name)
            .ok_or_else(|| nowhere(format!("no message named {full_name} can stand in a file")))
    }

    fn read_node<M: Message + Default>(&self, full_name: &str, node: &Node) -> Result<M, FileError> {
        let descriptor = self.named(full_name)?;
        let dynamic = Reader::new(&self.catalog).top(&descriptor, node)?;
        M::decode(dynamic.encode_to_vec().as_slice())
            .map_err(|error| FileError::syntax(node.at, format!("cannot be held as {full_name}: {error}")))
    }

    fn collect_resources(&self, node: &Node, all: &mut FileResources) -> Result<(), FileError> {
        match &node.value {
            Value::List(items) => items.iter().try_for_each(|item| self.collect_resources(item, all)),
            Value::Map(entries) if entries.iter().any(|(key, _)| key == "@type") => {
                all.resources.push(self.read_node("google.protobuf.Any", node)?);
                Ok(())
            }
            Value::Map(_) => {
                let response: envoy_types::pb::envoy::service::discovery::v3::DiscoveryResponse =
                    self.read_node(DISCOVERY_RESPONSE, node)?;
                all.version = response.version_info;
                all.resources.extend(response.resources);
                Ok(())
            }
            other => Err(FileError::syntax(
                node.at,
                format!(
                    "expected a list of resources or a mapping with `resources` or `@type`, found {}",
                    other.kind()
                ),
            )),
        }
    }
}

fn nowhere(reason: String) -> FileError {
    FileError::syntax(Position::default(), reason)
}
