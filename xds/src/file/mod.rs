//! Configuration files: YAML or JSON to protobuf and back, by the proto3 JSON mapping.
//!
//! Reading is done by our own walk over the descriptors rather than by a serde library, because a person gets
//! to see what comes out: every refusal names the place in the text, the path of the field, what was found and
//! what is accepted. The one rule: a key that no field answers to is refused, never skipped.
//!
//! The free functions load the descriptors, work, and drop them; who reads or shows many messages in a row
//! loads one [`Schema`] for all of them.

mod catalog;
mod error;
mod limits;
mod path;
mod plain;
mod read;
mod scalar;
mod schema;
mod write;
mod yaml;

#[cfg(test)]
mod tests;

use envoy_types::pb::envoy::config::bootstrap::v3::Bootstrap;
use envoy_types::pb::google::protobuf::Any;
use prost::Message;

pub use error::FileError;
pub use plain::PlainDocument;
pub use schema::{FileResources, Schema};

/// Reads an Envoy bootstrap in YAML or JSON.
pub fn bootstrap_from_yaml(text: &str) -> Result<Bootstrap, FileError> {
    message_from_yaml("envoy.config.bootstrap.v3.Bootstrap", text)
}

/// Reads one message in YAML or JSON; `full_name` is the protobuf name of `M`, such as
/// `envoy.config.cluster.v3.Cluster`.
pub fn message_from_yaml<M: Message + Default>(full_name: &str, text: &str) -> Result<M, FileError> {
    Schema::load().read(full_name, text)
}

/// Reads a file of resources; see [`Schema::read_resources`] for the accepted forms.
pub fn resources_from_yaml(text: &str) -> Result<FileResources, FileError> {
    Schema::load().read_resources(text)
}

/// All documents of a YAML or JSON text as they are, for those that are no protobuf messages.
pub fn plain_documents(text: &str) -> Result<Vec<PlainDocument>, FileError> {
    plain::documents(text)
}

/// The message as JSON with the field names of the `.proto` files; `full_name` is the protobuf name of `M`.
pub fn to_json<M: Message>(full_name: &str, message: &M) -> Result<serde_json::Value, FileError> {
    Schema::load().to_json(full_name, message)
}

/// The message in an `Any` as JSON, with its `@type`.
pub fn any_to_json(any: &Any) -> Result<serde_json::Value, FileError> {
    Schema::load().any_to_json(any)
}
