//! Fields to add and to remove (`envoy.config.core.v3.HeaderValueOption`).

use super::FormatString;

/// Fields to add and to remove, in order: removals first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeaderMutations {
    /// To add.
    pub add: Vec<HeaderAdd>,
    /// To remove; lower case.
    pub remove: Vec<String>,
}

/// A field to add.
#[derive(Debug, Clone, PartialEq)]
pub struct HeaderAdd {
    /// Lower case; `:`-fields and `host` are refused.
    pub name: String,
    /// The value, may hold commands.
    pub value: FormatString,
    /// What is done when the field exists.
    pub action: AppendAction,
    /// Whether the field is added when its value is empty.
    pub keep_empty_value: bool,
}

/// What is done when a field exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AppendAction {
    /// A second one is added.
    #[default]
    AppendIfExistsOrAdd,
    /// Nothing.
    AddIfAbsent,
    /// It is replaced, or added.
    OverwriteIfExistsOrAdd,
    /// It is replaced, never added.
    OverwriteIfExists,
}
