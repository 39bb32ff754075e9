//! Dynamic metadata that is the same for every request.

use envoy_types::pb::envoy::extensions::filters::http::set_metadata::v3 as pb;
use envoy_types::pb::google::protobuf::Any;

use super::super::metadata;
use crate::model::{MetadataContent, SetMetadata, SetMetadataEntry};

pub(super) fn filter(filter: &SetMetadata) -> pb::Config {
    let SetMetadata { entries } = filter;
    pb::Config { metadata: entries.iter().map(entry).collect(), ..Default::default() }
}

fn entry(entry: &SetMetadataEntry) -> pb::Metadata {
    let SetMetadataEntry { namespace, allow_overwrite, value } = entry;
    let (value, typed_value) = match value {
        MetadataContent::Fields(fields) => (Some(metadata::object(fields)), None),
        MetadataContent::Typed { type_url, bytes } => {
            (None, Some(Any { type_url: type_url.clone(), value: bytes.clone() }))
        }
    };
    pb::Metadata {
        metadata_namespace: namespace.clone(),
        allow_overwrite: *allow_overwrite,
        value,
        typed_value,
    }
}
