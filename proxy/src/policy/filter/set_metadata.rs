//! Dynamic metadata that is the same for every request (`envoy.filters.http.set_metadata`).

use xds::model::{self, MetadataContent, SetMetadataEntry};

use crate::observe::attributes::Attributes;

/// The filter in a chain.
#[derive(Debug)]
pub struct SetMetadata(Vec<SetMetadataEntry>);

impl SetMetadata {
    /// Takes `model` over, but for typed entries: only extensions read them, and there is none here.
    #[must_use]
    pub fn new(model: &model::SetMetadata) -> Self {
        let model::SetMetadata { entries } = model;
        let untyped = |entry: &&SetMetadataEntry| matches!(entry.value, MetadataContent::Fields(_));
        Self(entries.iter().filter(untyped).cloned().collect())
    }

    /// Notes the entries about a request.
    pub fn note(&self, attributes: &mut Attributes) {
        for SetMetadataEntry { namespace, allow_overwrite, value } in &self.0 {
            let MetadataContent::Fields(fields) = value else { continue };
            if *allow_overwrite || attributes.metadata().of(namespace).is_none() {
                attributes.metadata_mut().merge(namespace, fields);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use xds::model::{Metadata, Value};

    use super::*;

    fn entry(key: &str, allow_overwrite: bool) -> SetMetadataEntry {
        let fields = [(key.to_owned(), Value::Bool(true))].into();
        let value = MetadataContent::Fields(fields);
        SetMetadataEntry { namespace: "n".to_owned(), allow_overwrite, value }
    }

    fn noted(entries: Vec<SetMetadataEntry>) -> Metadata {
        let mut attributes = Attributes::default();
        SetMetadata::new(&model::SetMetadata { entries }).note(&mut attributes);
        attributes.metadata().clone()
    }

    #[test]
    fn a_namespace_that_is_there_is_written_to_only_where_that_is_allowed() {
        let keys = |metadata: Metadata| -> Vec<String> {
            metadata.of("n").map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
        };
        assert_eq!(keys(noted(vec![entry("a", false), entry("b", false)])), ["a"]);
        assert_eq!(keys(noted(vec![entry("a", false), entry("b", true)])), ["a", "b"]);
    }

    #[test]
    fn a_typed_entry_leaves_the_namespace_to_others() {
        let value = MetadataContent::Typed { type_url: "t".to_owned(), bytes: Vec::new() };
        let typed = SetMetadataEntry { value, ..entry("", false) };
        assert_eq!(noted(vec![typed.clone()]), Metadata::default());
        assert!(noted(vec![typed, entry("a", false)]).of("n").is_some());
    }
}
