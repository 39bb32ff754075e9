//! Header values and mutations.

use envoy_types::pb::envoy::config::core::v3 as pb;
use pb::header_value_option::HeaderAppendAction;

use crate::model::{AppendAction, HeaderAdd};

/// A field that is sent as it stands.
pub(super) fn plain(name: &str, value: &str) -> pb::HeaderValue {
    pb::HeaderValue { key: name.to_owned(), value: value.to_owned(), ..Default::default() }
}

/// A field whose value could hold commands but does not.
pub(super) fn literal(name: &str, value: &str) -> pb::HeaderValueOption {
    let header = plain(name, &value.replace('%', "%%"));
    pb::HeaderValueOption { header: Some(header), ..Default::default() }
}

/// Fields to add.
pub(super) fn add(fields: &[HeaderAdd]) -> Vec<pb::HeaderValueOption> {
    let option = |field: &HeaderAdd| {
        let HeaderAdd { name, value, action, keep_empty_value } = field;
        let action = match action {
            AppendAction::AppendIfExistsOrAdd => HeaderAppendAction::AppendIfExistsOrAdd,
            AppendAction::AddIfAbsent => HeaderAppendAction::AddIfAbsent,
            AppendAction::OverwriteIfExistsOrAdd => HeaderAppendAction::OverwriteIfExistsOrAdd,
            AppendAction::OverwriteIfExists => HeaderAppendAction::OverwriteIfExists,
        };
        pb::HeaderValueOption {
            header: Some(plain(name, value.as_str())),
            append_action: action.into(),
            keep_empty_value: *keep_empty_value,
            ..Default::default()
        }
    };
    fields.iter().map(option).collect()
}
