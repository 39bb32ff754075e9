//! What is wrong with a file, said for the person who must mend it: place, field path, found, accepted.

use std::fmt;

/// Line and column, both counted from 1; zero where the parser does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Position {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// Why a text was not accepted, or a message could not be shown.
///
/// Displayed as `line 7, column 5: static_resources.listeners[0].address: expected …, found …`; the place
/// and the path are left out where there is none (syntax errors have no path, messages have no line).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    at: Position,
    path: String,
    reason: String,
}

impl FileError {
    pub(super) fn syntax(at: Position, reason: impl Into<String>) -> Self {
        Self::field(at, String::new(), reason)
    }

    pub(super) fn field(at: Position, path: String, reason: impl Into<String>) -> Self {
        Self { at, path, reason: reason.into() }
    }

    /// The line of the text, counted from 1, where it is known.
    pub fn line(&self) -> Option<u64> {
        (self.at.line > 0).then_some(self.at.line)
    }

    /// The column of the text, counted from 1, where it is known.
    pub fn column(&self) -> Option<u64> {
        (self.at.column > 0).then_some(self.at.column)
    }

    /// The field's path from the top of the message; empty for a syntax error.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What was found and what is accepted, without the place and the path.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line(), self.column()) {
            write!(f, "line {line}, column {column}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for FileError {}
