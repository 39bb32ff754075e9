//! What each kind of resource says about itself: to the router and to the OpenAPI document.
//!
//! One rule: a kind is served because it stands in the list of the router, in one line.

use schemars::{Schema, SchemaGenerator};

use crate::resource::document::Spec;
use crate::resource::kind::Kind;

/// A kind as it is served.
#[derive(Clone, Copy)]
pub struct Resource {
    /// The kind.
    pub kind: Kind,
    /// What it is, for the reader of the OpenAPI document.
    pub about: &'static str,
    /// The schema of its `spec`.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

impl Resource {
    /// The kind whose spec is `S`.
    pub const fn of<S: Spec>(about: &'static str) -> Self {
        Self { kind: S::KIND, about, schema: schema_of::<S> }
    }
}

fn schema_of<S: Spec>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<S>()
}
