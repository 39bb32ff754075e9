//! All resources that one client may see, as one immutable value.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use envoy_types::pb::google::protobuf::Any;

use crate::wire::resource::ResourceType;

static NOTHING: Resources = Resources { version: String::new(), items: BTreeMap::new() };

/// A resource with its version.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Differs whenever the body does.
    pub version: String,
    /// The resource, packed.
    pub body: Any,
}

/// All resources of one type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resources {
    version: String,
    items: BTreeMap<String, Arc<Item>>,
}

impl Resources {
    /// These resources, by name; their common version is made from their names and versions.
    pub fn new(items: BTreeMap<String, Arc<Item>>) -> Self {
        let mut hasher = DefaultHasher::new();
        for (name, item) in &items {
            name.hash(&mut hasher);
            item.version.hash(&mut hasher);
        }
        Self::versioned(format!("{:016x}", hasher.finish()), items)
    }

    /// These resources, by name, under a version that means something to people; it only has to differ whenever
    /// the resources do.
    pub fn versioned(version: impl Into<String>, items: BTreeMap<String, Arc<Item>>) -> Self {
        Self { version: version.into(), items }
    }

    /// The version of all of them together.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The resources by name.
    pub fn items(&self) -> &BTreeMap<String, Arc<Item>> {
        &self.items
    }
}

/// What a client may see.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct World {
    types: BTreeMap<ResourceType, Resources>,
}

impl World {
    /// The same world with these resources of one type.
    #[must_use]
    pub fn with(mut self, ty: ResourceType, resources: Resources) -> Self {
        self.types.insert(ty, resources);
        self
    }

    /// The resources of a type, which may be none.
    pub fn resources(&self, ty: ResourceType) -> &Resources {
        self.types.get(&ty).unwrap_or(&NOTHING)
    }
}
