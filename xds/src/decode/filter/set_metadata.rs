//! Dynamic metadata that is the same for every request (`envoy.extensions.filters.http.set_metadata.v3`).

use envoy_types::pb::envoy::extensions::filters::http::set_metadata::v3 as pb;
use envoy_types::pb::google::protobuf::Any;

use super::super::metadata;
use super::super::path::{Invalid, Path};
use crate::model::{MetadataContent, SetMetadata, SetMetadataEntry};

/// The filter in a chain.
pub(super) fn filter(path: &Path<'_>, filter: &pb::Config) -> Result<SetMetadata, Invalid> {
    let pb::Config { metadata_namespace, value, metadata } = filter;
    let first = match value {
        None if metadata_namespace.is_empty() => None,
        None => return path.field("value").refuse("is required beside metadata_namespace"),
        // The older form merges, as in Envoy.
        Some(value) => Some(SetMetadataEntry {
            namespace: path.field("metadata_namespace").non_empty(metadata_namespace)?,
            allow_overwrite: true,
            value: MetadataContent::Fields(metadata::object(&path.field("value"), value)?),
        }),
    };
    let more = path.field("metadata").each(metadata, entry)?;
    Ok(SetMetadata { entries: first.into_iter().chain(more).collect() })
}

fn entry(path: &Path<'_>, entry: &pb::Metadata) -> Result<SetMetadataEntry, Invalid> {
    let pb::Metadata { metadata_namespace, allow_overwrite, value, typed_value } = entry;
    let content = match (value, typed_value) {
        (Some(value), None) => MetadataContent::Fields(metadata::object(&path.field("value"), value)?),
        (None, Some(Any { type_url, value })) => MetadataContent::Typed {
            type_url: path.field("typed_value").field("type_url").non_empty(type_url)?,
            bytes: value.clone(),
        },
        (Some(_), Some(_)) => return path.refuse("has both value and typed_value; keep one"),
        (None, None) => return path.refuse("is empty; accepted: value, typed_value"),
    };
    Ok(SetMetadataEntry {
        namespace: path.field("metadata_namespace").non_empty(metadata_namespace)?,
        allow_overwrite: *allow_overwrite,
        value: content,
    })
}
