//! Header values and mutations.

use envoy_types::pb::envoy::config::core::v3 as pb;
use pb::header_value_option::HeaderAppendAction;

use crate::model::{AppendAction, HeaderAdd};

/// A field whose value could hold commands but does not.
pub(super) fn literal(name: &str, value: &str) -> pb::HeaderValue {
    pb::HeaderValue { key: name.to_owned(), value: value.replace('%', "%%"), ..Default::default() }
}

/// Fields to add.
pub(super) fn add(fields: &[HeaderAdd]) -> Vec<pb::HeaderValueOption> {
    fields.iter().map(option).collect()
}

/// A field to add.
pub(super) fn option(field: &HeaderAdd) -> pb::HeaderValueOption {
    let HeaderAdd { name, value, action, keep_empty_value } = field;
    let action = match action {
        AppendAction::AppendIfExistsOrAdd => HeaderAppendAction::AppendIfExistsOrAdd,
        AppendAction::AddIfAbsent => HeaderAppendAction::AddIfAbsent,
        AppendAction::OverwriteIfExistsOrAdd => HeaderAppendAction::OverwriteIfExistsOrAdd,
        AppendAction::OverwriteIfExists => HeaderAppendAction::OverwriteIfExists,
    };
    let header =
        pb::HeaderValue { key: name.clone(), value: value.as_str().to_owned(), ..Default::default() };
    pb::HeaderValueOption {
        header: Some(header),
        append_action: action.into(),
        keep_empty_value: *keep_empty_value,
        ..Default::default()
    }
}
