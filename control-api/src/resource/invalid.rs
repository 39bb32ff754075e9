//! Why a document was refused: which field, what was found, what is accepted.
//!
//! One rule: every refusal names a field path that the operator can find in the file they sent.

use std::fmt;

/// A refused field of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Path inside the document, for example `spec.instances[0].port`; empty for the whole document.
    pub field: String,
    /// What was found and what is accepted.
    pub message: String,
}

impl Invalid {
    /// A refusal of `field` for the reason `message`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }

    /// The same refusal seen from one level further out.
    pub fn within(mut self, outer: &str) -> Self {
        self.field = match self.field.as_str() {
            "" => outer.to_string(),
            inner if inner.starts_with('[') => format!("{outer}{inner}"),
            inner => format!("{outer}.{inner}"),
        };
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.field, self.message)
        }
    }
}

impl std::error::Error for Invalid {}
