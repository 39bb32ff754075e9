//! The descriptors of all messages that a file may hold.

use prost_reflect::{DescriptorPool, MessageDescriptor};

/// The descriptors that `build.rs` pruned from those of `envoy-types`.
static DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/types.bin"));

#[derive(Debug)]
pub(super) struct Catalog {
    pool: DescriptorPool,
}

impl Catalog {
    pub(super) fn load() -> Self {
        let pool = DescriptorPool::decode(DESCRIPTORS)
            .expect("the build wrote a descriptor set that is closed and valid");
        Self { pool }
    }

    /// The descriptor of a message, by full name.
    pub(super) fn message(&self, full_name: &str) -> Option<MessageDescriptor> {
        self.pool.get_message_by_name(full_name)
    }

    /// All descriptors, for tests that want every message there is.
    #[cfg(test)]
    pub(super) fn pool(&self) -> &DescriptorPool {
        &self.pool
    }
}

/// Whether the JSON form of this message is not a mapping of its fields.
pub(super) fn is_special(full_name: &str) -> bool {
    const SPECIAL: [&str; 16] = [
        "Any",
        "BoolValue",
        "BytesValue",
        "DoubleValue",
        "Duration",
        "FieldMask",
        "FloatValue",
        "Int32Value",
        "Int64Value",
        "ListValue",
        "StringValue",
        "Struct",
        "Timestamp",
        "UInt32Value",
        "UInt64Value",
        "Value",
    ];
    full_name.strip_prefix("google.protobuf.").is_some_and(|name| SPECIAL.contains(&name))
}
