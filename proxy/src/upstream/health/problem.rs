//! Why a check was not passed.

use super::verdict::Finding;

/// Why a check was not passed.
#[derive(Debug)]
pub(super) struct Problem {
    pub finding: Finding,
    pub detail: String,
    /// Another service answered than the one expected.
    pub other_service: bool,
}

impl Problem {
    /// The endpoint says that it is not well.
    pub(super) fn failed(detail: impl Into<String>) -> Self {
        Self { finding: Finding::Failed, detail: detail.into(), other_service: false }
    }

    /// It could not be asked.
    pub(super) fn unreachable(detail: impl ToString) -> Self {
        Self { finding: Finding::Unreachable, detail: detail.to_string(), other_service: false }
    }
}
