//! Reads a table of resources in YAML and what each is answered with.

use std::fmt::Debug;

use prost::Message;

use crate::decode::Invalid;
use crate::file::Schema;

/// A resource in YAML and the beginning of its refusal, path included.
pub(super) struct Row(pub(super) String, pub(super) String);

/// A row of texts.
pub(super) fn row(yaml: impl Into<String>, expected: impl Into<String>) -> Row {
    Row(yaml.into(), expected.into())
}

/// Decodes every row's resource and compares the refusals.
pub(super) fn refuses<M: Message + Default, T: Debug>(
    full_name: &str,
    decode: fn(&M) -> Result<T, Invalid>,
    rows: impl IntoIterator<Item = Row>,
) {
    let schema = Schema::load();
    let mut wrong = Vec::new();
    for Row(yaml, expected) in rows {
        let message: M = schema.read(full_name, &yaml).unwrap_or_else(|error| panic!("{yaml}\n{error}"));
        match decode(&message) {
            Err(invalid) if invalid.to_string().starts_with(&expected) => {}
            Err(invalid) => wrong.push(format!("{yaml}\n  expected {expected}\n  refused  {invalid}")),
            Ok(_) => wrong.push(format!("{yaml}\n  expected {expected}\n  accepted")),
        }
    }
    assert!(wrong.is_empty(), "{} rows are answered otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

/// Decodes a resource that is accepted.
pub(super) fn accepts<M: Message + Default, T>(
    full_name: &str,
    decode: fn(&M) -> Result<T, Invalid>,
    yaml: &str,
) -> T {
    let message: M = Schema::load().read(full_name, yaml).unwrap_or_else(|error| panic!("{yaml}\n{error}"));
    decode(&message).unwrap_or_else(|invalid| panic!("{yaml}\n{invalid}"))
}
