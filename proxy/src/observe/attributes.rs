//! What filters note about a request or a connection for those after them, for routes, formats and logs: dynamic
//! metadata, and objects under names.
//!
//! One rule: where nothing is noted, nothing is allocated.

use std::collections::BTreeMap;
use std::sync::Arc;

use xds::model::{FilterStateFactory, Metadata};

static NO_METADATA: Metadata = Metadata(BTreeMap::new());

/// What is noted.
#[derive(Debug, Clone, Default)]
pub struct Attributes(Option<Box<Noted>>);

#[derive(Debug, Clone, Default)]
struct Noted {
    metadata: Metadata,
    objects: BTreeMap<Arc<str>, Object>,
}

/// An object of the filter state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub factory: FilterStateFactory,
    /// What it was made of.
    pub text: Arc<str>,
    /// Whether it is the connection's.
    of_connection: bool,
}

impl Object {
    /// Its text, if it has a message of its own that shows it; none but texts have.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        match self.factory {
            FilterStateFactory::Text | FilterStateFactory::HashableText => Some(&self.text),
            FilterStateFactory::UpstreamServerName | FilterStateFactory::TcpCluster => None,
        }
    }
}

impl Attributes {
    /// Nothing.
    pub const NONE: Self = Self(None);

    /// The dynamic metadata.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        self.0.as_ref().map_or(&NO_METADATA, |noted| &noted.metadata)
    }

    /// The dynamic metadata, to be written to.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.0.get_or_insert_default().metadata
    }

    /// The object called `key`.
    #[must_use]
    pub fn object(&self, key: &str) -> Option<&Object> {
        self.0.as_ref()?.objects.get(key)
    }

    /// The text of the object that is called as Envoy calls `factory`'s, if it is one of those.
    #[must_use]
    pub fn text_of(&self, factory: FilterStateFactory) -> Option<&str> {
        self.object(factory.name()).filter(|object| object.factory == factory).map(|object| &*object.text)
    }

    /// The text to hash of the object called `key`, if it can be hashed.
    #[must_use]
    pub fn hashable(&self, key: &str) -> Option<&str> {
        let object = self.object(key)?;
        (object.factory == FilterStateFactory::HashableText).then_some(&object.text)
    }

    /// Keeps an object; what the connection has under the same name stays.
    pub fn keep(&mut self, key: &Arc<str>, factory: FilterStateFactory, text: &str) {
        if self.object(key).is_some_and(|object| object.of_connection) {
            return;
        }
        let object = Object { factory, text: text.into(), of_connection: false };
        self.0.get_or_insert_default().objects.insert(Arc::clone(key), object);
    }

    /// What a request on a connection with these begins with: its objects, and none of its metadata.
    #[must_use]
    pub fn for_request(&self) -> Self {
        let Some(noted) = &self.0 else { return Self::NONE };
        let inherit = |(key, object): (&Arc<str>, &Object)| {
            (Arc::clone(key), Object { of_connection: true, ..object.clone() })
        };
        let objects = noted.objects.iter().map(inherit).collect();
        Self(Some(Box::new(Noted { metadata: Metadata::default(), objects })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_cannot_replace_what_its_connection_has() {
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let mut connection = Attributes::default();
        connection.keep(&a, FilterStateFactory::Text, "1");
        connection.keep(&a, FilterStateFactory::Text, "2");
        let mut request = connection.for_request();
        request.keep(&a, FilterStateFactory::Text, "3");
        request.keep(&b, FilterStateFactory::Text, "3");
        let text = |key: &str| request.object(key).map(|object| object.text.to_string());
        assert_eq!((text("a").as_deref(), text("b").as_deref(), text("c")), (Some("2"), Some("3"), None));
    }

    #[test]
    fn an_object_of_another_kind_is_not_what_its_name_says() {
        let factory = FilterStateFactory::TcpCluster;
        let key: Arc<str> = factory.name().into();
        let mut attributes = Attributes::default();
        attributes.keep(&key, FilterStateFactory::Text, "c");
        assert_eq!(attributes.text_of(factory), None);
        attributes.keep(&key, factory, "c");
        assert_eq!(attributes.text_of(factory), Some("c"));
    }
}
