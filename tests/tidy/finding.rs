//! One thing that is wrong in one line of one file, and the assertion that there is none.

use std::fmt;
use std::path::{Path, PathBuf};

/// A broken rule, at a line that can be opened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path from the workspace root.
    pub file: PathBuf,
    /// Line in the file, from 1.
    pub line: usize,
    /// What is wrong and what is accepted.
    pub message: String,
}

impl Finding {
    pub fn new(file: &Path, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.message)
    }
}

/// Fails the test with every finding on its own line, so that an editor can jump to each.
#[track_caller]
pub fn assert_none(mut findings: Vec<Finding>) {
    findings.sort();
    findings.dedup();
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "{} finding(s):\n{}\n", lines.len(), lines.join("\n"));
}
